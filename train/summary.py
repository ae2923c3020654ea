"""The terminal table of `python -m train`: every candidate, and what accepting or refusing all would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from model.policy import Policy
from train.card import Card
from train.card_notes import advise, list_columns, list_remarks
from train.cross_validation import Trial
from train.dataset import Dataset
from train.errors import TrainingError
from train.folds import FOLDS, make_folds, make_random_folds
from train.holdout import Partition
from train.judged import ACCEPT, REFUSE, judge
from train.quality import Quality
from train.table import Table
from train.time_formats import format_day
from train.trends import explain_moving, list_moving
from train.weights import kish_rows, weighted_mean

MAX_PLAUSIBLE_RATE = 0.5
"""Share of defaults above which the meaning of the target is doubted."""

METRICS: dict[str, str] = {
    "auc": "AUC",
    "gini": "Gini",
    "ks": "KS",
    "log_loss": "log loss",
    "brier": "Brier score",
    "calibration_error": "calibration error",
    "acceptance_rate": "acceptance rate",
    "cost_per_applicant": "cost per applicant",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A candidate's best trial, and its quality on the hold-out."""

    trial: Trial
    quality: Quality


def show_table(console: Console, card: Card, table: Table, data: Dataset, *, is_inferred: bool) -> None:
    """Print how the table was read, what counts as default, and each column: used, or not used and why.

    `is_inferred`: the card was inferred from this table just now.
    """
    dataset, y, weight = card.dataset, data.y, data.weight
    if table.dialect is not None:
        console.print(f"Read {table.path.name} as: {table.dialect}", markup=False)
    for sentence in table.notes:
        console.print(sentence, markup=False)
    rate = y.mean()
    weighted = "" if weight is None else f"; {weighted_mean(y, weight):.1%} weighted by {dataset.weight}"
    console.print(f"{dataset.name}: {len(y):,} applications, {len(card.inputs)} fields")
    console.print(
        f"Default: {dataset.target} = {dataset.default!r}, {y.sum():,} applications ({rate:.1%}{weighted})",
        markup=False,
    )
    if rate > MAX_PLAUSIBLE_RATE:
        console.print(
            f"More than half of the applications are defaults: is {dataset.default!r} the right value? See --default",
            style="yellow",
            markup=False,
        )
    console.print(f"Used: {', '.join(card.inputs)}", markup=False)
    for name, told in (list_remarks(card, is_inferred=is_inferred) | list_columns(card, table)).items():
        advice = advise(name, card.fields[name], is_inferred=is_inferred) if name in card.fields else ""
        console.print(f"  {name or '(no name)'}: {told}{advice}", style="yellow", markup=False)
    for name in list_moving(data, card.inputs):
        console.print(
            f"  {name}: {explain_moving(dataset.time)}; leave it out with --ignore, or set allow = true in the card",
            style="yellow",
            markup=False,
        )


def show_validation(console: Console, partition: Partition, training: Dataset, seed: int) -> None:
    """Print what the hold-out and the folds are, unless they are random rows; raises TrainingError for too few rows."""
    weights = "" if training.weight is None else f", {kish_rows(training.weight):,.0f} by the spread of their weights"
    if weights or training.group is not None:
        groups = "" if training.group is None else f" of {len(np.unique(training.group)):,} groups"
        console.print(f"Training rows: {len(training.y):,}{groups}{weights}")
    try:
        folds, random = make_folds(training, seed), make_random_folds(training, seed)
    except TrainingError as error:
        if not partition.left_out:
            raise
        raise TrainingError(
            f"{error}; {partition.left_out:,} older rows are left out before, because their groups are in the hold-out"
        ) from error
    if len(random) < FOLDS:
        console.print(f"{len(random)} random folds instead of {FOLDS}, for lack of groups or of defaults")
    if partition.since is None:
        return
    fewer = "" if len(folds) == FOLDS else f" instead of {FOLDS}, for lack of times or of defaults"
    console.print(
        f"Over time: {len(partition.holdout_rows):,} applications from {format_day(partition.since)} on are held out; "
        f"{len(folds)} fold{'s' * (len(folds) > 1)} forward in time{fewer}"
    )
    if partition.left_out:
        console.print(f"Left out: {partition.left_out:,} older applications of groups that are in the hold-out")


def name_folds(trial: Trial, is_forward: bool) -> str:
    """The number of folds, and whether each is measured on newer applications than it was fitted on."""
    number = len(trial.folds)
    return f"{number} {'forward ' * is_forward}fold{'s' * (number > 1)}"


def show_summary(
    console: Console, holdout: Dataset, entries: Sequence[Entry], chosen: Trial, policy: Policy, since: str = ""
) -> None:
    """Print one column per candidate and a line on the baselines; since: first day of the hold-out, '' if random."""
    y = holdout.y
    table = Grid(caption="* chosen: the smallest log loss over the folds", caption_justify="left")
    table.add_column("", no_wrap=True)
    for entry in entries:
        is_chosen = entry.trial is chosen
        # The short name, so that several candidates fit into the 80 columns of a log.
        title = entry.trial.candidate.name + (" *" if is_chosen else "")
        table.add_column(title, justify="right", style="bold" if is_chosen else "", no_wrap=True)

    folds = name_folds(chosen, bool(since))
    table.add_row(f"log loss, {folds}", *(f"{entry.trial.log_loss:.4f}" for entry in entries))
    table.add_row(f"AUC, {folds}", *(f"{entry.trial.auc:.4f}" for entry in entries), end_section=True)
    title = f"hold-out, newest {len(y):,} rows\nsince {since}" if since else f"hold-out, {len(y):,} rows"
    table.add_row(Text(title, style="italic"))
    for name, title in METRICS.items():
        table.add_row(title, *(f"{entry.quality.as_dict()[name]:.4f}" for entry in entries))
    console.print(table)
    # Whoever would be accepted: only what is at stake counts here.
    judged = judge(policy, np.zeros(len(y)), holdout.X)
    accept_all, refuse_all = (judged.decide(decision).mean_cost(y, holdout.weight) for decision in (ACCEPT, REFUSE))
    console.print(f"Accept all: cost per applicant {accept_all:.4f}; refuse all: {refuse_all:.4f}")
    if policy.money is not None:
        cost = next(entry.quality.cost_per_applicant for entry in entries if entry.trial is chosen)
        console.print(
            f"Profit per applicant: {refuse_all - cost:.4f}; accept all: {refuse_all - accept_all:.4f}; refuse all: 0"
        )
    if judged.n_unknown:
        console.print(
            f"{judged.n_unknown:,} of {len(y):,} rows have no known exposure or margin: they are reviewed, and are in "
            "no figure of costs",
            style="yellow",
        )
