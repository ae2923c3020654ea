"""Population stability index (PSI): how far two distributions over the same bins are apart, and what is noise.

Without a shift, index / (1/n + 1/m) of samples of n and m has a χ² distribution with bins − 1 degrees of freedom
(Yurdakul & Naranjo, Statistical properties of the population stability index, J. Risk Model Validation 14, 2020).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from model.bins import Counts

MODERATE_SHIFT, SIGNIFICANT_SHIFT = 0.10, 0.25
"""Conventional limits of the index (Siddiqi, Credit Risk Scorecards, 2006, chapter 9)."""

FALSE_ALARMS = 0.01
"""Without any shift, at most this share of looks at all indices together names one that is beyond noise: each of n
indices is compared with `measure_noise(before, after, FALSE_ALARMS / n)` (Bonferroni). Holds for 50 applicants or more
beside bins of 500 training rows or more."""

ShiftVerdict = Literal["stable", "moderate shift", "significant shift"]


def psi(before: Counts, after: Counts) -> npt.NDArray[np.float64]:
    """Population stability index Σ (a − b) · ln(a / b) of counts in the same bins; 0 of itself.

    Counts of shape (..., n_bins) give an index of shape (...). 0.5 is added to each count, so that an empty bin doesn't
    make the index infinite; a bin that is empty in both doesn't count.
    """
    is_used = (before + after) > 0
    b, a = (np.where(is_used, counts + 0.5, 0.0) for counts in (before, after))
    b, a = (counts / np.maximum(counts.sum(axis=-1, keepdims=True), 0.5) for counts in (b, a))
    ratios = np.divide(a, b, out=np.ones_like(a), where=is_used)
    return np.asarray(np.sum((a - b) * np.log(ratios), axis=-1))


def measure_noise(before: Counts, after: Counts, chance: float) -> npt.NDArray[np.float64]:
    """The index that two samples of one population exceed with a chance.

    Counts of the same bins, shape (..., n_bins), give an index of shape (...).
    """
    scale, freedom = _describe(before, after)
    degrees, places = np.unique(freedom, return_inverse=True)
    quantiles = np.array([chi2_quantile(1 - chance, degree) for degree in degrees.tolist()])
    return np.asarray(scale * quantiles[places].reshape(freedom.shape))


def measure_chance(index: float, before: Counts, after: Counts) -> float:
    """The chance that two samples of one population have at least this index; counts, shape (n_bins,)."""
    scale, freedom = _describe(before, after)
    return chi2_tail(index / float(scale), int(freedom))


def name_shift(index: float, noise: float) -> ShiftVerdict:
    """What an index means; one within sampling noise is stable."""
    if index <= noise or index < MODERATE_SHIFT:
        return "stable"
    return "moderate shift" if index < SIGNIFICANT_SHIFT else "significant shift"


def _describe(before: Counts, after: Counts) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """1/n + 1/m, corrected for bins of few applicants, and the degrees of freedom; shape (...) each.

    The mean of the index exceeds that of the χ² distribution by (Σ 1/p − bins) / 2n · 1/n, with p the bins' shares
    (second order: Cressie & Read, Multinomial goodness-of-fit tests, J. R. Statist. Soc. B 46, 1984, for λ = 0 and −1).
    Bins with less than one expected applicant count as one: the 0.5 in the index keeps them from weighing more.
    """
    used = before + after
    bins = np.count_nonzero(used, axis=-1)
    freedom = np.maximum(bins - 1, 1)
    # Without applicants there is no index to compare with.
    n, m, both = (np.maximum(counts.sum(axis=-1), 1) for counts in (before, after, used))
    scale = 1 / n + 1 / m
    expected = used / (both * scale)[..., np.newaxis]
    excess = np.sum(1 / np.maximum(expected, 1), axis=-1, where=used > 0) - bins * scale
    return scale * (1 + np.maximum(excess, 0.0) / (2 * freedom)), freedom


def chi2_tail(x: float, freedom: int) -> float:
    """The chance that a χ² variable exceeds x: a finite sum (Abramowitz & Stegun, 26.4.4 and 26.4.5)."""
    if x <= 0:
        return 1.0
    half = x / 2
    powers = np.arange(freedom // 2) + (freedom % 2) / 2
    logarithms = powers * math.log(half) - half - np.array([math.lgamma(power + 1) for power in powers])
    return min(1.0, float(np.exp(logarithms).sum()) + (math.erfc(math.sqrt(half)) if freedom % 2 else 0.0))


@lru_cache(maxsize=4_096)
def chi2_quantile(chance: float, freedom: int) -> float:
    """The value that a χ² variable doesn't exceed with this chance, by bisection."""
    low, high = 0.0, 10.0 * freedom + 1_000.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if chi2_tail(middle, freedom) < 1 - chance else (middle, high)
    return high
