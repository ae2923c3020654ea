"""95% confidence intervals of the figures in the report."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from model.estimates import CONFIDENCE, Estimate, Z, proportion
from train.dataset import Matrix
from train.target import Labels

N_RESAMPLES = 500


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
