"""Population stability index: a distance, its noise, and at most 1 % false alarms however much is compared."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chi2

from model.bins import MIN_COUNT, Bins, published_counts
from model.stability import (
    FALSE_ALARMS,
    MODERATE_SHIFT,
    chi2_quantile,
    chi2_tail,
    measure_chance,
    measure_noise,
    name_shift,
    psi,
)

COUNTS = arrays(np.int64, 6, elements=st.integers(0, 1000))

SHAPES = {
    "deciles": np.full(10, 0.1),
    "binary": np.array([0.9, 0.1]),
    "rarely missing": np.append(np.full(10, 0.0996), 0.004),
    "many levels": 1 / np.arange(1, 32) / np.sum(1 / np.arange(1, 32)),
}
"""Shares of the bins of a field."""

COMPARED = (1, 10, 61)

REFERENCES, LOOKS = 40, 400

SIMULATION_ERROR = 0.005
"""Almost two standard errors of the share of 64,000 looks at 61 indices that are false alarms."""


@given(COUNTS, COUNTS)
def test_the_index_is_a_distance(one: np.ndarray, other: np.ndarray) -> None:
    """Non-negative, 0 of identical counts, symmetric."""
    assert psi(one, other) >= 0
    assert psi(one, one) == 0
    assert psi(other, one) == pytest.approx(psi(one, other))


def test_the_index_of_counts_in_rows_is_that_of_each_row() -> None:
    """Counts of shape (3, 6) give three indices."""
    random = np.random.default_rng(0)
    one, other = random.integers(0, 50, (2, 3, 6))

    np.testing.assert_array_equal(psi(one, other), [psi(*row) for row in zip(one, other, strict=True)])


@given(st.floats(0.0001, 0.9999), st.integers(1, 80))
def test_the_chi_squared_distribution_agrees_with_scipy(chance: float, freedom: int) -> None:
    """Tail and quantile."""
    value = chi2.ppf(chance, freedom)

    assert chi2_quantile(chance, freedom) == pytest.approx(value, rel=1e-8, abs=1e-8)
    assert chi2_tail(value, freedom) == pytest.approx(1 - chance, rel=1e-8, abs=1e-10)


def test_noise_and_chance_are_inverse() -> None:
    """The chance of an index as large as the noise of 1 % is 1 %; an empty bin of both has no degree of freedom."""
    before, after = np.array([100, 200, 300, 0]), np.array([30, 30, 30, 0])

    assert measure_chance(float(measure_noise(before, after, 0.01)), before, after) == pytest.approx(0.01)
    assert measure_noise(before, after, 0.01) == measure_noise(before[:3], after[:3], 0.01)


@pytest.mark.parametrize(
    ("index", "noise", "verdict"),
    [
        (0.3, 0.31, "stable"),
        (0.3, 0.2, "significant shift"),
        (0.2, 0.15, "moderate shift"),
        (0.09, 0.0, "stable"),
    ],
)
def test_a_shift_is_beyond_both_limit_and_noise(index: float, noise: float, verdict: str) -> None:
    """A large index of few applicants is noise; a small one of many is no shift."""
    assert name_shift(index, noise) == verdict


@pytest.mark.parametrize(
    ("reference", "rows"), [(500, 50), (500, 500), (2000, 150), (2000, 5000), (20_000, 50), (20_000, 1500)]
)
def test_at_most_one_look_in_a_hundred_is_a_false_alarm(reference: int, rows: int) -> None:
    """However many indices are compared: fields of four shapes, each sample beside reference bins of its own."""
    random = np.random.default_rng(rows)
    alarms = dict.fromkeys(COMPARED, 0)
    for shares in SHAPES.values():
        for _ in range(REFERENCES):
            counts = random.multinomial(reference, shares)
            is_rare = counts < MIN_COUNT
            after = random.multinomial(rows, np.append(shares[~is_rare], shares[is_rare].sum()), LOOKS)
            rest = int(counts[is_rare].sum())
            bins = Bins((*counts[~is_rare].tolist(), MIN_COUNT // 2 if 0 < rest < MIN_COUNT else rest), 0)
            seen = np.pad(after, ((0, 0), (0, 2)))
            before = published_counts(bins, seen)
            index = psi(before, seen)
            for look in np.flatnonzero(index >= MODERATE_SHIFT):
                chance = measure_chance(index[look], before[look], seen[look])
                for compared in COMPARED:
                    alarms[compared] += chance < FALSE_ALARMS / compared

    looks = REFERENCES * LOOKS * len(SHAPES)
    found = {compared: 1 - (1 - number / looks) ** compared for compared, number in alarms.items()}
    assert max(found.values()) <= FALSE_ALARMS + SIMULATION_ERROR, found
