"""`python -m train compare`: a challenger beside the champion, on rows that neither has learnt from.

With --gate a challenger that is worse beyond noise ends with exit code 1, so that CI keeps the champion.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table as Grid

from model.session import Model
from train.applicants import open_model, read_applicants
from train.card import read_card
from train.dataset import FEWEST_OF_A_CLASS, Labels, encode_target
from train.errors import TrainingError
from train.holdout import split
from train.infer import default_value
from train.report.comparison import Comparison
from train.report.comparison import compare as measure
from train.report.words import estimate, estimated_percent, percent
from train.table import Table, read_table

STYLES = {"better": "green", "worse": "red", "same": ""}


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train compare",
        description="Compare two models on the same rows: metrics with paired intervals, who would be decided "
        "otherwise and how those paid. Rows that one of them learnt from are left out where the table is its own.",
    )
    parser.add_argument("champion", type=Path, help="the model in use, such as artifacts/model.onnx")
    parser.add_argument("challenger", type=Path, help="the model that may replace it")
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="a dataset card, or a CSV file")
    parser.add_argument("--target", metavar="COLUMN", help="with a CSV file: the column of the outcome")
    parser.add_argument("--default", metavar="VALUE", help="with a CSV file: its value that means default")
    parser.add_argument("--gate", action="store_true", help="exit code 1 if the challenger is worse beyond noise")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap; default: 0")
    given = parser.parse_args(arguments)
    if (given.data.suffix == ".toml") == (given.target is not None):
        parser.error("give --data CARD.toml, or --data FILE.csv with --target COLUMN")
    return given


def run(given: argparse.Namespace, console: Console) -> int:
    """Compare and print; the exit code: 1 with --gate if the challenger is worse. Raises TrainingError."""
    models = [open_model(path) for path in (given.champion, given.challenger)]
    table, y = open_outcomes(given)
    rows = unseen_rows(table, y, models)
    scores = [model.score(read_applicants(table, model.contract.fields)[rows]) for model in models]
    comparison = measure(y[rows], scores[0], scores[1], models[0].contract.policy, given.seed)
    show(console, comparison, len(y))
    if comparison.is_not_worse:
        console.print("The challenger is not worse beyond noise: it may replace the champion.", style="green")
    else:
        console.print("The challenger is worse beyond noise: keep the champion.", style="red")
    return int(given.gate and not comparison.is_not_worse)


def open_outcomes(given: argparse.Namespace) -> tuple[Table, Labels]:
    """The table and its outcomes, int64, shape (n,), 1 = default."""
    if given.data.suffix == ".toml":
        dataset = read_card(given.data).dataset
        table = read_table(given.data.parent / dataset.path)
        return table, encode_target(table, dataset.target, dataset.default)
    table = read_table(given.data)
    default = given.default if given.default is not None else default_value(table, given.target)
    return table, encode_target(table, given.target, default)


def unseen_rows(table: Table, y: Labels, models: Sequence[Model]) -> npt.NDArray[np.int64]:
    """The rows that no model has learnt from, int64, as far as their contracts tell: of its own table the hold-out.

    Raises TrainingError if too few are left to compare on.
    """
    rows = np.arange(len(y))
    for model in models:
        training = model.contract.training
        if training.data_sha256 == table.sha256 and training.rows + training.holdout_rows == len(y):
            rows = np.intersect1d(rows, split(y, training.seed).holdout)
    if min(int(y[rows].sum()), len(rows) - int(y[rows].sum())) < FEWEST_OF_A_CLASS:
        raise TrainingError(
            f"{len(rows)} rows of {table.path} are left that neither model has learnt from, {y[rows].sum()} of them "
            f"defaults; expected at least {FEWEST_OF_A_CLASS} defaults and {FEWEST_OF_A_CLASS} goods: bring newer "
            "applications, or train both models with the same --seed"
        )
    return rows


def show(console: Console, comparison: Comparison, rows: int) -> None:
    """Print the comparison: metrics, swap set, shift of the scores."""
    console.print(f"On {comparison.rows:,} of {rows:,} rows, which neither model has learnt from as far as they tell:")
    grid = Grid()
    for title in ("", "champion", "challenger", "difference, 95 % interval", ""):
        grid.add_column(title, justify="right" if title else "left")
    for one in comparison.differences:
        figures = (f"{one.champion:.4f}", f"{one.challenger:.4f}", estimate(one.difference, 4))
        grid.add_row(one.title, *figures, one.verdict, style=STYLES[one.verdict])
    console.print(grid)
    swaps = Grid()
    for title in ("", "applicants", "share", "default rate"):
        swaps.add_column(title, justify="right" if title else "left")
    for swap in comparison.swaps:
        swaps.add_row(swap.title, f"{swap.count:,}", percent(swap.share), estimated_percent(swap.default_rate))
    console.print(swaps)
    shift = comparison.scores
    console.print(f"Stability index between their scores: {estimate(shift.psi)}: {shift.verdict}")
