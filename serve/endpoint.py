"""From a function that answers a whole body to an ASGI endpoint: reads within limits, keeps the event loop free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from starlette.types import Receive, Scope, Send

from serve.exchange import Answer, Ask, Header, Heavy, Reply
from serve.gate import Visit
from serve.problems import Refusal, too_busy, too_large, too_slow
from serve.served import Served
from serve.settings import Settings

BYTES_ON_THE_LOOP = 32_768
"""A larger body is read, scored and answered in the worker thread, so that it never stalls the event loop."""


class Disconnected(Exception):
    """The client hung up in the middle of its body: nobody is there to read an answer."""


class Heavyweights:
    """The one worker thread for what takes long, and how many may wait for it.

    One: more of them would share the same lock with the event loop, and delay small requests the more.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="large-bodies")

    async def run(self, call: Callable[[], Reply]) -> Reply:
        """Run a call in the thread; raises Refusal if too many wait already."""
        if self._waiting >= self._most:
            raise too_busy(f"{self._waiting} large bodies wait already; try again in a second, or send smaller ones")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        finally:
            self._waiting -= 1


class Endpoint:
    """An ASGI callable around a function from Ask to Reply. `route` names it in metrics."""

    def __init__(self, route: str, answer: Answer, settings: Settings, heavies: Heavyweights) -> None:
        self.route = route
        self._answer = answer
        self._settings = settings
        self._heavies = heavies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a Refusal becomes its problem."""
        visit: Visit = scope["visit"]
        visit.route = self.route
        headers, parameters = scope["headers"], scope.get("path_params", {})
        try:
            body = await self._read(visit, receive)
            try:
                reply = self.answer_now(visit, headers, body, parameters)
            except Heavy:
                ask = Ask(visit.gate.served, body, headers, parameters, False)
                reply = await self._heavies.run(lambda: self._answer(ask))
                self._count(visit, reply, ask.served)
        except Refusal as refusal:
            await visit.refuse(refusal)
        except Disconnected:
            visit.status = 499
        else:
            await visit.reply(reply.status, reply.content_type, reply.body, reply.headers)

    def answer_now(
        self, visit: Visit, headers: Sequence[Header], body: bytes | bytearray, parameters: dict[str, Any] | None = None
    ) -> Reply:
        """Answer a whole request on the event loop; raises Heavy for what would hold it up, or Refusal."""
        visit.route = self.route
        if len(body) > BYTES_ON_THE_LOOP:
            raise Heavy
        served = visit.gate.served
        reply = self._answer(Ask(served, body, headers, parameters or {}, True))
        self._count(visit, reply, served)
        return reply

    def _count(self, visit: Visit, reply: Reply, served: Served) -> None:
        visit.applicants = reply.applicants
        if reply.batch:
            scores = reply.batch.scores
            served.tally.count(reply.batch.applicants, scores.probability, scores.decision)

    async def _read(self, visit: Visit, receive: Receive) -> bytes | bytearray:
        """The body; raises Refusal as soon as it is known to be too large or too slow."""
        most = self._settings.body_bytes
        if visit.length.isdigit() and int(visit.length[:20]) > most:
            raise too_large("the body", f"{int(visit.length[:20]):,} bytes", f"{most:,}")
        reading = visit.gate.reading
        task = reading[visit] = asyncio.current_task()
        body: bytes | bytearray = b""
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                body = body + message["body"] if body else message.get("body", b"")
                if len(body) > most:
                    raise too_large("the body", f"more than {most:,} bytes", f"{most:,}")
                if not message.get("more_body", False):
                    return body
        except asyncio.CancelledError:
            if not visit.is_late or task is None:
                raise
            task.uncancel()
            raise too_slow(self._settings.body_seconds) from None
        finally:
            del reading[visit]
