"""`python -m train scorecard MODEL`: the points table of a model file as CSV, page, SQL and workbook."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from model.contract import ContractError
from model.loading import load_model, read_file
from train.errors import TrainingError
from train.files import write_together
from train.points_table.files import TABLE, explain_no_sql, render
from train.points_table.sql import QUERIES


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train scorecard",
        description="Write the points table of a scorecard: scorecard.html, .csv, .sql and .xlsx.",
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model.onnx trained with --model scorecard")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: beside the model")
    parser.add_argument(
        "--table", default=TABLE, metavar="NAME", help=f"the table that scorecard.sql reads; default: {TABLE}"
    )
    return parser.parse_args(arguments)


def run(options: argparse.Namespace, console: Console) -> int:
    """Write the files; the exit code. Raises TrainingError."""
    try:
        contract = load_model(read_file(options.model)).contract
    except ContractError as error:
        raise TrainingError(f"{options.model} can't be read: {error}") from error
    _check_table(options.table)
    files = render(contract, options.out or options.model.parent, options.table)
    if not files:
        found = (
            "was a scorecard before its recalibration, which isn't in whole points"
            if contract.parent and contract.training.estimator == "scorecard"
            else f"is no scorecard but a {contract.training.estimator}"
        )
        raise TrainingError(
            f"{options.model} {found}; expected a model trained with: python -m train CARD.toml --model scorecard"
        )
    write_together(files)
    if (reason := explain_no_sql(contract)) is not None:
        console.print(reason, markup=False)
    console.print(f"Wrote {', '.join(str(path) for path in files)}")
    return 0


def _check_table(name: str) -> None:
    """Raises TrainingError for a name that no table has, or that scorecard.sql gives to a query of its own."""
    if not all(part.strip() for part in name.split(".")):
        raise TrainingError(f"--table is {name!r}; expected the name of a table, or schema.table")
    if name.lower() in QUERIES:
        raise TrainingError(
            f"--table is {name!r}, which scorecard.sql calls a query of its own; name the schema too: schema.{name}"
        )
