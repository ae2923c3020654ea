"""Calibration: perfect probabilities pass, known distortions are measured, and training stops beyond sampling noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from train.errors import TrainingError
from train.report.calibration import check_calibration, measure_calibration

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
    check_calibration(found)


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
def test_miscalibration_beyond_noise_stops_training(drawn: Drawn, factor: float) -> None:
    """10% too low or too high on 20,000 rows; the message has the value, the limits and the next step."""
    y, probability = drawn

    with pytest.raises(TrainingError, match=r"expected 0\.95 to 1\.05 .* nothing was written: fit without"):
        check_calibration(measure_calibration(y, probability * factor, seed=0))


def test_miscalibration_within_noise_does_not_stop_training(drawn: Drawn) -> None:
    """On 60 rows the ratio is often outside the limits by chance."""
    y, probability = drawn
    outside = 0
    for start in range(0, 900, 60):
        found = measure_calibration(y[start : start + 60], probability[start : start + 60], seed=0)
        outside += not 0.95 <= found.ratio.value <= 1.05
        if not found.ratio.excludes(1.0):
            check_calibration(found)

    assert outside > 3


def test_a_constant_probability_has_no_slope() -> None:
    """The regression is not defined: NaN, and one bin."""
    found = measure_calibration(np.array([0, 1] * 50), np.full(100, 0.5), seed=0)

    assert np.isnan(found.slope.value)
    assert len(found.bins) == 1
