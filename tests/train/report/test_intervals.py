"""Confidence intervals of ratios and means: their empirical coverage."""

from __future__ import annotations

import numpy as np
import pytest

from model.estimates import Estimate
from train.report.intervals import mean, percentile_interval, ratio_of_means, ratio_of_proportions, resample

N_TRIALS = 400
MIN_COVERAGE = 0.91
"""The coverage of 400 correct 95% intervals is below this less than once in a thousand times."""


def coverage(estimates: list[Estimate], truth: float) -> float:
    """The share of intervals that contain the true value."""
    return float(np.mean([not estimate.excludes(truth) for estimate in estimates]))


def test_intervals_have_their_nominal_coverage() -> None:
    """Means and ratios of samples from known populations."""
    random = np.random.default_rng(0)
    kinds: dict[str, tuple[list[Estimate], float]] = {
        "ratio": ([], 0.75),
        "mean": ([], 1.0),
        "ratio of means": ([], 1.0),
    }
    for _ in range(N_TRIALS):
        y = (random.random(400) < 0.3).astype(np.int64)
        other = int((random.random(300) < 0.4).sum())
        probability = random.beta(2, 5, 400)
        kinds["ratio"][0].append(ratio_of_proportions(int(y.sum()), 400, other, 300))
        kinds["mean"][0].append(mean(random.exponential(size=300)))
        drawn = (random.random(400) < probability).astype(np.float64)
        kinds["ratio of means"][0].append(ratio_of_means(probability, drawn))

    assert {kind: coverage(*found) for kind, found in kinds.items() if coverage(*found) < MIN_COVERAGE} == {}


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
