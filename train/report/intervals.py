"""95% confidence intervals of the figures in the report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from train.dataset import Matrix
from train.target import Labels

CONFIDENCE = 0.95
Z = float(norm.ppf((1 + CONFIDENCE) / 2))
N_RESAMPLES = 500


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95% confidence interval."""

    value: float
    low: float
    high: float

    def excludes(self, value: float) -> bool:
        """Whether a value lies outside the interval."""
        return not self.low <= value <= self.high


def proportion(part: float, whole: int) -> Estimate:
    """A proportion, such as a default rate, with Wilson's score interval (JASA 22, 1927); NaN if whole is 0."""
    if whole <= 0:
        return Estimate(float("nan"), 0.0, 1.0)
    p, scale = part / whole, 1 + Z**2 / whole
    centre = (p + Z**2 / (2 * whole)) / scale
    half_width = Z / scale * np.sqrt(p * (1 - p) / whole + Z**2 / (4 * whole**2))
    # For a proportion of 0 or 1, rounding must not move a bound beyond the proportion itself.
    return Estimate(p, float(min(p, max(0.0, centre - half_width))), float(max(p, min(1.0, centre + half_width))))


def default_rate(y: Labels, rows: npt.NDArray[np.bool_]) -> Estimate:
    """The default rate of the selected rows; y: int64, rows: bool, shape (n,) each."""
    return proportion(int(y[rows].sum()), int(rows.sum()))


def ratio_of_proportions(part: int, whole: int, other_part: int, other_whole: int) -> Estimate:
    """One proportion over another, with Katz' log interval (Biometrics 34, 1978); if a part is 0, 1 is added to all."""
    if not part or not other_part:
        part, whole, other_part, other_whole = part + 1, whole + 1, other_part + 1, other_whole + 1
    ratio = (part / whole) / (other_part / other_whole)
    half_width = Z * np.sqrt(1 / part - 1 / whole + 1 / other_part - 1 / other_whole)
    return Estimate(ratio, float(ratio * np.exp(-half_width)), float(ratio * np.exp(half_width)))


def ratio_of_means(numerator: Matrix, denominator: Matrix) -> Estimate:
    """The ratio of the means of two columns, shape (n,) each, with an interval by the delta method."""
    ratio = float(numerator.mean() / denominator.mean())
    half_width = Z * float(np.std(numerator - ratio * denominator) / np.sqrt(len(numerator)) / denominator.mean())
    return Estimate(ratio, ratio - half_width, ratio + half_width)


def auc(y: Labels, probability: Matrix) -> Estimate:
    """Area under the ROC curve, with DeLong's variance (DeLong, DeLong & Clarke-Pearson, Biometrics 44, 1988).

    NaN in [0, 1] if one class is absent.
    """
    bad, good = probability[y == 1], probability[y == 0]
    if not len(bad) or not len(good):
        return Estimate(float("nan"), 0.0, 1.0)
    ranks = rankdata(np.concatenate([bad, good]))
    above_goods = (ranks[: len(bad)] - rankdata(bad)) / len(good)
    below_bads = 1 - (ranks[len(bad) :] - rankdata(good)) / len(bad)
    value = float(above_goods.mean())
    variance = sum(float(np.var(part, ddof=1)) / len(part) for part in (above_goods, below_bads) if len(part) > 1)
    half_width = Z * float(np.sqrt(variance))
    return Estimate(value, max(0.0, value - half_width), min(1.0, value + half_width))


def mean(figures: Matrix) -> Estimate:
    """The mean of a column, shape (n,), with an interval by the normal approximation."""
    value = float(figures.mean())
    half_width = Z * float(figures.std() / np.sqrt(len(figures)))
    return Estimate(value, value - half_width, value + half_width)


def percentile_interval(value: float, resampled: npt.ArrayLike) -> Estimate:
    """A figure with the percentile interval of its bootstrap resamples."""
    low, high = np.quantile(np.asarray(resampled), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value, float(low), float(high))


def resample(rows: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """For each of N_RESAMPLES bootstrap resamples, how often it draws each row: int64, shape (rows,)."""
    random = np.random.default_rng(seed)
    for _ in range(N_RESAMPLES):
        yield np.bincount(random.integers(0, rows, rows), minlength=rows)
