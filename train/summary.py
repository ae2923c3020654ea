"""The terminal table of `python -m train`: every candidate, and accepting or refusing all as baselines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from model.policy import Policy
from train.cross_validation import FOLDS, Trial
from train.dataset import Labels
from train.policy import mean_cost
from train.quality import Quality

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


def show_summary(console: Console, y: Labels, entries: Sequence[Entry], chosen: Trial, policy: Policy) -> None:
    """Print one column per candidate and per baseline; y: outcomes of the hold-out, shape (n,)."""
    table = Table(caption="* chosen: the smallest log loss over the folds", caption_justify="left")
    table.add_column("", no_wrap=True)
    for entry in entries:
        is_chosen = entry.trial is chosen
        title = entry.trial.candidate.title + (" *" if is_chosen else "")
        table.add_column(title, justify="right", style="bold" if is_chosen else "")
    table.add_column("Accept all", justify="right")
    table.add_column("Refuse all", justify="right")

    table.add_row(f"{FOLDS}-fold log loss", *(f"{entry.trial.log_loss:.4f}" for entry in entries))
    table.add_row(f"{FOLDS}-fold AUC", *(f"{entry.trial.auc:.4f}" for entry in entries), end_section=True)
    table.add_row(f"[italic]hold-out, {len(y):,} rows[/italic]")
    baselines = [
        {"acceptance_rate": float(decision == 0), "cost_per_applicant": mean_cost(y, np.full(len(y), decision), policy)}
        for decision in (0, 2)
    ]
    columns = [*(entry.quality.as_dict() for entry in entries), *baselines]
    for name, title in METRICS.items():
        table.add_row(title, *(f"{column[name]:.4f}" if name in column else "" for column in columns))
    console.print(table)
