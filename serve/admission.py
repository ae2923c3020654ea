"""How many requests may wait for the event loop: as many as it answers in time, found out while it runs.

One thread answers all requests of a turn of its loop, one after another, and their answers leave together at the turn's
end. Meanwhile the next requests arrive, so that each may have waited for one turn before its own. Whoever would make a
turn longer than QUEUE_MS is refused on arrival (serve/connection.py), which costs a fraction of an answer.
"""

from __future__ import annotations

LEAST, MOST = 8, 4096
"""Requests of one turn: some are answered however slow the machine is, and a quick one is not without limit."""

GROWTH, SHRINKAGE = 1.1, 0.5
"""By how much the limit changes at most from one turn to the next."""


class Admission:
    """The requests that wait for the loop, and how many may."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._limit = 256.0
        self._waiting = 0

    def admit(self) -> bool:
        """Whether a request that has just arrived may wait; if so, it counts until it begins."""
        if self._waiting >= self._limit:
            return False
        self._waiting += 1
        return True

    def begin(self) -> None:
        """A request that was admitted is being answered, or is gone."""
        self._waiting -= 1

    def end_turn(self, seconds: float) -> None:
        """A turn of the loop took so long: let in fewer if that was too long, more if not."""
        change = min(max(self._seconds / max(seconds, 1e-6), SHRINKAGE), GROWTH)
        self._limit = min(max(self._limit * change, LEAST), MOST)
