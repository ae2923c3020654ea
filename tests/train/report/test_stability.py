"""Population stability index: properties, sampling noise, coverage of the interval, and limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.bins import Bins
from model.contract import Field
from model.stability import FALSE_ALARMS, measure_noise
from train.bins import bin_numbers
from train.report.stability import compare_counts, measure_shift, measure_shifts

COUNTS = arrays(np.int64, 6, elements=st.integers(0, 1000))
N_TRIALS = 200
SHARES = np.array([0.1, 0.2, 0.3, 0.25, 0.15])
MOVED = np.array([0.15, 0.25, 0.3, 0.2, 0.1])


@given(COUNTS, COUNTS)
def test_the_index_lies_in_its_interval(one: np.ndarray, other: np.ndarray) -> None:
    """For any counts, of samples that are not empty."""
    one, other = one + (one.sum() == 0), other + (other.sum() == 0)

    shift = compare_counts("", list("abcdef"), one, other)

    assert 0 <= shift.psi.low <= shift.psi.value <= shift.psi.high
    assert len(shift.names) == len(shift.before) == len(shift.after)
    assert (sum(shift.before), sum(shift.after)) == pytest.approx((1.0, 1.0))


def test_the_noise_is_that_of_one_of_the_compared_indices() -> None:
    """It grows with their number, so that all of them together have no more false alarms."""
    before, after = (SHARES * 2000).astype(int), (MOVED * 250).astype(int)

    one, of_sixty = (compare_counts("", list("abcde"), before, after, compared) for compared in (1, 60))

    assert one.noise == measure_noise(before, after, FALSE_ALARMS)
    assert of_sixty.noise == measure_noise(before, after, FALSE_ALARMS / 60) > one.noise
    assert one.psi == of_sixty.psi


def test_the_interval_covers_the_index_of_the_populations() -> None:
    """In about 95% of samples, although the index of a sample overstates that of its population."""
    random = np.random.default_rng(1)
    truth = float(np.sum((MOVED - SHARES) * np.log(MOVED / SHARES)))
    shifts = [
        compare_counts("", list("abcde"), random.multinomial(1500, SHARES), random.multinomial(400, MOVED))
        for _ in range(N_TRIALS)
    ]

    assert np.mean([shift.psi.low <= truth <= shift.psi.high for shift in shifts]) > 0.9


@pytest.mark.parametrize(
    ("after", "verdict"), [([500, 500], "stable"), ([320, 680], "moderate shift"), ([250, 750], "significant shift")]
)
def test_the_limits_are_0_10_and_0_25(after: list[int], verdict: str) -> None:
    """On 1,000 applicants, where sampling noise is small."""
    shift = compare_counts("", ["a", "b"], np.array([500, 500]), np.array(after))

    assert shift.verdict == verdict


def test_a_large_index_of_a_small_sample_is_noise() -> None:
    """Eight applicants are too few to detect a shift."""
    shift = compare_counts("", list("abcde"), (SHARES * 2000).astype(int), np.array([3, 1, 1, 1, 2]))

    assert shift.psi.value > 0.25
    assert shift.verdict == "stable"
    assert shift.psi.low == 0


def test_unknown_levels_and_missing_values_have_bins() -> None:
    """Both are counted, and named in the shift."""
    home = Field("home", "Home", "", "category", ("own", "rent"), None, None, True, "Home")
    values = np.array([0.0] * 60 + [1.0] * 60 + [-1.0] * 40 + [np.nan] * 40)

    shift = measure_shift("Home", Bins((500, 500), 0, (), ((0,), (1,))), values, home, 1)

    assert shift.names == ("own", "rent", "missing", "unknown level")
    assert shift.after == pytest.approx((0.3, 0.3, 0.2, 0.2))
    assert shift.verdict == "significant shift"


def test_the_population_of_the_bins_has_not_shifted() -> None:
    """The applicants that the bins were made of have an index of 0."""
    values = np.random.default_rng(0).lognormal(3, 1, (2000, 1))
    income = Field("income", "Income", "EUR", "number", (), None, None, True, "Income")

    (shift,) = measure_shifts([income], [bin_numbers(values[:, 0])], values)

    assert shift.verdict == "stable"
    assert shift.psi.value < 1e-12
