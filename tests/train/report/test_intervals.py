"""Confidence intervals: published values and empirical coverage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from train.report.intervals import (
    Estimate,
    auc,
    mean,
    percentile_interval,
    proportion,
    ratio_of_means,
    ratio_of_proportions,
    resample,
)

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
    """Proportions, means, their ratios, and AUC, of samples from known populations."""
    random = np.random.default_rng(0)
    kinds: dict[str, tuple[list[Estimate], float]] = {
        "proportion": ([], 0.3),
        "ratio": ([], 0.75),
        "mean": ([], 1.0),
        "ratio of means": ([], 1.0),
        "auc": ([], 0.76024994),
    }
    for _ in range(N_TRIALS):
        y = (random.random(400) < 0.3).astype(np.int64)
        other = int((random.random(300) < 0.4).sum())
        probability = random.beta(2, 5, 400)
        kinds["proportion"][0].append(proportion(int(y.sum()), 400))
        kinds["ratio"][0].append(ratio_of_proportions(int(y.sum()), 400, other, 300))
        kinds["mean"][0].append(mean(random.exponential(size=300)))
        drawn = (random.random(400) < probability).astype(np.float64)
        kinds["ratio of means"][0].append(ratio_of_means(probability, drawn))
        # Two normal distributions one standard deviation apart: AUC = Φ(1/√2).
        kinds["auc"][0].append(auc(y, random.normal(size=400) + y))

    assert {kind: coverage(*found) for kind, found in kinds.items() if coverage(*found) < MIN_COVERAGE} == {}


def test_auc_agrees_with_scikit_learn_on_ties() -> None:
    """Five distinct scores; NaN if one class is absent."""
    random = np.random.default_rng(1)
    y, scores = random.integers(0, 2, 500), random.integers(0, 5, 500).astype(float)

    assert auc(y, scores).value == pytest.approx(roc_auc_score(y, scores))
    assert np.isnan(auc(np.zeros(5, np.int64), scores[:5]).value)


def test_a_count_of_zero_gives_a_finite_ratio() -> None:
    """Nobody accepted in a group: 1 is added to all counts."""
    found = ratio_of_proportions(0, 60, 30, 60)

    assert 0 < found.low < found.value < found.high < 0.5


def test_resamples_draw_every_row_once_on_average() -> None:
    """Weights add up to the number of rows, and are the same for the same seed."""
    draws = list(resample(50, 7))

    assert {int(weights.sum()) for weights in draws} == {50}
    assert np.mean(draws, axis=0).mean() == pytest.approx(1.0, abs=0.05)
    np.testing.assert_array_equal(draws[3], list(resample(50, 7))[3])


def test_the_percentile_interval_leaves_out_2_5_percent_on_each_side() -> None:
    """Of 0 to 1000, evenly spaced."""
    found = percentile_interval(500.0, np.arange(1001.0))

    assert (found.value, found.low, found.high) == pytest.approx((500.0, 25.0, 975.0))
