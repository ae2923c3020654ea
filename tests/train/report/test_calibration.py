"""Calibration: perfect probabilities pass, known distortions are measured, and a model is rejected beyond noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from train.report.calibration import measure_calibration

ROWS = 20_000
Drawn = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """Outcomes drawn from their probabilities: y, probability."""
    random = np.random.default_rng(0)
    probability = random.beta(2, 6, ROWS)
    return (random.random(ROWS) < probability).astype(np.int64), probability


def test_true_probabilities_are_calibrated_within_the_intervals(drawn: Drawn) -> None:
    """Ratio, slope and intercept include their ideal values; the error is at noise level; so are the bins."""
    found = measure_calibration(*drawn, seed=0)

    assert not found.ratio.excludes(1.0)
    assert not found.slope.excludes(1.0)
    assert not found.intercept.excludes(0.0)
    assert found.error < 2 * found.noise_error
    assert sum(not one.default_rate.excludes(one.mean_probability) for one in found.bins) >= 9
    assert not found.is_rejected


def test_bins_partition_the_rows(drawn: Drawn) -> None:
    """Ten bins of equal count in ascending order; fewer if many rows have the same probability."""
    y, probability = drawn
    bins = measure_calibration(y, probability, seed=0).bins
    fewer = measure_calibration(y, probability.round(1), seed=0).bins

    assert [one.count for one in bins] == [ROWS // 10] * 10
    assert len(fewer) < 10
    assert sum(one.count for one in fewer) == ROWS
    means = [one.mean_probability for one in bins]
    assert sorted(means) == means


def test_overconfident_probabilities_have_a_slope_below_one(drawn: Drawn) -> None:
    """Log-odds multiplied by 2 and raised by 1: slope 0.5, intercept −0.5."""
    y, probability = drawn

    found = measure_calibration(y, expit(2 * logit(probability) + 1), seed=0)

    assert found.slope.value == pytest.approx(0.5, abs=0.05)
    assert found.intercept.value == pytest.approx(-0.5, abs=0.05)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_miscalibration_beyond_noise_is_rejected(drawn: Drawn, factor: float) -> None:
    """10% too low or too high on 20,000 rows."""
    y, probability = drawn

    assert measure_calibration(y, probability * factor, seed=0).is_rejected


@settings(max_examples=20)
@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.booleans(), st.integers(1, 4)), min_size=20, max_size=60))
def test_integer_weights_are_repeated_rows(rows: list[tuple[float, bool, int]]) -> None:
    """Point figures of a row with weight 2 are those of two rows."""
    probability = np.array([row[0] for row in rows])
    y = np.array([row[1] for row in rows]).astype(np.int64)
    counts = np.array([row[2] for row in rows])
    assume(0 < y.sum() < len(y))

    weighted = measure_calibration(y, probability, 0, counts.astype(np.float64))
    repeated = measure_calibration(np.repeat(y, counts), np.repeat(probability, counts), 0)

    assert weighted.ratio.value == pytest.approx(repeated.ratio.value)
    assert weighted.error == pytest.approx(repeated.error)
    means = [(one.mean_probability, one.default_rate.value) for one in weighted.bins]
    assert means == [pytest.approx((one.mean_probability, one.default_rate.value)) for one in repeated.bins]
    if abs(repeated.slope.value) < 50:
        assert weighted.slope.value == pytest.approx(repeated.slope.value, abs=1e-4)
        assert weighted.intercept.value == pytest.approx(repeated.intercept.value, abs=1e-4)


def test_intervals_with_weights_are_as_wide_as_their_rows_allow(drawn: Drawn) -> None:
    """All weights 4 are no information: intervals are those of the rows, not of four times as many."""
    y, probability = drawn[0][:2_000], drawn[1][:2_000]

    plain = measure_calibration(y, probability, seed=0)
    weighted = measure_calibration(y, probability, 0, np.full(len(y), 4.0))

    for name in ("ratio", "slope", "intercept"):
        one, other = getattr(plain, name), getattr(weighted, name)
        assert other.high - other.low == pytest.approx(one.high - one.low, rel=0.05)


def test_a_constant_probability_has_no_slope() -> None:
    """The regression is not defined: NaN, and one bin."""
    found = measure_calibration(np.array([0, 1] * 50), np.full(100, 0.5), seed=0)

    assert np.isnan(found.slope.value)
    assert len(found.bins) == 1
