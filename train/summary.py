"""The terminal table of `python -m train`: every candidate, and what accepting or refusing all would cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table as Grid

from model.policy import Policy
from train.card import Card
from train.card_inference import list_columns
from train.cross_validation import FOLDS, Trial
from train.policy import mean_cost
from train.quality import Quality
from train.table import Table
from train.target import Labels

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


def show_table(console: Console, card: Card, table: Table, y: Labels) -> None:
    """Print how the table was read, what counts as default, and each column: used, or not used and why."""
    dataset = card.dataset
    if table.dialect is not None:
        console.print(f"Read {table.path.name} as: {table.dialect}", markup=False)
    for sentence in table.notes:
        console.print(sentence, markup=False)
    rate = y.mean()
    console.print(f"{dataset.name}: {len(y):,} applications, {len(card.inputs)} fields")
    console.print(
        f"Default: {dataset.target} = {dataset.default!r}, {y.sum():,} applications ({rate:.1%})", markup=False
    )
    if rate > MAX_PLAUSIBLE_RATE:
        console.print(
            f"More than half of the applications are defaults: is {dataset.default!r} the right value? See --default",
            style="yellow",
            markup=False,
        )
    console.print(f"Used: {', '.join(card.inputs)}", markup=False)
    remarks = {name: field.note for name, field in card.inputs.items() if field.note}
    for name, note in (remarks | list_columns(card, table)).items():
        console.print(f"  {name or '(no name)'}: {note}", style="yellow", markup=False)


def show_summary(console: Console, y: Labels, entries: Sequence[Entry], chosen: Trial, policy: Policy) -> None:
    """Print one column per candidate and a line on the baselines; y: outcomes of the hold-out, shape (n,)."""
    table = Grid(caption="* chosen: the smallest log loss over the folds", caption_justify="left")
    table.add_column("", no_wrap=True)
    for entry in entries:
        is_chosen = entry.trial is chosen
        # The short name, so that several candidates fit into the 80 columns of a log.
        title = entry.trial.candidate.name + (" *" if is_chosen else "")
        table.add_column(title, justify="right", style="bold" if is_chosen else "", no_wrap=True)

    table.add_row(f"{FOLDS}-fold log loss", *(f"{entry.trial.log_loss:.4f}" for entry in entries))
    table.add_row(f"{FOLDS}-fold AUC", *(f"{entry.trial.auc:.4f}" for entry in entries), end_section=True)
    table.add_row(f"[italic]hold-out, {len(y):,} rows[/italic]")
    for name, title in METRICS.items():
        table.add_row(title, *(f"{entry.quality.as_dict()[name]:.4f}" for entry in entries))
    console.print(table)
    accept_all, refuse_all = (mean_cost(y, np.full(len(y), decision), policy) for decision in (0, 2))
    console.print(f"Accept all: cost per applicant {accept_all:.4f}; refuse all: {refuse_all:.4f}")
