"""95% confidence intervals of the figures in the report."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from model.estimates import CONFIDENCE, Estimate, Z, proportion
from train.dataset import Matrix
from train.target import Labels
from train.weights import Flags, count_effective, select, weighted_mean

N_RESAMPLES = 500


def default_rate(y: Labels, rows: Flags, weight: Matrix | None = None) -> Estimate:
    """The default rate of the selected rows; y: int64, rows: bool, weight: float64, shape (n,) each."""
    return share_of(y[rows] == 1, select(weight, rows))


def share_of(flags: Flags, weight: Matrix | None = None) -> Estimate:
    """The share of flagged rows, with Wilson's interval; flags: bool, weight: float64, shape (n,) each."""
    return proportion(*count_effective(flags, weight))


def ratio_of_proportions(part: float, whole: float, other_part: float, other_whole: float) -> Estimate:
    """One proportion over another, with Katz' log interval (Biometrics 34, 1978); if a part is 0, 1 is added to all."""
    if not part or not other_part:
        part, whole, other_part, other_whole = part + 1, whole + 1, other_part + 1, other_whole + 1
    ratio = (part / whole) / (other_part / other_whole)
    half_width = Z * np.sqrt(1 / part - 1 / whole + 1 / other_part - 1 / other_whole)
    return Estimate(ratio, float(ratio * np.exp(-half_width)), float(ratio * np.exp(half_width)))


def ratio_of_means(numerator: Matrix, denominator: Matrix, weight: Matrix | None = None) -> Estimate:
    """The ratio of the means of two columns, shape (n,) each, with an interval by the delta method."""
    below = np.float64(weighted_mean(denominator, weight))
    ratio = float(weighted_mean(numerator, weight) / below)
    half_width = Z * float(_standard_error(numerator - ratio * denominator, weight) / below)
    return Estimate(ratio, ratio - half_width, ratio + half_width)


def mean(figures: Matrix, weight: Matrix | None = None) -> Estimate:
    """The mean of a column, shape (n,), with an interval by the normal approximation."""
    value = weighted_mean(figures, weight)
    half_width = Z * float(_standard_error(figures, weight))
    return Estimate(value, value - half_width, value + half_width)


def scale(estimate: Estimate, factor: float) -> Estimate:
    """An estimate in another unit, such as a mean as a sum; `factor`: positive."""
    return Estimate(factor * estimate.value, factor * estimate.low, factor * estimate.high)


def mean_of_known(figures: Matrix, weight: Matrix | None = None) -> Estimate:
    """As mean, of the figures that aren't NaN; NaN if none is left."""
    rows = ~np.isnan(figures)
    nothing = Estimate(float("nan"), float("nan"), float("nan"))
    return mean(figures[rows], select(weight, rows)) if rows.any() else nothing


def _standard_error(figures: Matrix, weight: Matrix | None) -> float:
    """That of the mean; with weights by linearization (Särndal, Swensson & Wretman, 1992, section 5.7)."""
    if weight is None:
        return float(figures.std() / np.sqrt(len(figures)))
    gaps = weight * (figures - weighted_mean(figures, weight))
    return float(np.sqrt((gaps**2).sum()) / weight.sum())


def percentile_interval(value: float, resampled: npt.ArrayLike) -> Estimate:
    """A figure with the percentile interval of its bootstrap resamples."""
    low, high = np.quantile(np.asarray(resampled), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value, float(low), float(high))


def resample(rows: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """For each of N_RESAMPLES bootstrap resamples, how often it draws each row: int64, shape (rows,)."""
    random = np.random.default_rng(seed)
    for _ in range(N_RESAMPLES):
        yield np.bincount(random.integers(0, rows, rows), minlength=rows)
