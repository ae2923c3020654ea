"""The race as a part of tuning; test_model_selection_extra.py checks the search."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from train.candidates import CANDIDATES
from train.card import CardField
from train.cross_validation import Trial, cross_validate
from train.dataset import Dataset
from train.model_selection import RACE_SECONDS, SearchBudget, tune_candidates

FIELDS = [CardField(name, "number", nullable=True, reason=name) for name in "ab"]
RACING = replace(
    CANDIDATES["boosting"],
    settings=CANDIDATES["boosting"].settings | {"max_iter": 10},
    race=({"max_iter": 15, "learning_rate": 0.1}, {"max_iter": 15, "max_leaf_nodes": 16}),
)


@pytest.fixture(scope="module")
def data() -> Dataset:
    """300 applicants with two fields."""
    random = np.random.default_rng(2)
    X = random.normal(size=(300, len(FIELDS)))
    return Dataset(X, (X.sum(axis=1) + random.normal(size=300) > 0).astype(np.int64))


def run(data: Dataset, budget: SearchBudget) -> tuple[list[Trial], list[Trial], str]:
    """The best trials, all that were recorded, and what was printed."""
    records: list[Trial] = []
    console = Console(file=io.StringIO(), soft_wrap=True)
    candidates = [CANDIDATES["logistic"], RACING]
    best = tune_candidates(candidates, data, FIELDS, 0, budget, records.append, console)
    assert isinstance(console.file, io.StringIO)
    return best, records, console.file.getvalue()


def test_the_winner_of_a_race_is_the_best_trial_of_its_candidate(data: Dataset) -> None:
    """All trials are recorded; what the race did, and its limit, are told."""
    best, records, printed = run(data, SearchBudget())

    assert [trial.candidate.name for trial in best] == ["logistic", "boosting"]
    assert best[0] == cross_validate(CANDIDATES["logistic"], data, FIELDS, 0)
    assert all(trial.is_complete for trial in best)
    assert all(any(trial is one for one in records) for trial in best)
    assert "Boosting: a race of " in printed
    assert f"limit {RACE_SECONDS:g} s; best: log loss {best[1].log_loss:.4f} with learning_rate" in printed


def test_a_time_limit_is_told_where_it_ends_the_race(data: Dataset) -> None:
    """The default settings are measured without time for more."""
    best, _, printed = run(data, SearchBudget(seconds=1e-9))

    assert best[1].settings == RACING.settings
    assert "the time limit of 1e-09 s ended it; best so far: log loss" in printed
