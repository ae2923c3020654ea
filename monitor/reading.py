"""Reading tallies: the sums of a series over any days, and over the last hours and days by slots of ten minutes."""

from __future__ import annotations

from decisions.reading import select_in
from decisions.store import Store
from model.bins import Counts
from monitor.tally import DAY, SLOT, read_counts, sum_counts

HOUR = 3_600

WEEK = 7 * DAY

WEEKS = 26
"""Weeks that are read, this one included."""

_TALLIES = "SELECT series, width, start, counts FROM tallies"

_RECORDS = """
SELECT chains.sequence, coalesce(tallied.sequence, 0),
    (SELECT min(records.sequence) FROM records WHERE records.chain = chains.chain)
FROM chains LEFT JOIN tallied ON tallied.chain = chains.chain
"""


class Tallies:
    """The tallies that the summary at a time (seconds since 1970) needs.

    Days of all series, and the slots of a sliding hour, day and week of all decisions and of the series `shadow`.
    """

    def __init__(self, store: Store, shadow: str, at: int) -> None:
        first = find_monday(at) - (WEEKS - 1) * WEEK
        midnight = (at - WEEK) // DAY * DAY + DAY
        days = f"{_TALLIES} WHERE width = {DAY} AND start >= {first:d}"
        rows = list(store.query(days))
        lately = {series for series, _, start, _ in rows if _is_decisions(series) and start >= midnight - DAY}
        # A week is made of its whole days, and of slots before the first and after the last of them.
        ends = f"start < {midnight:d} OR start >= {_slot(at - DAY):d}"
        slots = f"{_TALLIES} WHERE width = {SLOT} AND start >= {_slot(at - WEEK):d} AND ({ends}) AND series IN"
        rows += select_in(store, slots, [shadow, *sorted(lately)])
        self._vectors: dict[tuple[str, int], dict[int, Counts]] = {}
        for series, width, start, counts in rows:
            self._vectors.setdefault((series, width), {})[start] = read_counts(counts)
        self.at = at

    def list_models(self, kind: str) -> list[str]:
        """SHA-256 of the models that have a series of this kind: "decisions" or "reviews"."""
        parts = [series.partition(" ") for series, width in self._vectors if width == DAY]
        return [sha for name, _, sha in parts if name == kind]

    def first_day(self) -> int | None:
        """Start of the first day with decisions, seconds since 1970."""
        starts = [min(found) for (series, width), found in self._vectors.items() if _is_decisions(series)]
        return min(starts, default=None)

    def sum_days(self, series: str, start: int, end: int) -> Counts:
        """The sum over whole days, seconds since 1970."""
        return self._sum((series, DAY), start, end)

    def sum_latest(self, series: str, seconds: int) -> tuple[int, Counts]:
        """Start of a sliding window, and the sum over it: of so many seconds, and less than a slot more."""
        start, end = _slot(self.at - seconds), _slot(self.at) + SLOT
        first, last = -(-start // DAY) * DAY, end // DAY * DAY
        if first >= last:
            return start, self._sum((series, SLOT), start, end)
        slots = self._sum((series, SLOT), start, first), self._sum((series, SLOT), last, end)
        return start, sum_counts([self.sum_days(series, first, last), *slots])

    def _sum(self, key: tuple[str, int], start: int, end: int) -> Counts:
        return sum_counts([vector for at, vector in self._vectors.get(key, {}).items() if start <= at < end])


def count_records(store: Store) -> tuple[int, int]:
    """How many records are in the tallies, and how many aren't yet; raises StoreError."""
    counted = waiting = 0
    for head, tallied, first in store.query(_RECORDS):
        # Only the first records of a chain are ever deleted.
        deleted = head if first is None else first - 1
        waiting += head - max(tallied, deleted)
        counted += max(tallied, deleted) - deleted
    return counted, waiting


def find_monday(at: int) -> int:
    """Start of the week of a time, seconds since 1970, which was a Thursday."""
    day = at // DAY
    return (day - (day + 3) % 7) * DAY


def _is_decisions(series: str) -> bool:
    return series.startswith("decisions ")


def _slot(at: int) -> int:
    return at // SLOT * SLOT
