"""`python -m train drift`: whether new applicants are still like those a model learnt from.

Needs the model file and a table, nothing else: the reference bins travel in the file. Nobody's outcome is
needed, so that it can be run on the applications of last week.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid

from train.applicants import open_model, read_applicants
from train.errors import TrainingError
from train.files import write_whole
from train.report.drift_page import Drift, render_drift
from train.report.stability import PROBABILITY, measure_shift, measure_shifts
from train.report.words import estimate
from train.table import read_table

STYLES = {"stable": "", "watch": "yellow", "moved": "red"}


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train drift",
        description="Compare a table of applicants with those a model learnt from: stability index with its noise.",
    )
    parser.add_argument("data", type=Path, help="a CSV file with the model's fields as columns; others are ignored")
    parser.add_argument(
        "--model", type=Path, default=Path("artifacts/model.onnx"), help="default: artifacts/model.onnx"
    )
    parser.add_argument("--out", type=Path, default=Path("artifacts"), metavar="DIR", help="of drift.html")
    parser.add_argument("--gate", action="store_true", help="exit code 1 if a field or the probability has moved")
    return parser.parse_args(arguments)


def run(given: argparse.Namespace, console: Console) -> int:
    """Compare, print, write drift.html; the exit code: 1 with --gate if anything moved. Raises TrainingError."""
    model = open_model(given.model)
    contract = model.contract
    if not contract.bins or contract.probability_bins is None:
        raise TrainingError(
            f"{given.model} has no reference bins: it was exported before there were any, or imported without "
            "--reference; export it again: python -m train"
        )
    table = read_table(given.data)
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
            measure_shift(PROBABILITY, contract.probability_bins, scores.probability, None),
            *measure_shifts(contract.fields, contract.bins, applicants),
        ),
    )
    grid = Grid(caption=f"{drift.headline}.", caption_justify="left")
    for title in ("", "stability index (without noise)", "noise alone", ""):
        grid.add_column(title, justify="right" if title else "left")
    for shift in drift.shifts:
        row = (shift.label, estimate(shift.psi), f"{shift.noise:.3f}", shift.verdict)
        grid.add_row(*row, style=STYLES[shift.verdict])
    console.print(grid)
    path = given.out / "drift.html"
    write_whole(path, render_drift(drift))
    console.print(f"Wrote {path}")
    return int(given.gate and any(shift.verdict == "moved" for shift in drift.shifts))
