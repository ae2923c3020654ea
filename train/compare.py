"""`python -m train compare`: champion and challenger on the same rows, which neither was trained on.

With --gate the exit code is 1 if the challenger is significantly worse, so that CI keeps the champion.
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
from train.arguments import add_dialect_options, merge_options, random_seed, read_dialect_options
from train.card import read_card
from train.errors import TrainingError
from train.holdout import split_rows
from train.report.comparison import Comparison
from train.report.comparison import compare as measure
from train.report.formatting import format_estimate, format_percent, format_percent_estimate
from train.table import Table, read_table
from train.target import MIN_CLASS_ROWS, Labels, encode_target, find_unlabelled, infer_default

STYLES = {"better": "green", "worse": "red", "same": ""}


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train compare",
        description="Compare two models on the same rows: metrics with paired intervals, and the swap set with its "
        "default rates. Training rows of either model are left out if the table is the one it was trained on.",
    )
    parser.add_argument("champion", type=Path, help="the model in use, such as artifacts/model.onnx")
    parser.add_argument("challenger", type=Path, help="the model that may replace it")
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="a dataset card, or a CSV file")
    parser.add_argument("--target", metavar="COLUMN", help="with a CSV file: the column of the outcome")
    parser.add_argument("--default", metavar="VALUE", help="with a CSV file: its value that means default")
    add_dialect_options(parser)
    parser.add_argument("--gate", action="store_true", help="exit code 1 if the challenger is significantly worse")
    parser.add_argument("--seed", type=random_seed, default=0, help="of the bootstrap; default: 0")
    options = parser.parse_args(arguments)
    if (options.data.suffix == ".toml") == (options.target is not None):
        parser.error("give --data CARD.toml, or --data FILE.csv with --target COLUMN")
    return options


def run(options: argparse.Namespace, console: Console) -> int:
    """Compare and print; the exit code, 1 with --gate if the challenger is worse. Raises TrainingError."""
    models = [open_model(path) for path in (options.champion, options.challenger)]
    table, y = open_outcomes(options)
    rows = unseen_rows(table, y, models)
    scores = [model.score(read_applicants(table, model.contract.fields)[rows]) for model in models]
    comparison = measure(y[rows], scores[0], scores[1], models[0].contract.policy, options.seed)
    show(console, comparison, len(y))
    if comparison.is_not_worse:
        console.print("The challenger is not significantly worse: it may replace the champion.", style="green")
    else:
        console.print("The challenger is significantly worse: keep the champion.", style="red")
    return int(options.gate and not comparison.is_not_worse)


def open_outcomes(options: argparse.Namespace) -> tuple[Table, Labels]:
    """The table and its outcomes, int64, shape (n,), 1 = default."""
    given = read_dialect_options(options)
    if options.data.suffix == ".toml":
        dataset = read_card(options.data).dataset
        dialect = merge_options(given, dataset.dialect)
        table = read_table(options.data.parent / dataset.path, dialect, [dataset.target])
        if dataset.drop_unlabelled:
            table = table.drop(find_unlabelled(table, dataset.target))
        return table, encode_target(table, dataset.target, dataset.default)
    table = read_table(options.data, given, [options.target])
    default = options.default if options.default is not None else infer_default(table, options.target)
    return table, encode_target(table, options.target, default)


def unseen_rows(table: Table, y: Labels, models: Sequence[Model]) -> npt.NDArray[np.int64]:
    """Row numbers, int64, without the training rows of a model whose contract says that it was trained on this table.

    Raises TrainingError if too few are left.
    """
    rows = np.arange(len(y))
    for model in models:
        training = model.contract.training
        if training.data_sha256 == table.sha256 and training.rows + training.holdout_rows == len(y):
            rows = np.intersect1d(rows, split_rows(y, training.seed).holdout_rows)
    if min(int(y[rows].sum()), len(rows) - int(y[rows].sum())) < MIN_CLASS_ROWS:
        raise TrainingError(
            f"{len(rows)} rows of {table.path} are left that neither model was trained on, {y[rows].sum()} of them "
            f"defaults; expected at least {MIN_CLASS_ROWS} defaults and {MIN_CLASS_ROWS} goods: use newer "
            "applications, or train both models with the same --seed"
        )
    return rows


def show(console: Console, comparison: Comparison, rows: int) -> None:
    """Print metrics, swap set, and the shift between the scores; `rows`: of the whole table."""
    console.print(f"On {comparison.rows:,} of {rows:,} rows, which neither model was trained on by its own contract:")
    grid = Grid()
    for title in ("", "champion", "challenger", "difference, 95 % interval", ""):
        grid.add_column(title, justify="right" if title else "left")
    for one in comparison.differences:
        figures = (f"{one.champion:.4f}", f"{one.challenger:.4f}", format_estimate(one.difference, 4))
        grid.add_row(one.title, *figures, one.verdict, style=STYLES[one.verdict])
    console.print(grid)
    swaps = Grid()
    for title in ("", "applicants", "share", "default rate"):
        swaps.add_column(title, justify="right" if title else "left")
    for swap in comparison.swaps:
        swaps.add_row(
            swap.title, f"{swap.count:,}", format_percent(swap.share), format_percent_estimate(swap.default_rate)
        )
    console.print(swaps)
    shift = comparison.scores
    console.print(f"Population stability index between their scores: {format_estimate(shift.psi)}: {shift.verdict}")
