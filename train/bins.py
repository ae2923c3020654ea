"""Reference bins: how the training applicants spread over a field's values, small enough to travel in the artifact.

Read by `python -m train drift`, by the report, and by clients that show where an applicant stands. What is
published of people is fixed here: no part of 1 to 19 of them, and no edge with more digits than the spread of the
values needs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from model.bins import Bins
from model.contract import Field
from train.dataset import Matrix

FEWEST = 20
"""Bins hold at least so many people; fewer who can't be put with others are published as half of it."""

MOST = 10
"""Bins of a number, at its deciles."""

Counts = npt.NDArray[np.int64]


def make_bins(fields: Sequence[Field], applicants: Matrix) -> tuple[Bins, ...]:
    """The bins of each field over applicants, float64, shape (n, n_fields)."""
    return tuple(
        bin_levels(column, len(field.levels)) if field.kind == "category" else bin_numbers(column)
        for field, column in zip(fields, applicants.T, strict=True)
    )


def bin_numbers(values: Matrix) -> Bins:
    """Bins of about equal count of numbers, shape (n,); a value that many share has a bin of its own."""
    present = values[~np.isnan(values)]
    missing = _publish(len(values) - len(present))
    if not len(present):
        return Bins((0,), missing)
    deciles = np.quantile(present, np.arange(1, MOST) / MOST, method="inverted_cdf")
    edges = np.unique(_round(deciles))
    counts = np.bincount(np.searchsorted(edges, present), minlength=len(edges) + 1)
    kept: list[float] = []
    merged: list[int] = []
    waiting = 0
    for edge, count in zip(edges.tolist(), counts[:-1].tolist(), strict=True):
        waiting += count
        if waiting >= FEWEST:
            kept.append(edge)
            merged.append(waiting)
            waiting = 0
    waiting += int(counts[-1])
    if waiting < FEWEST and kept:
        kept.pop()
        merged[-1] += waiting
    else:
        merged.append(_publish(waiting))
    return Bins(tuple(merged), missing, edges=tuple(kept))


def bin_levels(values: Matrix, n_levels: int) -> Bins:
    """A bin for each level of a category given as indices, shape (n,); levels of few people share the last bin."""
    present = values[~np.isnan(values)].astype(np.int64)
    counts = np.bincount(present, minlength=n_levels).tolist()
    common = [level for level in range(n_levels) if counts[level] >= FEWEST]
    rare = [level for level in range(n_levels) if counts[level] < FEWEST]
    levels = [(level,) for level in common] + ([tuple(rare)] if rare else [])
    return Bins(
        tuple(_publish(sum(counts[level] for level in group)) for group in levels),
        _publish(len(values) - len(present)),
        levels=tuple(levels),
    )


def count(values: Matrix, bins: Bins) -> Counts:
    """How many values, shape (n,), lie in each bin; then how many are missing; then how many in no bin at all.

    int64, shape (n_bins + 2,). In no bin are only levels that the model doesn't know.
    """
    is_missing = np.isnan(values)
    present = values[~is_missing]
    size = len(bins.counts)
    if bins.levels:
        places = np.full(len(present), size)
        for place, group in enumerate(bins.levels):
            places[np.isin(present, group)] = place
    else:
        places = np.searchsorted(np.array(bins.edges), present)
    found = np.bincount(places, minlength=size + 1)
    return np.array([*found[:size], is_missing.sum(), found[size]], dtype=np.int64)


def published(bins: Bins) -> Counts:
    """The counts of the bins themselves, as `count` would give them: int64, shape (n_bins + 2,)."""
    return np.array([*bins.counts, bins.missing, 0], dtype=np.int64)


def name_bins(bins: Bins, field: Field | None) -> list[str]:
    """What each entry of `count` is called; None for the field of a probability."""
    if bins.levels:
        levels = field.levels if field else ()
        names = [", ".join(levels[level] for level in group) for group in bins.levels]
    else:
        names = _ranges(bins.edges)
    return [*names, "missing", "unknown level"]


def _ranges(edges: Sequence[float]) -> list[str]:
    if not edges:
        return ["any value"]
    between = [f"{low:g} – {high:g}" for low, high in pairwise(edges)]
    return [f"≤ {edges[0]:g}", *between, f"> {edges[-1]:g}"]


def _publish(people: int) -> int:
    return FEWEST // 2 if 0 < people < FEWEST else int(people)


def _round(values: Iterable[float]) -> Matrix:
    """Values with three digits of their spread, so that none is one person's exact value."""
    numbers = np.array(values)
    spread = float(np.ptp(numbers))
    if not (0 < spread < math.inf):
        return numbers
    unit = 10.0 ** (math.floor(math.log10(spread)) - 2)
    return np.array([float(f"{number:.12g}") for number in np.round(numbers / unit) * unit])
