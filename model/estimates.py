"""Figures with their 95% confidence intervals, and the order of probabilities (AUC)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95% confidence interval."""

    value: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Whether a value lies outside the interval."""
        return not self.low <= value <= self.high


def proportion(part: float, whole: float) -> Estimate:
    """A proportion, such as a default rate, with Wilson's score interval (JASA 22, 1927); NaN if whole is 0."""
    if whole <= 0:
        return Estimate(float("nan"), 0.0, 1.0)
    p, scale = part / whole, 1 + Z**2 / whole
    centre = (p + Z**2 / (2 * whole)) / scale
    half_width = Z / scale * math.sqrt(p * (1 - p) / whole + Z**2 / (4 * whole**2))
    # For a proportion of 0 or 1, rounding must not move a bound beyond the proportion itself.
    return Estimate(p, min(p, max(0.0, centre - half_width)), max(p, min(1.0, centre + half_width)))


def auc(y: npt.NDArray[np.int64], probability: Matrix, weight: Matrix | None = None) -> Estimate:
    """Area under the ROC curve, with DeLong's variance (DeLong, DeLong & Clarke-Pearson, Biometrics 44, 1988).

    y: int64, 1 = default, probability: float64, shape (n,) each. NaN in [0, 1] if one class is absent. With weights a
    pair counts as the product of its two, and the variance is that of the weighted means of DeLong's components, by
    linearization (Särndal, Swensson & Wretman, Model Assisted Survey Sampling, 1992, section 5.7).
    """
    if weight is not None:
        return _weighted_auc(y, probability, weight)
    bad, good = probability[y == 1], probability[y == 0]
    if not len(bad) or not len(good):
        return Estimate(float("nan"), 0.0, 1.0)
    ranks = rank(np.concatenate([bad, good]))
    above_goods = (ranks[: len(bad)] - rank(bad)) / len(good)
    below_bads = 1 - (ranks[len(bad) :] - rank(good)) / len(bad)
    value = float(above_goods.mean())
    variance = sum(float(np.var(part, ddof=1)) / len(part) for part in (above_goods, below_bads) if len(part) > 1)
    half_width = Z * math.sqrt(variance)
    return Estimate(value, max(0.0, value - half_width), min(1.0, value + half_width))


def _weighted_auc(y: npt.NDArray[np.int64], probability: Matrix, weight: Matrix) -> Estimate:
    is_bad = y == 1
    if is_bad.all() or not is_bad.any():
        return Estimate(float("nan"), 0.0, 1.0)
    p, places = np.unique(probability, return_inverse=True)
    bad, good = (np.bincount(places, weight * flags, len(p)) for flags in (is_bad, ~is_bad))
    above_goods = ((np.cumsum(good) - good / 2) / good.sum())[places[is_bad]]
    below_bads = (1 - (np.cumsum(bad) - bad / 2) / bad.sum())[places[~is_bad]]
    value = float(np.average(above_goods, weights=weight[is_bad]))
    variance = sum(
        float((w**2 * (part - value) ** 2).sum() / w.sum() ** 2) * len(part) / (len(part) - 1)
        for part, w in ((above_goods, weight[is_bad]), (below_bads, weight[~is_bad]))
        if len(part) > 1
    )
    half_width = Z * math.sqrt(variance)
    return Estimate(value, max(0.0, value - half_width), min(1.0, value + half_width))


def expect_auc(probability: Matrix, weight: Matrix | None = None) -> float | None:
    """The AUC to be expected if each outcome is 1 with its probability: mean over pairs (i, j), i ≠ j, weighted by
    p_i (1 − p_j), of [p_i > p_j] + ½ [p_i = p_j]; with weights by w_i w_j too. None where no pair has any weight.
    """
    p, places, rows = np.unique(probability, return_inverse=True, return_counts=True)
    counts = rows if weight is None else np.bincount(places, weight)
    # What a pair of a row with itself would count, in terms of one row.
    own = 1.0 if weight is None else np.bincount(places, weight**2) / counts
    goods = counts * (1 - p)
    below = np.cumsum(goods) - goods
    concordant = float(np.sum(counts * p * (below + 0.5 * (goods - own * (1 - p)))))
    pairs = float(np.sum(counts * p) * goods.sum() - np.sum(counts * p * (own * (1 - p))))
    return concordant / pairs if pairs > 0 else None


def lower_tail(found: Estimate, expected: float) -> float:
    """The chance of an AUC as low as found, by its DeLong variance, if `expected` is true."""
    error = max(found.high - found.value, found.value - found.low) / Z
    if error <= 0:
        return float(found.value >= expected)
    return 0.5 * math.erfc((expected - found.value) / error / math.sqrt(2))


def rank(values: Matrix) -> Matrix:
    """The rank of each value, from 1; equal values share the mean of their ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[places]
