"""From a function that answers a whole body to an ASGI endpoint: reads within limits, keeps the event loop free."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from starlette.types import Receive, Scope, Send

from serve.exchange import Answer, Ask, Heavy, Reply
from serve.gate import Visit
from serve.problems import Refusal, our_failure, too_busy, too_large, too_slow
from serve.served import Served
from serve.settings import Settings

BYTES_ON_THE_LOOP = 32_768
"""A larger body is read, scored and answered in the worker thread, so that it never stalls the event loop."""

logger = logging.getLogger("credit")


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
    """An ASGI callable around a function from Ask to Reply. `route` names it in metrics.

    What fails in it becomes a problem here, since Starlette's own answer to it is not one.
    """

    def __init__(self, route: str, answer: Answer, settings: Settings, heavies: Heavyweights) -> None:
        self.route = route
        self._answer = answer
        self._settings = settings
        self._heavies = heavies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a Refusal becomes its problem."""
        visit: Visit = scope["visit"]
        visit.route = self.route
        try:
            body = await self._read(visit, scope, receive)
            # Taken when the body is whole: a model that was replaced while it arrived is not counted any more.
            served = visit.gate.served
            visit.model = served.name.version
            reply = await self._reply(served, body, scope)
        except Refusal as refusal:
            await visit.refuse(send, refusal)
            return
        except Disconnected:
            visit.status = 499
            return
        except Exception:
            logger.exception("request %s failed", visit.request_id.decode())
            await visit.refuse(send, our_failure())
            return
        if reply.batch:
            served.tally.count(reply.batch.applicants, reply.batch.scores.probability, reply.batch.scores.decision)
        visit.applicants = reply.applicants
        await visit.reply(send, reply.status, reply.content_type, reply.body, reply.headers)

    async def _reply(self, served: Served, body: bytes | bytearray, scope: Scope) -> Reply:
        headers, parameters = scope["headers"], scope.get("path_params", {})
        if len(body) <= BYTES_ON_THE_LOOP:
            try:
                return self._answer(Ask(served, body, headers, parameters, True))
            except Heavy:
                pass
        return await self._heavies.run(lambda: self._answer(Ask(served, body, headers, parameters, False)))

    async def _read(self, visit: Visit, scope: Scope, receive: Receive) -> bytes | bytearray:
        """The body; raises Refusal as soon as it is known to be too large or too slow."""
        most = self._settings.body_bytes
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value[:20]) > most:
                raise too_large("the body", f"{int(value[:20]):,} bytes", f"{most:,}")
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request needs a task of its own")
        visit.gate.reading[visit] = task
        body: bytes | bytearray = b""
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Disconnected
                part = message.get("body", b"")
                if not body:
                    body = part
                else:
                    # Gathered in place: a copy of all for each small part would take longer than the scoring.
                    body = body if isinstance(body, bytearray) else bytearray(body)
                    body += part
                if len(body) > most:
                    raise too_large("the body", f"more than {most:,} bytes", f"{most:,}")
                if not message.get("more_body", False):
                    return body
        except asyncio.CancelledError:
            if not visit.is_late:
                raise
            task.uncancel()
            raise too_slow(self._settings.body_seconds) from None
        finally:
            del visit.gate.reading[visit]
