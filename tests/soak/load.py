"""Closed-loop load: connections that repeat a request as soon as it is answered, and the outcome of every request."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

ANSWER_SECONDS = 20.0
"""A request without an answer for this long counts as hung."""

_find_length = re.compile(rb"\r\ncontent-length: (\d+)\r\n").search
_find_id = re.compile(rb"\r\nx-request-id: ([^\r]+)\r\n").search


@dataclass(slots=True)
class Outcome:
    """The outcome of requests, by id.

    `lost`: the connection ended before the answer. `hung`: no answer in time. `foreign`: answered with the id of
    another request, or with a body that was never right in the meantime.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    answered: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    hung: set[str] = field(default_factory=set)
    foreign: list[str] = field(default_factory=list)

    def find_faults(self, *, may_lose: bool = False) -> list[str]:
        """The answers that are not 200 with a right body."""
        faults = list(self.foreign)
        if set(self.statuses) != {200}:
            faults.append(f"answers by status: {dict(self.statuses)}, expected only 200")
        if self.hung or (self.lost and not may_lose):
            faults.append(f"{len(self.lost)} requests lost, {len(self.hung)} hung, expected none")
        return faults


class Load:
    """The same POST on many connections, each of which is reopened when it ends.

    `right`: the bodies that are right at the moment.
    """

    def __init__(self, port: int, path: str, body: bytes, right: frozenset[bytes]) -> None:
        self._port, self._body = port, body
        self._head = f"POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {len(body)}\r\nX-Request-ID: ".encode()
        self.right = right
        self.outcome = Outcome()

    async def run(self, connections: int, over: asyncio.Event) -> Outcome:
        """Repeat until stopped; returns the outcome of every request."""
        await asyncio.gather(*(self._ask_on(number, over) for number in range(connections)))
        return self.outcome

    async def _ask_on(self, number: int, over: asyncio.Event) -> None:
        ids = (f"{number}-{asked}" for asked in count())
        while not over.is_set():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except ConnectionError:
                # The service has ended.
                await asyncio.sleep(0.01)
                continue
            is_kept = True
            while is_kept and not over.is_set():
                id = next(ids)
                try:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        is_kept = await self._ask(reader, writer, id)
                except TimeoutError:
                    self.outcome.hung.add(id)
                    is_kept = False
                except (asyncio.IncompleteReadError, ConnectionError):
                    self.outcome.lost.add(id)
                    is_kept = False
            writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, id: str) -> bool:
        """Send one request; returns whether the connection is kept."""
        right, outcome = self.right, self.outcome
        writer.write(b"%b%b\r\n\r\n%b" % (self._head, id.encode(), self._body))
        head = await reader.readuntil(b"\r\n\r\n")
        length, found = _find_length(head), _find_id(head)
        body = await reader.readexactly(int(length[1])) if length else b""
        status = int(head[9:12])
        outcome.statuses[status] += 1
        outcome.answered.add(id)
        if found is None or found[1] != id.encode():
            outcome.foreign.append(f"{id} is answered with {head[:300]!r}")
        elif status == 200 and body not in right | self.right:
            outcome.foreign.append(f"{id} is answered with {body[:300]!r}")
        return b"\r\nconnection: close\r\n" not in head
