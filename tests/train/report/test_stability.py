"""The stability index: a distance, with the noise it has and the truth within its interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.bins import Bins
from model.contract import Field
from train.bins import bin_numbers
from train.report.stability import compare_counts, measure_shift, measure_shifts, psi

COUNTS = arrays(np.int64, 6, elements=st.integers(0, 1000))
TRIES = 200
SHARES = np.array([0.1, 0.2, 0.3, 0.25, 0.15])
MOVED = np.array([0.15, 0.25, 0.3, 0.2, 0.1])


@given(COUNTS, COUNTS)
def test_the_index_is_a_distance(one: np.ndarray, other: np.ndarray) -> None:
    """Never negative, nothing from itself, the same both ways."""
    assert psi(one, other) >= 0
    assert 0 == psi(one, one)
    assert pytest.approx(psi(one, other)) == psi(other, one)


@given(COUNTS, COUNTS)
def test_the_index_lies_in_its_interval(one: np.ndarray, other: np.ndarray) -> None:
    """Whatever the counts; nothing but two empty groups can't be compared."""
    one, other = one + (one.sum() == 0), other + (other.sum() == 0)

    shift = compare_counts("", list("abcdef"), one, other)

    assert 0 <= shift.psi.low <= shift.psi.value <= shift.psi.high
    assert len(shift.names) == len(shift.before) == len(shift.after)
    assert pytest.approx((1.0, 1.0)) == (sum(shift.before), sum(shift.after))


def test_noise_is_what_samples_without_a_shift_stay_below() -> None:
    """About 95 of 100 pairs of samples from one population; nothing of it is called moved."""
    random = np.random.default_rng(0)
    names = list("abcde")
    shifts = [
        compare_counts("", names, random.multinomial(2000, SHARES), random.multinomial(250, SHARES))
        for _ in range(TRIES)
    ]

    assert pytest.approx(0.95, abs=0.04) == np.mean([shift.psi.value <= shift.noise for shift in shifts])
    assert {"stable"} == {shift.verdict for shift in shifts}


def test_the_interval_holds_the_true_index() -> None:
    """About 95 of 100 intervals hold the index of the populations themselves, which single samples overstate."""
    random = np.random.default_rng(1)
    truth = float(np.sum((MOVED - SHARES) * np.log(MOVED / SHARES)))
    shifts = [
        compare_counts("", list("abcde"), random.multinomial(1500, SHARES), random.multinomial(400, MOVED))
        for _ in range(TRIES)
    ]

    assert np.mean([shift.psi.low <= truth <= shift.psi.high for shift in shifts]) > 0.9


@pytest.mark.parametrize(("after", "verdict"), [([500, 500], "stable"), ([320, 680], "watch"), ([250, 750], "moved")])
def test_thresholds_are_a_tenth_and_a_quarter(after: list[int], verdict: str) -> None:
    """On a thousand people noise explains little."""
    shift = compare_counts("", ["a", "b"], np.array([500, 500]), np.array(after))

    assert verdict == shift.verdict


def test_a_large_index_of_few_people_is_noise() -> None:
    """Eight people can't show a shift."""
    shift = compare_counts("", list("abcde"), (SHARES * 2000).astype(int), np.array([3, 1, 1, 1, 2]))

    assert shift.psi.value > 0.25
    assert "stable" == shift.verdict
    assert 0 == shift.psi.low


def test_a_new_level_and_a_new_gap_are_shifts_of_their_own() -> None:
    """They have bins, named so that people find them."""
    home = Field("home", "Home", "", "category", ("own", "rent"), None, None, True, "Home")
    values = np.array([0.0] * 60 + [1.0] * 60 + [-1.0] * 40 + [np.nan] * 40)

    shift = measure_shift("Home", Bins((500, 500), 0, (), ((0,), (1,))), values, home)

    assert ("own", "rent", "missing", "unknown level") == shift.names
    assert pytest.approx((0.3, 0.3, 0.2, 0.2)) == shift.after
    assert "moved" == shift.verdict


def test_the_population_of_the_bins_itself_has_not_moved() -> None:
    """The applicants that the bins were made of: next to nothing, and stable."""
    values = np.random.default_rng(0).lognormal(3, 1, (2000, 1))
    income = Field("income", "Income", "EUR", "number", (), None, None, True, "Income")

    (shift,) = measure_shifts([income], [bin_numbers(values[:, 0])], values)

    assert "stable" == shift.verdict
    assert shift.psi.value < 1e-12
