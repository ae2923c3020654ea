"""Scores are the most likely ones in the stated order of risk, and their rounding keeps the order and the mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.isotonic import isotonic_regression

from model.calibration import expit
from train.fitted.steps import Matrix
from train.scorecard.rounding import round_terms
from train.scorecard.terms import Term, add_up, fit_terms, project

SCORES = arrays.arrays(np.float64, (4, 5), elements=st.floats(-5, 5))


@given(
    scores=SCORES, weight=arrays.arrays(np.float64, (4, 5), elements=st.floats(0.01, 5)), sign=st.sampled_from([1, -1])
)
def test_one_direction_is_isotonic_regression(scores: Matrix, weight: Matrix, sign: int) -> None:
    """Of each line; the last cell, of missing values, is free."""
    expected = scores.copy()
    for line, own in zip(expected, weight, strict=True):
        line[:-1] = isotonic_regression(line[:-1], sample_weight=own[:-1], increasing=sign > 0)

    np.testing.assert_allclose(project(scores, weight, (0, sign)), expected, atol=1e-9)


@given(scores=SCORES, first=st.sampled_from([1, -1]), second=st.sampled_from([1, -1]))
def test_both_directions_of_a_table_hold(scores: Matrix, first: int, second: int) -> None:
    """For every value of the other field, missing values included."""
    found = project(scores, np.ones_like(scores), (first, second))

    assert (first * np.diff(found[:-1], axis=0) >= 0).all()
    assert (second * np.diff(found[:, :-1], axis=1) >= 0).all()


def test_without_penalty_a_single_term_has_the_default_rates_of_its_bins() -> None:
    """The likelihood's optimum."""
    random = np.random.default_rng(0)
    places = random.integers(0, 3, 900)
    y = (random.random(900) < np.array([0.1, 0.3, 0.6])[places]).astype(np.int64)
    term = Term(places, np.zeros(3), (0,), 1e-9, np.zeros(3))

    intercept = fit_terms([term], y, np.ones(900))

    rates = [y[places == place].mean() for place in range(3)]
    np.testing.assert_allclose(expit(intercept + term.scores), rates, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), factor=st.sampled_from([3.0, 28.85, 300.0]))
def test_rounding_keeps_the_mean_probability_and_the_order(seed: int, factor: float) -> None:
    """To far less than a whole point of the base would allow."""
    random = np.random.default_rng(seed)
    terms = [
        Term(random.integers(0, 9, 1500), project(random.normal(0, 0.7, 9), np.ones(9), (way,)), (way,), 0, np.zeros(9))
        for way in (1, -1, 0, 0, 0, 0)
    ]
    intercept, weight = float(random.normal(-1, 1)), random.uniform(0.5, 2, 1500)
    aimed = expit(add_up(intercept, terms))

    rounded = round_terms(terms, intercept, 487.5, factor, weight)

    points = np.full(1500, rounded.base)
    for term, own in zip(terms, rounded.points, strict=True):
        points += own[term.places]
    assert np.average(expit((487.5 - points) / factor), weights=weight) == pytest.approx(
        np.average(aimed, weights=weight), abs=0.02 / factor
    )
    assert (np.diff(rounded.points[0][:-1]) <= 0).all()
    assert (np.diff(rounded.points[1][:-1]) >= 0).all()
