"""From a function that answers a whole body to an ASGI endpoint: reads within limits, keeps the event loop free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from msgspec import structs

from serve.exchange import HEADER_LENGTH, Answer, Ask, Heavy, Reply, Work
from serve.problems import Refusal, our_failure, too_busy, too_large, too_slow
from serve.served import Batch
from serve.settings import Settings
from serve.visit import Visit

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

BYTES_ON_THE_LOOP = 32_768
"""A larger body is read, scored and answered in the worker thread, so that it never stalls the event loop; unless it is
one that should hold nothing but numbers, which take less reading."""

NUMBERS_ON_THE_LOOP = 163_840
"""Bytes of a POST /predict that is answered on the event loop: a millisecond in all."""

RAW_ON_THE_LOOP, HEAD_OF_RAW = 262_144, 4_096
"""Bytes of a body of raw numbers that is answered on the event loop, and of the JSON before them."""

WORK_ON_THE_LOOP = 1_000
"""Rows without reasons, some 2 ms in all: more is done in the worker thread."""


class Disconnected(Exception):
    """The client hung up in the middle of its body: nobody is there to read an answer."""


Result = TypeVar("Result")


class Heavyweights:
    """The one worker thread for what takes long, and how many may wait for it.

    One: more of them would share the same lock with the event loop, and delay small requests the more.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="large-bodies")

    async def run(self, call: Callable[[], Result]) -> Result:
        """Run a call in the thread; raises Refusal if too many wait already."""
        if self._waiting >= self._most:
            raise too_busy(f"{self._waiting} large bodies wait already; try again in a second, or send smaller ones")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        finally:
            self._waiting -= 1


def _is_raw(ask: Ask) -> bool:
    """Whether all of a body but a short head of JSON is raw numbers; texts, even named by escapes, are to be read."""
    length = ask.header(HEADER_LENGTH)
    if len(ask.body) > RAW_ON_THE_LOOP or not length.isdigit() or len(length) > 4 or int(length) > HEAD_OF_RAW:
        return False
    head = ask.body[: int(length)]
    return b"BYTES" not in head and b"\\" not in head


def _count(letter: bytes, body: bytes | bytearray) -> int:
    """`body.count(letter)`, in a fifth of the time where there are many."""
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord(letter)))


def _answer_apart(answer: Answer, ask: Ask) -> tuple[Reply, Batch | None]:
    """Answer in the worker thread."""
    begun = answer(ask)
    return (begun, None) if isinstance(begun, Reply) else ask.served.run_apart(begun)


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
            body = await self._read(visit, receive)
            # Taken when the body is whole: a model that was replaced while it arrived is not counted any more.
            parameters, query = scope.get("path_params", {}), scope["query_string"]
            ask = Ask(visit.gate.served, body, scope["headers"], parameters, query)
            visit.model = ask.served.name.version
            try:
                if "is_heavy" in scope:
                    raise Heavy  # noqa: TRY301 - found out by serve/connection.py
                reply = self._answer_here(visit, ask)
            except Heavy:
                apart = structs.replace(ask, is_on_loop=False)
                reply, batch = await self._heavies.run(lambda: _answer_apart(self._answer, apart))
                if batch:
                    ask.served.tally.keep(batch.applicants, batch.scores)
            visit.applicants = reply.applicants
        except Refusal as refusal:
            await visit.refuse(send, refusal)
        except Disconnected:
            visit.status = 499
        except Exception as error:  # noqa: BLE001 - Starlette's own answer to it is no problem document
            visit.gate.log_failure(visit, error)
            await visit.refuse(send, our_failure())
        else:
            await visit.reply(send, reply.status, reply.content_type, reply.body, reply.headers)

    def begin(self, visit: Visit, ask: Ask) -> Reply | Work:
        """Read a whole request on the event loop; raises Heavy for what would hold it up, or Refusal."""
        visit.route, visit.model = self.route, ask.served.name.version
        if len(ask.body) > BYTES_ON_THE_LOOP and not self._is_of_numbers(ask):
            raise Heavy
        begun = self._answer(ask)
        if isinstance(begun, Work) and begun.weight > WORK_ON_THE_LOOP:
            raise Heavy
        return begun

    def _is_of_numbers(self, ask: Ask) -> bool:
        """Whether a large body should be one of numbers, and is small enough for the event loop."""
        if self.route == "/predict":
            # As many rows as brackets, less one: more of them would be read here only to be read again in the thread.
            return len(ask.body) <= NUMBERS_ON_THE_LOOP and _count(b"[", ask.body) <= WORK_ON_THE_LOOP + 1
        return self.route.endswith("/infer") and _is_raw(ask)

    def _answer_here(self, visit: Visit, ask: Ask) -> Reply:
        begun = self.begin(visit, ask)
        if isinstance(begun, Reply):
            return begun
        (reply,) = ask.served.run([begun])
        if isinstance(reply, Exception):
            raise reply
        return reply

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
            if not visit.is_late or task is None:
                raise
            task.uncancel()
            raise too_slow(self._settings.body_seconds) from None
        finally:
            del reading[visit]
