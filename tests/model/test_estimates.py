"""Proportions and AUC with their intervals: published values and empirical coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

from model.estimates import Estimate, auc, proportion, rank

N_TRIALS = 400
MIN_COVERAGE = 0.91
"""The coverage of 400 correct 95% intervals is below this less than once in a thousand times."""


@given(whole=st.integers(1, 10_000), part=st.floats(0, 1))
def test_a_proportion_lies_in_its_interval_within_0_and_1(whole: int, part: float) -> None:
    """The interval has a width at 0 and 1 too, where the normal approximation has none."""
    found = proportion(round(part * whole), whole)

    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


def test_wilsons_interval_has_its_published_value() -> None:
    """81 of 263: 0.2553 to 0.3662 (Newcombe, Statistics in Medicine 17, 1998, table I)."""
    found = proportion(81, 263)

    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_a_proportion_of_no_rows_is_unknown() -> None:
    """NaN with the interval from 0 to 1."""
    found = proportion(0, 0)

    assert np.isnan(found.value)
    assert (found.low, found.high) == (0.0, 1.0)


def coverage(estimates: list[Estimate], truth: float) -> float:
    """The share of intervals that contain the true value."""
    return float(np.mean([not estimate.excludes(truth) for estimate in estimates]))


def test_intervals_have_their_nominal_coverage() -> None:
    """Of proportions and AUC; two normal distributions one standard deviation apart have AUC = Φ(1/√2)."""
    random = np.random.default_rng(0)
    proportions, areas = [], []
    for _ in range(N_TRIALS):
        y = (random.random(400) < 0.3).astype(np.int64)
        proportions.append(proportion(int(y.sum()), 400))
        areas.append(auc(y, random.normal(size=400) + y))

    assert coverage(proportions, 0.3) >= MIN_COVERAGE
    assert coverage(areas, 0.76024994) >= MIN_COVERAGE


@given(arrays(np.float64, st.integers(1, 30), elements=st.integers(0, 5).map(float)))
def test_ranks_agree_with_scipy(values: np.ndarray) -> None:
    """Equal values share the mean of their ranks."""
    np.testing.assert_array_equal(rank(values), rankdata(values))


def test_auc_agrees_with_scikit_learn_on_ties() -> None:
    """Five distinct scores; NaN if one class is absent."""
    random = np.random.default_rng(1)
    y, scores = random.integers(0, 2, 500), random.integers(0, 5, 500).astype(float)

    assert auc(y, scores).value == pytest.approx(roc_auc_score(y, scores))
    assert np.isnan(auc(np.zeros(5, np.int64), scores[:5]).value)
