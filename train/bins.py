"""Making reference bins: the distribution of the training applicants over a field's values, stored in the artifact.

Read by `python -m train drift`, by the report, and by clients that show where an applicant stands. The privacy rules
of what is published are fixed here and must not change silently: no count of 1 to 19 people, and no bin edge with more
digits than the range of the values needs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model.bins import MIN_COUNT, Bins
from model.contract import Field
from train.dataset import Matrix
from train.weights import select

MAX_BINS = 10
"""Bins of a numeric field: its deciles."""


def make_bins(fields: Sequence[Field], applicants: Matrix, weight: Matrix | None = None) -> tuple[Bins, ...]:
    """The bins of each field, from applicants as float64, shape (n, n_fields), and their weights, shape (n,).

    Weighted counts are scaled to the number of rows.
    """
    return tuple(
        bin_levels(column, len(field.levels), weight) if field.kind == "category" else bin_numbers(column, weight)
        for field, column in zip(fields, applicants.T, strict=True)
    )


def bin_numbers(values: Matrix, weight: Matrix | None = None) -> Bins:
    """Bins of about equal count for numbers, shape (n,); a frequent value gets a bin of its own."""
    is_present = ~np.isnan(values)
    present = values[is_present]
    missing = _publish(_count((~is_present).astype(np.int64), 2, weight)[1])
    if not len(present):
        return Bins((0,), missing)
    deciles = np.quantile(
        present, np.arange(1, MAX_BINS) / MAX_BINS, method="inverted_cdf", weights=select(weight, is_present)
    )
    edges = np.unique(_round(deciles))
    places = np.where(is_present, np.searchsorted(edges, values), len(edges) + 1)
    counts = _count(places, len(edges) + 2, weight)[:-1]
    kept: list[float] = []
    merged: list[_Count] = []
    pending = NOBODY
    for edge, count in zip(edges.tolist(), counts[:-1], strict=True):
        pending = pending.add(count)
        if not pending.is_small:
            kept.append(edge)
            merged.append(pending)
            pending = NOBODY
    pending = pending.add(counts[-1])
    if pending.is_small and kept:
        kept.pop()
        merged[-1] = merged[-1].add(pending)
    else:
        merged.append(pending)
    return Bins(tuple(_publish(count) for count in merged), missing, edges=tuple(kept))


def bin_levels(values: Matrix, n_levels: int, weight: Matrix | None = None) -> Bins:
    """One bin for each level of a category given as level indices, shape (n,); rare levels share the last bin."""
    *counts, missing = _count(np.where(np.isnan(values), n_levels, values).astype(np.int64), n_levels + 1, weight)
    common = [level for level in range(n_levels) if not counts[level].is_small]
    rare = [level for level in range(n_levels) if counts[level].is_small]
    levels = [(level,) for level in common] + ([tuple(rare)] if rare else [])
    return Bins(
        tuple(_publish(reduce(_Count.add, (counts[level] for level in group))) for group in levels),
        _publish(missing),
        levels=tuple(levels),
    )


class _Count(NamedTuple):
    """Applicants of a bin: their rows, and what they count as, with weights scaled to the number of rows."""

    rows: int
    people: float

    @property
    def is_small(self) -> bool:
        """Whether the bin may not be published by itself."""
        return min(self.rows, round(self.people)) < MIN_COUNT

    def add(self, other: _Count) -> _Count:
        """Both together."""
        return _Count(self.rows + other.rows, self.people + other.people)


NOBODY = _Count(0, 0.0)


def _count(places: npt.NDArray[np.int64], size: int, weight: Matrix | None) -> list[_Count]:
    rows = np.bincount(places, minlength=size)
    people = rows if weight is None else np.bincount(places, weight / weight.mean(), minlength=size)
    return [_Count(*pair) for pair in zip(rows.tolist(), people.tolist(), strict=True)]


def _publish(count: _Count) -> int:
    return MIN_COUNT // 2 if count.rows and count.is_small else round(count.people)


def _round(values: Iterable[float]) -> Matrix:
    """Values rounded to three significant digits of their range, so that none is one person's exact value."""
    numbers = np.array(values)
    span = float(np.ptp(numbers))
    if not (0 < span < math.inf):
        return numbers
    unit = 10.0 ** (math.floor(math.log10(span)) - 2)
    return np.array([float(f"{number:.12g}") for number in np.round(numbers / unit) * unit])
