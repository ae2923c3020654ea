"""Calibration: truth passes, a distortion is measured for what it is, and the gate stops what noise can't explain."""

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


def test_true_probabilities_are_perfect_within_their_intervals(drawn: Drawn) -> None:
    """Ratio and slope hold 1, the intercept 0, the error is what chance shows; each group holds its probability."""
    found = measure_calibration(*drawn, seed=0)

    assert not found.ratio.excludes(1.0)
    assert not found.slope.excludes(1.0)
    assert not found.intercept.excludes(0.0)
    assert found.error < 2 * found.noise_error
    assert sum(not group.rate.excludes(group.probability) for group in found.groups) >= 9
    check_calibration(found)


def test_groups_part_the_rows(drawn: Drawn) -> None:
    """Ten of equal count, ascending; fewer where many have the same probability."""
    y, probability = drawn
    groups = measure_calibration(y, probability, seed=0).groups
    few = measure_calibration(y, probability.round(1), seed=0).groups

    assert [ROWS // 10] * 10 == [group.count for group in groups]
    assert ROWS == sum(group.count for group in few)
    means = [group.probability for group in groups]
    assert sorted(means) == means


def test_too_confident_probabilities_have_a_slope_below_one(drawn: Drawn) -> None:
    """Log-odds doubled and raised by one: slope ½, intercept −½."""
    y, probability = drawn

    found = measure_calibration(y, expit(2 * logit(probability) + 1), seed=0)

    assert pytest.approx(0.5, abs=0.05) == found.slope.value
    assert pytest.approx(-0.5, abs=0.05) == found.intercept.value


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_the_gate_stops_what_is_off_and_says_what_to_do(drawn: Drawn, factor: float) -> None:
    """Ten percent too low or too high on many rows: a sentence with the value, what was expected and the next step."""
    y, probability = drawn

    with pytest.raises(TrainingError, match=r"expected 0\.95 to 1\.05 .* nothing was written: fit without"):
        check_calibration(measure_calibration(y, probability * factor, seed=0))


def test_a_small_hold_out_that_noise_explains_stops_nobody(drawn: Drawn) -> None:
    """On 60 rows the ratio is often outside the gate by chance."""
    y, probability = drawn
    outside = 0
    for start in range(0, 900, 60):
        found = measure_calibration(y[start : start + 60], probability[start : start + 60], seed=0)
        outside += not 0.95 <= found.ratio.value <= 1.05
        if not found.ratio.excludes(1.0):
            check_calibration(found)

    assert outside > 3


def test_one_probability_for_all_has_no_slope() -> None:
    """A constant model: nothing to regress on, and nothing breaks."""
    found = measure_calibration(np.array([0, 1] * 50), np.full(100, 0.5), seed=0)

    assert np.isnan(found.slope.value)
    assert 1 == len(found.groups)
