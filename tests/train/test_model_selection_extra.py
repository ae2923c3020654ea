"""Tuning of all candidates."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from sklearn.linear_model import LogisticRegression

from train.candidates import CANDIDATES, Candidate
from train.card import CardField
from train.cross_validation import Trial
from train.dataset import Dataset
from train.folds import FOLDS
from train.model_selection import SearchBudget, tune_candidates

FIELDS = [CardField(name, "number", nullable=True, reason=name) for name in "ab"]


class RecordingLogistic(LogisticRegression):  # type: ignore[misc]
    """Logistic regression that records the outcomes of each fit, and is interrupted before a certain fit."""

    fits: list[bytes]
    interrupted_at: int | None

    def fit(self, X: Any, y: Any) -> RecordingLogistic:
        """Record, then fit."""
        if len(RecordingLogistic.fits) == RecordingLogistic.interrupted_at:
            raise KeyboardInterrupt
        RecordingLogistic.fits.append(y.tobytes())
        super().fit(X, y)
        return self


RECORDING = replace(CANDIDATES["logistic"], estimator=lambda fields, seed: RecordingLogistic(random_state=seed))
OTHER = replace(RECORDING, name="other", settings={"C": 0.01})


@pytest.fixture(autouse=True)
def _reset() -> None:
    RecordingLogistic.fits, RecordingLogistic.interrupted_at = [], None


@pytest.fixture(scope="module")
def data() -> Dataset:
    """200 applicants with two fields."""
    random = np.random.default_rng(2)
    X = random.normal(size=(200, len(FIELDS)))
    return Dataset(X, (X.sum(axis=1) + random.normal(size=200) > 0).astype(np.int64))


def run(data: Dataset, budget: SearchBudget, candidates: list[Candidate]) -> tuple[list[Trial], list[Trial], str]:
    """The best trials, all that were recorded, and what was printed."""
    records: list[Trial] = []
    console = Console(file=io.StringIO(), soft_wrap=True)
    best = tune_candidates(candidates, data, FIELDS, 0, budget, records.append, console)
    assert isinstance(console.file, io.StringIO)
    return best, records, console.file.getvalue()


def test_every_trial_of_every_candidate_has_the_same_folds(data: Dataset) -> None:
    """Log losses on different folds couldn't be compared."""
    _, records, _ = run(data, SearchBudget(4), [RECORDING, OTHER])

    assert len(records) == 8
    assert len(RecordingLogistic.fits) == 8 * FOLDS
    assert len(set(RecordingLogistic.fits)) == FOLDS
    assert RecordingLogistic.fits == RecordingLogistic.fits[:FOLDS] * 8


def test_the_best_of_each_candidate_is_returned_in_their_order_and_all_are_recorded(data: Dataset) -> None:
    """The default settings are tried first."""
    best, records, printed = run(data, SearchBudget(5), [RECORDING, OTHER])

    assert [trial.candidate.name for trial in best] == ["logistic", "other"]
    for candidate, trial in zip([RECORDING, OTHER], best, strict=True):
        own = [one for one in records if one.candidate is candidate]
        assert len(own) == 5
        assert candidate.settings == own[0].settings
        assert min(one.log_loss for one in own) == trial.log_loss
    assert printed.count("with the best of 5 trials") == 2


def test_a_time_limit_ends_the_search_but_not_the_default_settings(data: Dataset) -> None:
    """Without time left, the best trial of each candidate is the one of its default settings."""
    best, records, printed = run(data, SearchBudget(1000, seconds=1e-9), [RECORDING, OTHER])

    assert best == records
    assert [RECORDING.settings, OTHER.settings] == [trial.settings for trial in best]
    assert "with the best of 1 trials" in printed


def test_ctrl_c_ends_the_search_and_keeps_the_best_so_far(data: Dataset) -> None:
    """Candidates take turns, and finished trials are kept."""
    RecordingLogistic.interrupted_at = (2 + 3) * FOLDS + 2

    best, records, printed = run(data, SearchBudget(50), [RECORDING, OTHER])

    assert [trial.candidate.name for trial in records] == ["logistic", "other", "logistic", "other", "logistic"]
    for candidate, trial in zip([RECORDING, OTHER], best, strict=True):
        assert min(one.log_loss for one in records if one.candidate is candidate) == trial.log_loss
    assert "Interrupted: the search ends here and training goes on" in printed


def test_ctrl_c_during_the_default_settings_stops_training(data: Dataset) -> None:
    """Not every candidate has a trial to choose yet."""
    RecordingLogistic.interrupted_at = FOLDS + 1

    with pytest.raises(KeyboardInterrupt):
        run(data, SearchBudget(50), [RECORDING, OTHER])
