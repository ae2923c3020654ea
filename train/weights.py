"""Means, quantiles and effective counts of weighted rows.

A row of twice the smallest weight counts as two equal rows in every figure, and as one row in what is said about its
uncertainty.
Without weights each function is NumPy's own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model.estimates import Matrix

Flags = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int64]


def select(weight: Matrix | None, rows: Flags | Labels) -> Matrix | None:
    """The weights of these rows; None if there are none."""
    return None if weight is None else weight[rows]


def weighted_mean(values: Matrix | Labels | Flags, weight: Matrix | None = None) -> float:
    """The mean of values, shape (n,)."""
    return float(values.mean() if weight is None else np.average(values, weights=weight))


def count_units(weight: Matrix) -> Matrix:
    """Weights in units of the smallest, whatever their scale; whole ones are whole again: as many equal rows.

    Weights that are all multiples of the smallest thus give the figures of rows repeated so often. Of weights 2 and 4
    they are those of rows repeated once and twice: their scale can't matter, and NumPy's quantiles of rows that are all
    there twice are others, by less than a row.
    """
    units = weight / weight.min()
    whole = units.round()
    return np.asarray(whole if np.allclose(units, whole, rtol=1e-9, atol=0) else units)


def weighted_quantile(values: Matrix, shares: Sequence[float] | Matrix, weight: Matrix | None = None) -> Matrix:
    """Quantiles of values, shape (n,), as of a list that repeats each value as often as count_units says.

    They interpolate between neighbours of that list as NumPy's do, at share · (its length − 1).
    """
    if weight is None:
        return np.asarray(np.quantile(values, shares))
    order = np.argsort(values, kind="stable")
    ends = np.cumsum(count_units(weight)[order])
    places = np.asarray(shares, dtype=np.float64) * max(float(ends[-1]) - 1, 0.0)
    below = np.floor(places)
    low, high = (
        values[order[np.minimum(np.searchsorted(ends, place, side="right"), len(order) - 1)]]
        for place in (below, below + 1)
    )
    part = places - below
    # As NumPy interpolates, so that weights of one give the same bits.
    return np.asarray(np.where(part >= 0.5, high - (high - low) * (1 - part), low + (high - low) * part))


def kish_rows(weight: Matrix) -> float:
    """How many equally weighted rows are as good: (Σw)² / Σw² (Kish, Survey Sampling, 1965, section 11.7)."""
    return float(weight.sum() ** 2 / (weight**2).sum())


def scale_effective(weight: Matrix | None) -> Matrix | None:
    """Weights that add up to the effective number of rows, for tests and intervals that aren't too sure."""
    return None if weight is None else np.asarray(weight * (kish_rows(weight) / weight.sum()))


def count_effective(flags: Flags, weight: Matrix | None = None) -> tuple[float, float]:
    """How many rows are flagged, and of how many: counts whose proportion is the weighted one.

    With weights the number of rows is that whose proportion is as uncertain as this one: p (1 − p) / variance, by
    linearization (Korn & Graubard, Survey Methodology 24, 1998); Kish's where all rows or none are flagged. Kish's
    alone would take weights that depend on the flag, such as those of a sample of the good applicants, for
    uncertainty.
    """
    if weight is None:
        return int(flags.sum()), len(flags)
    if not len(flags):
        return 0.0, 0.0
    p = float(np.average(flags, weights=weight))
    variance = float((weight**2 * (flags - p) ** 2).sum()) / float(weight.sum()) ** 2
    rows = p * (1 - p) / variance if variance > 0 and 0 < p < 1 else kish_rows(weight)
    return p * rows, rows
