"""`python -m train compare`: champion and challenger on the same rows, which neither was trained on.

With --gate the exit code is 1 if the challenger is significantly worse, or the costs of the two can't be compared, so
that CI keeps the champion.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from math import inf
from pathlib import Path

from msgspec import structs
from rich.console import Console
from rich.table import Table as Grid

from model.formatting import format_estimate, format_percent, format_percent_estimate
from train.applicants import open_model, read_applicants
from train.arguments import random_seed
from train.judged import judge
from train.outcomes import add_outcome_options, check_outcome_options, open_outcomes
from train.report.comparison import Comparison
from train.report.comparison import compare as measure
from train.unseen import unseen_rows
from train.weights import select

STYLES = {"better": "green", "worse": "red", "same": "", "unknown": "yellow"}


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; argparse exits with code 2 and its usage if it can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m train compare",
        description="Compare two models on the same rows: metrics with paired intervals, and the swap set with its "
        "default rates. Training rows of either model are left out if the table is the one it was trained on.",
    )
    parser.add_argument("champion", type=Path, help="the model in use, such as artifacts/model.onnx")
    parser.add_argument("challenger", type=Path, help="the model that may replace it")
    add_outcome_options(parser)
    parser.add_argument("--gate", action="store_true", help="exit code 1 if the challenger is worse or costs unknown")
    parser.add_argument(
        "--cost-review", type=float, help="price of a review, in the unit of the champion's costs; default: its own"
    )
    parser.add_argument("--seed", type=random_seed, default=0, help="of the bootstrap; default: 0")
    options = parser.parse_args(arguments)
    check_outcome_options(parser, options)
    if options.cost_review is not None and not 0 <= options.cost_review < inf:
        parser.error(f"--cost-review is {options.cost_review:g}, expected 0 or a positive cost")
    return options


def run(options: argparse.Namespace, console: Console) -> int:
    """Compare and print; the exit code, 1 with --gate if the challenger is worse. Raises TrainingError."""
    models = [open_model(path) for path in (options.champion, options.challenger)]
    names = dict.fromkeys(field.name for model in models for field in model.contract.fields)
    outcomes = open_outcomes(options, list(names), contracts=[model.contract for model in models])
    table, y = outcomes.table, outcomes.y
    rows = unseen_rows(table, y, models)
    applicants = [read_applicants(table, model.contract.fields)[rows] for model in models]
    scores = [model.score(some) for model, some in zip(models, applicants, strict=True)]
    judged = judge(models[0].contract.policy, scores[0].probability, applicants[0])
    judged.expect_known(f"the {len(rows):,} compared applicants")
    if options.cost_review is not None:
        judged = replace(judged, policy=structs.replace(judged.policy, cost_review=options.cost_review))
    comparison = measure(y[rows], scores[0], scores[1], judged, options.seed, select(outcomes.weight, rows))
    for sentence in table.notes:
        console.print(sentence, markup=False)
    show(console, comparison, len(y))
    if comparison.is_not_worse and not comparison.is_cost_known:
        console.print(
            "The costs can't be compared: the models review different applicants, and the champion's policy has no "
            "cost_review. Give the price of a review: --cost-review PRICE",
            style="yellow",
        )
    elif comparison.is_not_worse:
        console.print("The challenger is not significantly worse: it may replace the champion.", style="green")
    else:
        console.print("The challenger is significantly worse: keep the champion.", style="red")
    return int(options.gate and not (comparison.is_not_worse and comparison.is_cost_known))


def show(console: Console, comparison: Comparison, rows: int) -> None:
    """Print metrics, swap set, and the shift between the scores; `rows`: of the whole table."""
    console.print(f"On {comparison.rows:,} of {rows:,} rows, which neither model was trained on by its own contract:")
    grid = Grid()
    for title in ("", "champion", "challenger", "difference, 95 % interval", ""):
        grid.add_column(title, justify="right" if title else "left")
    for one in comparison.differences:
        figures = (f"{one.champion:.4f}", f"{one.challenger:.4f}", format_estimate(one.difference, 4))
        grid.add_row(one.title, *figures, one.verdict, style=STYLES[one.verdict])
    for shares in comparison.decisions:
        grid.add_row(f"share of {shares.decision}", format_percent(shares.champion), format_percent(shares.challenger))
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
