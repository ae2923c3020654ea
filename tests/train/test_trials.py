"""The best trial of each candidate."""

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
from train.choose import FOLDS, Trial
from train.dataset import Dataset
from train.trials import Effort, try_all

FIELDS = [CardField(name, "number", nullable=True, reason=name) for name in "ab"]


class Witness(LogisticRegression):  # type: ignore[misc]
    """Logistic regression that tells what it was fitted on, and is interrupted before a certain fit."""

    fits: list[bytes]
    interrupted_at: int | None

    def fit(self, X: Any, y: Any) -> Witness:
        """Tell, then fit."""
        if len(Witness.fits) == Witness.interrupted_at:
            raise KeyboardInterrupt
        Witness.fits.append(y.tobytes())
        super().fit(X, y)
        return self


WITNESS = replace(CANDIDATES["logistic"], estimator=lambda fields, seed: Witness(random_state=seed))
OTHER = replace(WITNESS, name="other", settings={"C": 0.01})


@pytest.fixture(autouse=True)
def _forget() -> None:
    Witness.fits, Witness.interrupted_at = [], None


@pytest.fixture(scope="module")
def data() -> Dataset:
    """Applicants in an order that tells their rows apart."""
    random = np.random.default_rng(2)
    X = random.normal(size=(200, len(FIELDS)))
    return Dataset(X, (X.sum(axis=1) + random.normal(size=200) > 0).astype(np.int64))


def run(data: Dataset, effort: Effort, candidates: list[Candidate]) -> tuple[list[Trial], list[Trial], str]:
    """The best trials, all that were recorded, and what was printed."""
    records: list[Trial] = []
    console = Console(file=io.StringIO(), soft_wrap=True)
    best = try_all(candidates, data, FIELDS, 0, effort, records.append, console)
    assert isinstance(console.file, io.StringIO)
    return best, records, console.file.getvalue()


def test_every_trial_of_every_candidate_has_the_same_folds(data: Dataset) -> None:
    """Otherwise luck would choose."""
    _, records, _ = run(data, Effort(4), [WITNESS, OTHER])

    assert 8 == len(records)
    assert 8 * FOLDS == len(Witness.fits)
    assert FOLDS == len(set(Witness.fits))
    assert Witness.fits == Witness.fits[:FOLDS] * 8


def test_the_best_of_each_candidate_is_returned_in_their_order_and_all_are_recorded(data: Dataset) -> None:
    """The default settings are among them, and first."""
    best, records, printed = run(data, Effort(5), [WITNESS, OTHER])

    assert ["logistic", "other"] == [trial.candidate.name for trial in best]
    for candidate, trial in zip([WITNESS, OTHER], best, strict=True):
        own = [one for one in records if one.candidate is candidate]
        assert 5 == len(own)
        assert candidate.settings == own[0].settings
        assert min(one.log_loss for one in own) == trial.log_loss
    assert 2 == printed.count("with the best of 5 runs")


def test_a_time_limit_ends_the_search_but_not_the_default_settings(data: Dataset) -> None:
    """Every candidate has its say, however little time there is."""
    best, records, printed = run(data, Effort(1000, seconds=1e-9), [WITNESS, OTHER])

    assert best == records
    assert [WITNESS.settings, OTHER.settings] == [trial.settings for trial in best]
    assert "with the best of 1 runs" in printed


def test_ctrl_c_ends_the_search_and_keeps_the_best_so_far(data: Dataset) -> None:
    """What was found isn't lost, and candidates that took turns had the same chance."""
    Witness.interrupted_at = (2 + 3) * FOLDS + 2

    best, records, printed = run(data, Effort(50), [WITNESS, OTHER])

    assert ["logistic", "other", "logistic", "other", "logistic"] == [trial.candidate.name for trial in records]
    for candidate, trial in zip([WITNESS, OTHER], best, strict=True):
        assert min(one.log_loss for one in records if one.candidate is candidate) == trial.log_loss
    assert "Interrupted: the search ends here and training goes on" in printed


def test_ctrl_c_among_the_default_settings_stops(data: Dataset) -> None:
    """There is nothing to choose from yet."""
    Witness.interrupted_at = FOLDS + 1

    with pytest.raises(KeyboardInterrupt):
        run(data, Effort(50), [WITNESS, OTHER])
