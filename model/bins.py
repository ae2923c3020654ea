"""Histogram of a field or of the probability over the training applicants: the reference for drift."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Counts = npt.NDArray[np.int64]

MIN_COUNT = 20
"""Smallest count of a bin. A smaller group that can't be merged with others is published as half of this number."""


class Bins(Struct, frozen=True, omit_defaults=True):
    """How many training applicants fall into each bin of a field.

    A number: `counts[i]` applicants have a value in (edges[i - 1], edges[i]]; the last count is of values above every
    edge. A category: `counts[i]` applicants have one of `levels[i]`, which are indices of levels. `missing`: applicants
    without a value.

    For privacy no count is between 1 and 19: rare neighbours share a bin, and where that is impossible the count is
    given as 10.
    """

    counts: tuple[int, ...]
    missing: int
    edges: tuple[float, ...] = ()
    levels: tuple[tuple[int, ...], ...] = ()


def find_bins(values: npt.NDArray[np.float64], bins: Bins) -> npt.NDArray[np.int64]:
    """The entry of `count_values` that each value, shape (n,), is counted in: int64, shape (n,)."""
    size = len(bins.counts)
    if bins.levels:
        places = np.full(len(values), size + 1)
        for place, group in enumerate(bins.levels):
            places[np.isin(values, group)] = place
    else:
        places = np.searchsorted(np.array(bins.edges), values)
    places[np.isnan(values)] = size
    return places


def count_values(values: npt.NDArray[np.float64], bins: Bins) -> Counts:
    """Counts of values, shape (n,): in each bin, then missing, then in no bin (levels the model doesn't know).

    int64, shape (n_bins + 2,).
    """
    return np.bincount(find_bins(values, bins), minlength=len(bins.counts) + 2)


def published_counts(bins: Bins, seen: Counts | None = None) -> Counts:
    """The counts stored in the bins, in the layout of `count_values`: int64, shape (n_bins + 2,).

    With `seen`, the counts to compare with, shape (..., n_bins + 2), a count that is published as 10 is the number from
    1 to 19 that is closest to them, so that what isn't published can't look like a shift.
    """
    counts = np.array([*bins.counts, bins.missing, 0], dtype=np.int64)
    if seen is None:
        return counts
    likely = np.round(seen * (counts.sum() / np.maximum(seen.sum(axis=-1, keepdims=True), 1))).astype(np.int64)
    return np.where(counts == MIN_COUNT // 2, np.clip(likely, 1, MIN_COUNT - 1), counts)


def name_bins(bins: Bins, levels: Sequence[str] = ()) -> list[str]:
    """The label of each entry of `count_values`; `levels`: of a category, by index."""
    if bins.levels:
        names = [", ".join(levels[level] for level in group) for group in bins.levels]
    else:
        names = _ranges(bins.edges)
    return [*names, "missing", "unknown level"]


def _ranges(edges: Sequence[float]) -> list[str]:
    if not edges:
        return ["any value"]
    names = _name_edges(edges)
    between = [f"{low} – {high}" for low, high in pairwise(names)]
    return [f"≤ {names[0]}", *between, f"> {names[-1]}"]


def _name_edges(edges: Sequence[float]) -> list[str]:
    """Edges with as many decimals as tell them apart: three digits of their spread, two of the smallest bin.

    Those of training have no more; those that a recalibration has moved are counted by all their digits.
    """
    spread, smallest = edges[-1] - edges[0], min((high - low for low, high in pairwise(edges)), default=0.0)
    if not 0 < smallest <= spread < math.inf:
        return [f"{edge:g}" for edge in edges]
    decimals = max(2 - math.floor(math.log10(spread)), 1 - math.floor(math.log10(smallest)))
    return [f"{round(edge, decimals):g}" for edge in edges]
