"""How many requests may wait for the event loop: as many as it answers in time, found out while it runs.

One thread answers all requests of a turn of its loop, one after another, and their answers leave together at the turn's
end. Meanwhile the next requests arrive, so that each may have waited for one turn before its own. Whoever would make a
turn longer than half of QUEUE_MS is refused on arrival (serve/connection.py), which costs a fraction of an answer.
"""

from __future__ import annotations

LEAST, MOST = 8, 4096
"""Requests of one turn: some are answered however slow the machine is, and a quick one is not without limit."""

FIRST = 256
"""Requests of the first turn, while nobody knows yet what one costs."""

MEMORY = 32
"""So many requests weigh as much as all those before them: what is asked may change within a second."""


class Admission:
    """The requests that wait for the loop, and how many may.

    `seconds`: what a request may take from its arrival to its answer, two turns. One turn takes in as many as fit into
    it by what a request has cost of late.
    """

    def __init__(self, seconds: float) -> None:
        self._turn = seconds / 2
        self._cost = self._turn / FIRST
        self._limit = float(FIRST)
        self._waiting = 0
        self._begun = 0

    def admit(self) -> bool:
        """Whether a request that has just arrived may wait; if so, it counts until it begins."""
        if self._waiting >= self._limit:
            return False
        self._waiting += 1
        return True

    def begin(self) -> None:
        """A request that was admitted is being answered, or is gone."""
        self._waiting -= 1
        self._begun += 1

    def end_turn(self, seconds: float) -> None:
        """A turn of the loop took so long, with all it began and all it refused."""
        begun, self._begun = self._begun, 0
        if not begun:
            return
        # Few requests say little of a crowd: alone, one costs more than in one run of the graph with others.
        self._cost += begun / (begun + MEMORY) * (seconds / begun - self._cost)
        self._limit = min(max(self._turn / max(self._cost, 1e-9), LEAST), MOST)
