"""Trial: a service that records decisions under load, while something happens to it or to its database.

Afterwards every answer that a client got must be on record exactly once, and nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from model.loading import load_model
from tests.decisions.ledger import Comparison, Ledger, compare
from tests.serve.running import SERVE, Service, running, wait_until

CONNECTIONS = 8

LOAD_SECONDS = 0.5
"""Time under load before a fault, and after it."""


@dataclass(frozen=True, slots=True)
class Result:
    """What clients got and the database holds after a fault.

    `seconds`: how long the service took to go on. `may_refuse`: whether it may have answered 503.
    """

    ledger: Ledger
    comparison: Comparison
    seconds: list[float]
    may_refuse: bool

    @property
    def faults(self) -> list[str]:
        """What is wrong."""
        faults = list(self.comparison.faults)
        if self.ledger.statuses[503] and not self.may_refuse:
            faults.append(f"{self.ledger.statuses[503]:,} answers of 503, expected none")
        if self.ledger.hung:
            faults.append(f"{self.ledger.hung} requests were never answered")
        if not self.comparison.answers:
            faults.append("no request was answered with 200")
        if set(self.ledger.statuses) - {200, 503}:
            faults.append(f"answers by status: {dict(self.ledger.statuses)}, expected 200 and 503")
        return faults


@dataclass(slots=True)
class Trial:
    """A service that records into a database, and the load on it."""

    content: bytes
    url: str
    folder: Path
    settings: dict[str, str]
    ledger: Ledger
    seconds: list[float]

    @contextmanager
    def serving(self, **settings: str) -> Iterator[Service]:
        """Run the service."""
        given = {"DECISIONS_URL": self.url, "DECISIONS_SPOOL": str(self.folder / "spool")} | self.settings | settings
        with running(self.folder, self.content, SERVE, **given) as service:
            yield service

    def load(self, service: Service, meanwhile: Callable[[], None]) -> None:
        """Post applicants while something happens, which runs in a thread."""
        asyncio.run(self._load(service.port, meanwhile))

    async def _load(self, port: int, meanwhile: Callable[[], None]) -> None:
        over = asyncio.Event()
        posting = asyncio.create_task(self.ledger.run(port, CONNECTIONS, over))
        try:
            await asyncio.to_thread(meanwhile)
        finally:
            over.set()
            await posting

    def wait_for_answers(self) -> None:
        """Wait until a further request is answered with 200, and note how long that took."""
        before, began = self.ledger.statuses[200], time.monotonic()
        wait_until(lambda: self.ledger.statuses[200] > before)
        self.seconds.append(time.monotonic() - began)

    def finish(self, *, may_refuse: bool = False, faults: Sequence[str] = ()) -> Result:
        """Compare answers and records; the service must have ended. `faults`: what was seen before."""
        comparison = compare(self.url, self.ledger)
        comparison.faults.extend(faults)
        return Result(self.ledger, comparison, self.seconds, may_refuse)


@contextmanager
def trial(content: bytes, url: str, **settings: str) -> Iterator[Trial]:
    """A trial in a temporary folder. `url`: of an empty database, or "" for a SQLite file in that folder."""
    with TemporaryDirectory(prefix="credit-decisions-") as folder:
        found = url or f"sqlite:///{folder}/decisions.db"
        yield Trial(content, found, Path(folder), settings, Ledger(load_model(content)), [])


def pause() -> None:
    """Let the load go on for a while."""
    time.sleep(LOAD_SECONDS)
