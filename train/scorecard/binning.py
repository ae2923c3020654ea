"""The bins of a scorecard's fields: the steps of boosted stumps, cut into at most `max_bins`.

The intervals of a field are those that lose the least of its step function (dynamic programming; Fisher, On Grouping
for Maximum Homogeneity, 1958). Their edges have as few digits as the data allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from train.fitted.steps import Matrix
from train.scorecard.bins import FieldBins
from train.scorecard.fields import FieldRule
from train.scorecard.stumps import MIN_ROWS, MIN_SHARE, Cells, Order, Stumps

MOVED_SHARE = 0.0025
"""Largest share of the rows that an edge is moved past so that it has fewer digits."""


def find_bins(
    rules: Sequence[FieldRule], stumps: Stumps, cells: Sequence[Cells], max_bins: int, step_cost: float
) -> list[FieldBins]:
    """The bins of each field; those that a rule fixes as they are. `cells`: of the stumps' columns."""
    found = []
    for column, (rule, own, order) in enumerate(zip(rules, cells, stumps.orders, strict=True)):
        if rule.edges is not None or rule.groups is not None:
            found.append(FieldBins(column, rule.edges or (), rule.groups or ()))
        elif order is None:
            found.append(FieldBins(column, tuple(_cut(own, stumps.columns[:, column], max_bins, step_cost))))
        else:
            found.append(FieldBins(column, groups=_group(own, order, max_bins, step_cost)))
    return found


def _cut(cells: Cells, x: Matrix, max_bins: int, step_cost: float) -> list[float]:
    """The edges of a number."""
    present = np.sort(x[~np.isnan(x)])
    if not len(cells.ends):
        return []
    least = max(MIN_ROWS, MIN_SHARE * len(x))
    moved = int(MOVED_SHARE * len(x))
    edges: list[float] = []
    for last in segment(cells, max_bins, least, step_cost)[:-1]:
        above = int(np.searchsorted(present, cells.ends[last], side="right"))
        low, high = float(present[max(above - 1 - moved, 0)]), float(present[min(above + moved, len(present) - 1)])
        below, first = float(present[above - 1]), float(present[above])
        # Only past values that are rare themselves.
        low = low if np.searchsorted(present, below) - np.searchsorted(present, low) < moved else below
        high = high if high > first else first
        edges.append(shortest(low, high))
    return sorted(set(edges))


def _group(cells: Cells, order: Order, max_bins: int, step_cost: float) -> tuple[tuple[int, ...], ...]:
    """Groups of levels, with similar ones together if there are more than max_bins."""
    if len(order) <= max_bins:
        return tuple(sorted(tuple(group) for group in order))
    ends = np.append(cells.ends[segment(cells, max_bins, 0, step_cost)[:-1]], np.inf)
    place = np.searchsorted(ends, np.arange(len(order)), side="left")
    return tuple(
        tuple(sorted(level for group, own in zip(order, place, strict=True) if own == bin for level in group))
        for bin in range(len(ends))
    )


def segment(cells: Cells, max_bins: int, least: float, step_cost: float) -> list[int]:
    """The last cell of each of at most `max_bins` segments that lose least, each with at least so many rows.

    The loss is the weighted squared distance from a segment's mean, about twice the loss of log-likelihood.
    """
    size = len(cells.values)
    rows, weight, first, second = (
        np.concatenate([[0.0], np.cumsum(part)])
        for part in (
            cells.rows,
            cells.information,
            cells.information * cells.values,
            cells.information * cells.values**2,
        )
    )

    def between(sums: Matrix) -> Matrix:
        difference: Matrix = sums[None, 1:] - sums[:-1, None]
        return difference

    with np.errstate(all="ignore"):
        loss = between(second) - np.nan_to_num(between(first) ** 2 / between(weight))
    start, end = np.indices((size, size))
    loss[(end < start) | (between(rows) < least)] = np.inf
    best, ways = loss[0], [np.zeros(size, np.int64)]
    totals = [best[-1]]
    for _ in range(1, min(max_bins, size)):
        # [i, j]: the earlier segments end before cell i, the last one is i … j.
        total = np.concatenate([[np.inf], best[:-1]])[:, None] + loss
        ways.append(total.argmin(axis=0))
        best = total.min(axis=0)
        totals.append(best[-1])
    scores = [total / 2 + step_cost * count for count, total in enumerate(totals)]
    if not np.isfinite(scores).any():
        return [size - 1]
    count, cell, lasts = int(np.argmin(scores)), size - 1, []
    for way in reversed(ways[: count + 1]):
        lasts.append(cell)
        cell = int(way[cell]) - 1
    return lasts[::-1]


def shortest(low: float, high: float) -> float:
    """The number with the fewest digits in (low, high], the nearest to the middle of those."""
    a, b = Decimal(low), Decimal(high)
    if a < 0 <= b:
        return 0.0
    for exponent in range(max(a.adjusted(), b.adjusted()) + 1, -400, -1):
        unit = Decimal(1).scaleb(exponent)
        middle = (a + b) / 2
        for multiple in (round(middle / unit) * unit, b // unit * unit):
            number = float(multiple)
            if low < number <= high:
                return number
    return high
