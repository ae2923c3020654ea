"""Counts applicants in the bins of the model file where decisions aren't recorded: drift then comes from /metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np
from msgspec import Struct

from model.bins import Bins, Counts, find_bins, name_bins, published_counts
from model.contract import Contract, Field
from model.session import Matrix

VALUES_PER_FLUSH = 250_000
"""Values counted from one flush to the next, a second later: applicants × fields. More would not sharpen an index, and
counting all of every large body would take a tenth of the time of answering it."""


class BinSeries(Struct, frozen=True):
    """One bin: its labels, `field` "" for the probability, its place in the counts, and its training applicants."""

    field: str
    bin: str
    place: int
    reference: int


def list_bins(contract: Contract) -> tuple[Bins, ...]:
    """The bins of each field, then of the probability; empty for a model without bins."""
    return (*contract.bins, contract.probability_bins) if contract.probability_bins else ()


def list_series(fields: Sequence[Field], bins: Sequence[Bins]) -> list[BinSeries]:
    """The bins that an applicant can be in; `bins` as `list_bins` gives them."""
    starts = accumulate(map(_width, bins), initial=0)
    return [one for given in zip([*fields, None], bins, starts, strict=False) for one in _list_series(*given)]


def _list_series(field: Field | None, bins: Bins, start: int) -> Iterator[BinSeries]:
    size = len(bins.counts)
    levels = set(range(len(field.levels))) if field and bins.levels else set()
    has_missing = bins.missing > 0 or (field is not None and field.nullable)
    is_possible = [*[True] * size, has_missing, bool(levels.difference(*bins.levels))]
    for place, (name, count) in enumerate(
        zip(name_bins(bins, field.levels if field else ()), published_counts(bins).tolist(), strict=True)
    ):
        if is_possible[place]:
            # The number keeps names apart and in order: a level may be called "missing".
            yield BinSeries(field.name if field else "", f"{place + 1:02d}: {name}", start + place, count)


class BinCounter:
    """Counts in the layout of `count_values`, field after field, then the probability: int64, shape (size,)."""

    def __init__(self, fields: Sequence[Field], bins: Sequence[Bins]) -> None:
        self._probability = bins[-1]
        *starts, self._start, self.size = accumulate(map(_width, bins), initial=0)
        of_fields = list(zip(fields, bins[:-1], starts, strict=True))
        self._numbers = [number for number, (_, one, _) in enumerate(of_fields) if not one.levels]
        self._categories = [number for number, (_, one, _) in enumerate(of_fields) if one.levels]
        depth = max((len(bins[number].edges) for number in self._numbers), default=0)
        # Row i: the (i + 1)-th edge of each number, or infinity.
        self._edges = np.full((depth, len(self._numbers)), np.inf)
        for column, number in enumerate(self._numbers):
            self._edges[: len(bins[number].edges), column] = bins[number].edges
        self._starts = np.array([starts[number] for number in self._numbers], np.int64)
        self._sizes = np.array([len(bins[number].counts) for number in self._numbers], np.int64)
        # The place of each level, and of a missing value, of all categories in turn.
        widths = [len(fields[number].levels) + 1 for number in self._categories]
        self._offsets = np.array([*accumulate(widths, initial=0)][:-1], np.int64)
        self._missing = np.array(widths, np.float64) - 1
        places = [
            starts[number] + find_bins(np.array([*range(width - 1), np.nan]), bins[number])
            for number, width in zip(self._categories, widths, strict=True)
        ]
        self._places = np.concatenate(places) if places else np.zeros(0, np.int64)

    def count(self, applicants: Matrix, probability: Matrix) -> Counts:
        """Count n applicants, float64, shape (n, n_fields), and their probabilities, shape (n,)."""
        counts = np.zeros(self.size, np.int64)
        counts[self._start :] = np.bincount(
            find_bins(probability, self._probability), minlength=self.size - self._start
        )
        if self._numbers:
            self._count_numbers(applicants[:, self._numbers], counts)
        if self._categories:
            given = applicants[:, self._categories]
            levels = np.where(np.isnan(given), self._missing, given).astype(np.int64) + self._offsets
            counts += np.bincount(self._places[levels].ravel(), minlength=self.size)
        return counts

    def _count_numbers(self, values: Matrix, counts: Counts) -> None:
        """Add all numbers at once, by how many exceed each edge: two to seven times as fast as a search by field."""
        n, ones = len(values), np.ones(len(values), np.float32)
        missing = ones @ np.isnan(values).astype(np.float32)
        above = [n - missing, *(ones @ (values > edges).astype(np.float32) for edges in self._edges)]
        inside = -np.diff(np.array([*above, np.zeros_like(missing)]), axis=0)
        counts[self._starts + self._sizes] = missing
        for place, found in enumerate(inside):
            is_bin = place < self._sizes
            counts[self._starts[is_bin] + place] = found[is_bin]


def _width(bins: Bins) -> int:
    return len(bins.counts) + 2
