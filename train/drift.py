"""`python -m train drift`: population stability of new applicants against those a model was trained on.

Needs only the model file, which holds the reference bins, and a table without outcomes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid

from model.formatting import format_estimate
from train.accepted import find_acceptance
from train.applicants import open_model, read_applicants
from train.arguments import add_dialect_options, read_dialect_options
from train.errors import TrainingError
from train.files import write_whole
from train.report.drift_page import Drift, render_drift
from train.report.stability import PROBABILITY, measure_shift, measure_shifts
from train.table import read_table

STYLES = {"stable": "", "moderate shift": "yellow", "significant shift": "red"}


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train drift",
        description="Compare a table of applicants with those a model was trained on: population stability index of "
        "each field and of the probability, with its sampling noise.",
    )
    parser.add_argument(
        "data", type=Path, help="a CSV or Parquet file with the model's fields as columns; other columns are ignored"
    )
    parser.add_argument(
        "--model", type=Path, default=Path("artifacts/model.onnx"), help="default: artifacts/model.onnx"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("artifacts"), metavar="DIR", help="folder of drift.html; default: artifacts"
    )
    parser.add_argument(
        "--gate", action="store_true", help="exit code 1 if a field or the probability has shifted significantly"
    )
    add_dialect_options(parser)
    return parser.parse_args(arguments)


def run(options: argparse.Namespace, console: Console) -> int:
    """Compare, print, write drift.html; the exit code, 1 with --gate on a shift. Raises TrainingError."""
    model = open_model(options.model)
    contract = model.contract
    if not contract.bins or contract.probability_bins is None:
        raise TrainingError(
            f"{options.model} has no reference bins: it was imported without --reference, or exported by an older "
            "version; train or import it again"
        )
    table = read_table(options.data, read_dialect_options(options), [field.name for field in contract.fields])
    acceptance = find_acceptance(table, [contract])
    if acceptance is not None:
        table = acceptance.keep(table)
        console.print(table.notes[-1], markup=False)
    applicants = read_applicants(table, contract.fields)
    scores = model.score(applicants)
    drift = Drift(
        contract=contract,
        sha256=model.sha256,
        data=table.path.name,
        data_sha256=table.sha256,
        rows=len(applicants),
        acceptance_rate=float((scores.decision == 0).mean()),
        shifts=(
            measure_shift(PROBABILITY, contract.probability_bins, scores.probability, None, len(contract.fields) + 1),
            *measure_shifts(contract.fields, contract.bins, applicants),
        ),
    )
    grid = Grid(caption=f"{drift.headline}.", caption_justify="left")
    for title in ("", "PSI (95% interval)", "sampling noise", ""):
        grid.add_column(title, justify="right" if title else "left")
    for shift in drift.shifts:
        row = (shift.label, format_estimate(shift.psi), f"{shift.noise:.3f}", shift.verdict)
        grid.add_row(*row, style=STYLES[shift.verdict])
    console.print(grid)
    path = options.out / "drift.html"
    write_whole(path, render_drift(drift))
    console.print(f"Wrote {path}")
    return int(options.gate and any(shift.verdict == "significant shift" for shift in drift.shifts))
