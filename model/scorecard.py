"""The points table of a scorecard: what is printed is what decides.

    points = base + the points of one bin of every field + the points of one cell of every pair
    log-odds of default = (offset − points) / factor

Points are whole numbers, and `offset` is rounded to 2⁻⁴⁰, so that the sum is exact in any order and an applicant with
these printed points has exactly this probability. Made by training, in the contract of its file, None for other models.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct


class BinFacts(Struct, frozen=True):
    """Of the training rows in a bin: their share, default rate, weight of evidence ln(share of goods / share of bads),
    and part of the information value; None where the bin has 1 to 19 rows, which the file doesn't publish, or would
    give those of another away."""

    share: float | None
    default_rate: float | None
    woe: float | None
    iv: float | None


class ScorecardField(Struct, frozen=True):
    """The bins of one field, column `column` of the graph's applicants.

    Of a number bin i holds edges[i − 1] ≤ x < edges[i]. Of a category bin i holds the levels with the indices in
    groups[i], each level in one group. `points` and `facts` have one item for each bin and a last one for missing
    values; the smallest points are 0. `information_value`: the sum over all bins, None as in BinFacts.
    """

    field: str
    column: int
    edges: tuple[float, ...]
    groups: tuple[tuple[int, ...], ...]
    points: tuple[int, ...]
    facts: tuple[BinFacts, ...]
    information_value: float | None

    def place(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """The bins of values, float64, shape (n,), NaN = missing, a category as index of its level: int64, (n,)."""
        if not self.groups:
            return np.where(np.isnan(values), len(self.edges) + 1, np.searchsorted(self.edges, values, side="right"))
        places = np.full(len(values), len(self.groups), dtype=np.int64)
        for number, group in enumerate(self.groups):
            places[np.isin(values, group)] = number
        return places


class ScorecardPair(Struct, frozen=True):
    """Points of two fields together, beside those of each: a row for each bin of the first of `fields` (places in
    Scorecard.fields), a column for each of the second, missing values last. The smallest points are 0."""

    fields: tuple[int, int]
    points: tuple[tuple[int, ...], ...]


class Scorecard(Struct, frozen=True):
    """See above; `factor` as in Points. Fields whose points are all 0 and that are in no pair are left out."""

    base: int
    offset: float
    factor: float
    fields: tuple[ScorecardField, ...]
    pairs: tuple[ScorecardPair, ...] = ()


def sum_points(card: Scorecard, applicants: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Points of applicants, float64, shape (n, n_fields), categories as indices of levels: int64, shape (n,).

    Numbers that stand for a missing value must be NaN.
    """
    total = np.full(len(applicants), card.base, dtype=np.int64)
    places = [field.place(applicants[:, field.column]) for field in card.fields]
    for field, own in zip(card.fields, places, strict=True):
        total += np.array(field.points)[own]
    for pair in card.pairs:
        first, second = pair.fields
        total += np.array(pair.points)[places[first], places[second]]
    return total
