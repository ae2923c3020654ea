"""Intervals: known values, and that they hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from train.report.intervals import Estimate, auc, mean, percentile, ratio_of_means, ratio_of_shares, resample, share

TRIES = 400
FEWEST_HITS = 0.91
"""Of 400 intervals at 95 %, fewer hold the truth less than once in a thousand."""


@given(whole=st.integers(1, 10_000), part=st.floats(0, 1))
def test_a_share_lies_in_its_interval_within_0_and_1(whole: int, part: float) -> None:
    """Also at 0 and 1, where simpler intervals have no width."""
    found = share(round(part * whole), whole)

    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low < found.high


def test_wilsons_interval_has_its_published_value() -> None:
    """81 of 263: 0.2553 to 0.3662 (Newcombe, Statistics in Medicine 17, 1998, table I)."""
    found = share(81, 263)

    assert pytest.approx((0.2553, 0.3662), abs=5e-5) == (found.low, found.high)


def test_a_share_of_nobody_can_be_anything() -> None:
    """No figure, the whole interval."""
    found = share(0, 0)

    assert np.isnan(found.value)
    assert (0.0, 1.0) == (found.low, found.high)


def hits(estimates: list[Estimate], truth: float) -> float:
    """How many intervals hold the truth."""
    return float(np.mean([not estimate.excludes(truth) for estimate in estimates]))


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Shares, ratios of shares, means, ratios of means and AUC of samples from a known population."""
    random = np.random.default_rng(0)
    kinds: dict[str, tuple[list[Estimate], float]] = {
        "share": ([], 0.3), "shares": ([], 0.75), "mean": ([], 1.0), "means": ([], 1.0), "auc": ([], 0.76024994)
    }  # fmt: skip
    for _ in range(TRIES):
        y = (random.random(400) < 0.3).astype(np.int64)
        other = int((random.random(300) < 0.4).sum())
        probability = random.beta(2, 5, 400)
        kinds["share"][0].append(share(int(y.sum()), 400))
        kinds["shares"][0].append(ratio_of_shares(int(y.sum()), 400, other, 300))
        kinds["mean"][0].append(mean(random.exponential(size=300)))
        drawn = (random.random(400) < probability).astype(np.float64)
        kinds["means"][0].append(ratio_of_means(probability, drawn))
        # Two normal distributions one deviation apart: AUC = Φ(1/√2).
        kinds["auc"][0].append(auc(y, random.normal(size=400) + y))

    assert {} == {kind: hits(*found) for kind, found in kinds.items() if hits(*found) < FEWEST_HITS}


def test_auc_is_the_librarys_with_ties_counted_half() -> None:
    """Few different scores, many ties."""
    random = np.random.default_rng(1)
    y, scores = random.integers(0, 2, 500), random.integers(0, 5, 500).astype(float)

    assert pytest.approx(roc_auc_score(y, scores)) == auc(y, scores).value
    assert np.isnan(auc(np.zeros(5, np.int64), scores[:5]).value)


def test_empty_cells_still_give_a_finite_ratio() -> None:
    """Nobody accepted in a group: half a person is counted."""
    found = ratio_of_shares(0, 60, 30, 60)

    assert 0 < found.low < found.value < found.high < 0.5


def test_resamples_draw_every_row_once_on_average_and_the_same_for_a_seed() -> None:
    """Weights add up to the rows."""
    draws = list(resample(50, 7))

    assert {50} == {int(weights.sum()) for weights in draws}
    assert pytest.approx(1.0, abs=0.05) == np.mean(draws, axis=0).mean()
    np.testing.assert_array_equal(draws[3], list(resample(50, 7))[3])


def test_a_percentile_interval_leaves_out_a_fortieth_on_each_side() -> None:
    """0 to 1000 evenly."""
    found = percentile(500.0, np.arange(1001.0))

    assert pytest.approx((500.0, 25.0, 975.0)) == (found.value, found.low, found.high)
