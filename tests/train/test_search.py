"""The search for better settings."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from train.candidates import CANDIDATES, Span
from train.card import CardField
from train.choose import FOLDS, Trial, try_candidate
from train.dataset import Dataset
from train.search import distribution, search

FIELDS = [CardField(name, "number", nullable=True, reason=name) for name in "abcd"]
POOR = replace(CANDIDATES["logistic"], settings={"C": 0.001})
QUICK = replace(
    CANDIDATES["boosting"], settings=CANDIDATES["boosting"].settings | {"max_iter": 5}, space={"max_iter": Span(1, 9)}
)


@pytest.fixture(scope="module")
def data() -> Dataset:
    """Applicants whose outcome hangs on two of four fields."""
    random = np.random.default_rng(1)
    X = random.normal(size=(300, len(FIELDS)))
    return Dataset(X, (X[:, 0] - X[:, 1] + random.normal(size=300) > 0).astype(np.int64))


@pytest.fixture(scope="module")
def poor(data: Dataset) -> Trial:
    """Logistic regression with far too much regularization."""
    return try_candidate(POOR, data, FIELDS, 0)


def test_the_same_seed_tries_the_same_settings_and_another_one_others(data: Dataset, poor: Trial) -> None:
    """A search can be repeated to the bit."""
    one, two, other = (list(search(poor, data, FIELDS, seed, 12)) for seed in (3, 3, 4))

    assert one == two
    assert [trial.settings for trial in one] != [trial.settings for trial in other]


def test_a_search_improves_on_poor_settings_within_the_space(data: Dataset, poor: Trial) -> None:
    """It looks where it was told and finds better."""
    trials = list(search(poor, data, FIELDS, 0, 12))

    assert 12 == len(trials)
    assert min(trial.log_loss for trial in trials) < poor.log_loss - 0.05
    assert all(1e-3 <= trial.settings["C"] <= 1e2 for trial in trials)


def test_settings_that_are_no_part_of_the_space_keep_their_value(data: Dataset) -> None:
    """Only what is searched moves, and whole numbers stay whole."""
    first = try_candidate(QUICK, data, FIELDS, 0)

    for trial in search(first, data, FIELDS, 0, 4):
        assert isinstance(trial.settings["max_iter"], int)
        assert QUICK.settings == trial.settings | {"max_iter": 5}


def test_the_deadline_is_kept_between_folds(data: Dataset, poor: Trial) -> None:
    """The clock is looked at before each trial and after each fold; a trial under way is dropped."""
    ticks = itertools.count(1)
    folds: list[int] = []
    looks = FOLDS + 1

    trials = list(
        search(poor, data, FIELDS, 0, 1000, 3 * looks + 3, lambda: folds.append(1), clock=lambda: float(next(ticks)))
    )

    assert 3 == len(trials)
    assert 3 * FOLDS + 2 == len(folds)


def test_nothing_more_is_tried_after_the_deadline_or_without_runs(data: Dataset, poor: Trial) -> None:
    """No fit is begun."""
    assert [] == list(search(poor, data, FIELDS, 0, 1000, deadline=1.0, clock=lambda: 2.0))
    assert [] == list(search(poor, data, FIELDS, 0, 0))


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (Span(1, 9), "IntDistribution(high=9, log=False, low=1, step=1)"),
        (Span(5, 200, log=True), "IntDistribution(high=200, log=True, low=5, step=1)"),
        (Span(0.1, 1.0), "FloatDistribution(high=1.0, log=False, low=0.1, step=None)"),
        (Span(0.1, 1.0, log=True), "FloatDistribution(high=1.0, log=True, low=0.1, step=None)"),
    ],
)
def test_a_span_is_said_in_optunas_words(span: Span, expected: str) -> None:
    """Whole where both ends are, logarithmic where it says so."""
    assert expected == repr(distribution(span))
