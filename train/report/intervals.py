"""How far sampling noise alone can move a figure: the intervals of the report, all at 95 %."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from train.dataset import Labels, Matrix

LEVEL = 0.95
Z = float(norm.ppf((1 + LEVEL) / 2))
RESAMPLES = 500


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the interval that holds the truth in 95 of 100 samples."""

    value: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Whether noise alone doesn't explain the distance from a value."""
        return not self.low <= value <= self.high


def share(part: float, whole: int) -> Estimate:
    """A share, such as a default rate, with Wilson's score interval (JASA 22, 1927); of nothing, anything."""
    if whole <= 0:
        return Estimate(float("nan"), 0.0, 1.0)
    p, scale = part / whole, 1 + Z**2 / whole
    middle = (p + Z**2 / (2 * whole)) / scale
    reach = Z / scale * np.sqrt(p * (1 - p) / whole + Z**2 / (4 * whole**2))
    # Exact at the ends, where rounding could leave the share itself outside.
    return Estimate(p, float(min(p, max(0.0, middle - reach))), float(max(p, min(1.0, middle + reach))))


def ratio_of_shares(part: int, whole: int, other_part: int, other_whole: int) -> Estimate:
    """One share over another, with Katz' interval of the logarithm (Biometrics 34, 1978); an empty cell counts ½."""
    if not part or not other_part:
        part, whole, other_part, other_whole = part + 1, whole + 1, other_part + 1, other_whole + 1
    ratio = (part / whole) / (other_part / other_whole)
    reach = Z * np.sqrt(1 / part - 1 / whole + 1 / other_part - 1 / other_whole)
    return Estimate(ratio, float(ratio * np.exp(-reach)), float(ratio * np.exp(reach)))


def ratio_of_means(numerator: Matrix, denominator: Matrix) -> Estimate:
    """The ratio of the means of two figures of the same rows, shape (n,) each, by the delta method."""
    ratio = float(numerator.mean() / denominator.mean())
    reach = Z * float(np.std(numerator - ratio * denominator) / np.sqrt(len(numerator)) / denominator.mean())
    return Estimate(ratio, ratio - reach, ratio + reach)


def auc(y: Labels, probability: Matrix) -> Estimate:
    """Area under the ROC curve, with DeLong's variance (DeLong, DeLong & Clarke-Pearson, Biometrics 44, 1988).

    NaN with the interval from 0 to 1 where one class is absent.
    """
    bad, good = probability[y == 1], probability[y == 0]
    if not len(bad) or not len(good):
        return Estimate(float("nan"), 0.0, 1.0)
    ranks = rankdata(np.concatenate([bad, good]))
    over_goods = (ranks[: len(bad)] - rankdata(bad)) / len(good)
    under_bads = 1 - (ranks[len(bad) :] - rankdata(good)) / len(bad)
    value = float(over_goods.mean())
    variance = sum(float(np.var(part, ddof=1)) / len(part) for part in (over_goods, under_bads) if len(part) > 1)
    reach = Z * float(np.sqrt(variance))
    return Estimate(value, max(0.0, value - reach), min(1.0, value + reach))


def mean(figures: Matrix) -> Estimate:
    """The mean of figures, shape (n,), by the normal approximation."""
    value = float(figures.mean())
    reach = Z * float(figures.std() / np.sqrt(len(figures)))
    return Estimate(value, value - reach, value + reach)


def percentile(value: float, resampled: npt.ArrayLike) -> Estimate:
    """A figure with the percentile interval of its resamples."""
    low, high = np.quantile(np.asarray(resampled), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(value, float(low), float(high))


def resample(rows: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """For each bootstrap resample how often it draws each row: int64, shape (rows,)."""
    random = np.random.default_rng(seed)
    for _ in range(RESAMPLES):
        yield np.bincount(random.integers(0, rows, rows), minlength=rows)
