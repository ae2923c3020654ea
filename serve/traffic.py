"""How much is asked, how it is answered and how long that takes, for /metrics."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from serve.counters import Key, Ledger

STATUSES = (200, 400, 401, 404, 405, 408, 413, 500, 503)
SECONDS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Upper ends of the bins of the latency histogram."""


class Traffic:
    """Requests by route and status, their durations, and how many are in flight, of one process."""

    def __init__(self, routes: tuple[str, ...], ledger: Ledger) -> None:
        names = [*routes, "other"]
        statuses = [*map(str, STATUSES), "other"]
        bins = [*(f"{edge:g}" for edge in SECONDS), "+Inf"]
        keys: list[Key] = [("in_flight", ())]
        keys += [("requests", (name, status)) for name in names for status in statuses]
        keys += [("seconds", (name, edge)) for name in names for edge in bins]
        keys += [("seconds_sum", (name,)) for name in names]
        self._view: Any = ledger.open(keys).view
        places = {key: place for place, key in enumerate(keys)}
        self._status = {name: places["requests", (name, statuses[0])] for name in names}
        self._place_of_status = {status: place for place, status in enumerate(STATUSES)}
        self._bin = {name: places["seconds", (name, bins[0])] for name in names}
        self._sum = {name: places["seconds_sum", (name,)] for name in names}

    def enter(self) -> None:
        """A request begins."""
        self._view[0] += 1

    def exit(self) -> None:
        """It ends."""
        self._view[0] -= 1

    def count(self, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        view = self._view
        view[self._status[route] + self._place_of_status.get(status, len(STATUSES))] += 1
        view[self._bin[route] + bisect_left(SECONDS, seconds)] += 1
        view[self._sum[route]] += seconds
