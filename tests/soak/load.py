"""A load generator: many kept connections, one request at a time on each, every answer's status and time noted.

Bare asyncio protocols: a client library would need several times what the service needs for an answer, and the service
would never be overloaded from the same machine.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

ANSWER_SECONDS = 10.0
"""Whoever waits longer than this for an answer hangs."""

PACE_SECONDS = 0.001


@dataclass(slots=True)
class Outcome:
    """What became of the requests: how long the accepted ones took in seconds, statuses, and what was lost.

    `lost`: requests sent whose connection ended before their answer; `hung`: requests without an answer in the end;
    `skipped`: requests that were due while every connection waited for an answer.
    """

    seconds: float = 0.0
    accepted: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    hung: int = 0
    skipped: int = 0

    @property
    def rate(self) -> float:
        """Accepted requests a second."""
        return len(self.accepted) / self.seconds

    def quantile(self, share: float) -> float:
        """Milliseconds within which this share of the accepted requests was answered."""
        return float(np.quantile(self.accepted, share)) * 1000


def post(path: str, body: Any) -> bytes:
    """The bytes of a POST request."""
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
    )
    return f"{head}\r\n\r\n".encode() + content


class Caller(asyncio.Protocol):
    """One connection; connects again when the service has closed it."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._received = bytearray()
        self._needed = 0
        self.sent_at = 0.0
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ready to ask."""
        self.transport = transport
        self._load.is_ready(self)

    def ask(self, request: bytes) -> None:
        """Send a request."""
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Note an answer when it is complete."""
        received = self._received
        received += data
        if not self._needed:
            end = received.find(b"\r\n\r\n")
            if end < 0:
                return
            at = received.find(b"content-length: ") + 16
            self._needed = end + 4 + int(received[at : received.find(b"\r\n", at)])
        if len(received) < self._needed:
            return
        status, is_last = int(received[9:12]), b"connection: close" in received
        received.clear()
        self._needed = 0
        seconds, self.sent_at = time.perf_counter() - self.sent_at, 0.0
        self._load.has_answer(status, seconds)
        if is_last:
            self.transport.close()
        else:
            self._load.is_ready(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Whatever was asked on it and not answered is lost."""
        self._load.has_ended(self)


class Load:
    """Connections to a service that ask the same request again and again."""

    def __init__(self, port: int, request: bytes) -> None:
        self._port = port
        self._request = request
        self._callers: set[Caller] = set()
        self._idle: list[Caller] = []
        self._is_closed_loop = False
        self._is_running = False
        self.outcome = Outcome()

    async def connect(self, connections: int) -> None:
        """Open so many connections."""
        for _ in range(connections):
            await self._connect()

    async def run(
        self, seconds: float, rate: float | None = None, until: Callable[[], bool] = lambda: False
    ) -> Outcome:
        """Ask for so long: `rate` requests a second, or on each connection as soon as it has its answer."""
        self.outcome = outcome = Outcome()
        self._is_running, self._is_closed_loop = True, rate is None
        started = time.perf_counter()
        if rate is None:
            for caller in self._take(len(self._idle)):
                caller.ask(self._request)
        asked = 0
        while (passed := time.perf_counter() - started) < seconds and not until():
            if rate is not None:
                due = int(passed * rate) - asked
                callers = self._take(due)
                for caller in callers:
                    caller.ask(self._request)
                asked += due
                outcome.skipped += due - len(callers)
            await asyncio.sleep(PACE_SECONDS)
        self._is_running = False
        outcome.seconds = time.perf_counter() - started
        ends = time.perf_counter() + ANSWER_SECONDS
        while any(caller.sent_at for caller in self._callers) and time.perf_counter() < ends:
            await asyncio.sleep(PACE_SECONDS)
        outcome.hung = sum(1 for caller in self._callers if caller.sent_at)
        return outcome

    async def close(self) -> None:
        """Close every connection."""
        for caller in list(self._callers):
            caller.transport.close()
        while self._callers:
            await asyncio.sleep(PACE_SECONDS)

    def is_ready(self, caller: Caller) -> None:
        """A connection may ask."""
        if self._is_running and self._is_closed_loop:
            caller.ask(self._request)
        else:
            self._idle.append(caller)

    def has_answer(self, status: int, seconds: float) -> None:
        """An answer is complete."""
        self.outcome.statuses[status] += 1
        if status == 200:
            self.outcome.accepted.append(seconds)

    def has_ended(self, caller: Caller) -> None:
        """A connection is closed."""
        self._callers.discard(caller)
        if caller in self._idle:
            self._idle.remove(caller)
        self.outcome.lost += caller.sent_at > 0

    def _take(self, most: int) -> list[Caller]:
        # The connection that has waited longest first, so that all are in use.
        taken, self._idle = self._idle[:most], self._idle[most:]
        return taken

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        caller = Caller(self)
        self._callers.add(caller)
        await loop.create_connection(lambda: caller, "127.0.0.1", self._port)
