"""Making reference bins: the distribution of the training applicants over a field's values, stored in the artifact.

Read by `python -m train drift`, by the report, and by clients that show where an applicant stands. The privacy rules
of what is published are fixed here and must not change silently: no count of 1 to 19 people, and no bin edge with more
digits than the range of the values needs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from model.bins import MIN_COUNT, Bins
from model.contract import Field
from train.dataset import Matrix

MAX_BINS = 10
"""Bins of a numeric field: its deciles."""


def make_bins(fields: Sequence[Field], applicants: Matrix) -> tuple[Bins, ...]:
    """The bins of each field, from applicants as float64, shape (n, n_fields)."""
    return tuple(
        bin_levels(column, len(field.levels)) if field.kind == "category" else bin_numbers(column)
        for field, column in zip(fields, applicants.T, strict=True)
    )


def bin_numbers(values: Matrix) -> Bins:
    """Bins of about equal count for numbers, shape (n,); a frequent value gets a bin of its own."""
    present = values[~np.isnan(values)]
    missing = _publish(len(values) - len(present))
    if not len(present):
        return Bins((0,), missing)
    deciles = np.quantile(present, np.arange(1, MAX_BINS) / MAX_BINS, method="inverted_cdf")
    edges = np.unique(_round(deciles))
    counts = np.bincount(np.searchsorted(edges, present), minlength=len(edges) + 1)
    kept: list[float] = []
    merged: list[int] = []
    pending = 0
    for edge, count in zip(edges.tolist(), counts[:-1].tolist(), strict=True):
        pending += count
        if pending >= MIN_COUNT:
            kept.append(edge)
            merged.append(pending)
            pending = 0
    pending += int(counts[-1])
    if pending < MIN_COUNT and kept:
        kept.pop()
        merged[-1] += pending
    else:
        merged.append(_publish(pending))
    return Bins(tuple(merged), missing, edges=tuple(kept))


def bin_levels(values: Matrix, n_levels: int) -> Bins:
    """One bin for each level of a category given as level indices, shape (n,); rare levels share the last bin."""
    present = values[~np.isnan(values)].astype(np.int64)
    counts = np.bincount(present, minlength=n_levels).tolist()
    common = [level for level in range(n_levels) if counts[level] >= MIN_COUNT]
    rare = [level for level in range(n_levels) if counts[level] < MIN_COUNT]
    levels = [(level,) for level in common] + ([tuple(rare)] if rare else [])
    return Bins(
        tuple(_publish(sum(counts[level] for level in group)) for group in levels),
        _publish(len(values) - len(present)),
        levels=tuple(levels),
    )


def _publish(people: int) -> int:
    return MIN_COUNT // 2 if 0 < people < MIN_COUNT else int(people)


def _round(values: Iterable[float]) -> Matrix:
    """Values rounded to three significant digits of their range, so that none is one person's exact value."""
    numbers = np.array(values)
    span = float(np.ptp(numbers))
    if not (0 < span < math.inf):
        return numbers
    unit = 10.0 ** (math.floor(math.log10(span)) - 2)
    return np.array([float(f"{number:.12g}") for number in np.round(numbers / unit) * unit])
