"""The gate that every request passes: who may, how many at once, what is noted; and the shortest way to an answer.

An ASGI callable in front of the Starlette application. The paths that decide on applicants go straight to their
endpoint, before routing and middleware, which would take longer than the decision; all others go through Starlette,
which is made when the first of them comes: a worker listens sooner, and one that only decides needs less memory.
Everything that holds for all requests is here, once: keys, shedding, request ids, headers, metrics, the log.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from serve.admission import Admission
from serve.exchange import Reply, Work
from serve.logs import RequestLog
from serve.problems import Refusal, no_key, too_busy
from serve.served import Served
from serve.settings import Settings
from serve.traffic import Traffic
from serve.visit import Visit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from serve.endpoint import Endpoint

_is_request_id = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}").fullmatch

READ = frozenset({b"x-request-id", b"authorization", b"x-api-key", b"content-length"})

HEALTH = frozenset({"/livez", "/readyz", "/v2/health/live", "/v2/health/ready"})
"""Answered without a key, and however busy."""

logger = logging.getLogger("credit")


class Asking(Protocol):
    """A connection that waits for its answer."""

    def answer(self, visit: Visit, reply: Reply | Exception) -> None:
        """Send what a visit gets."""


class Waiting(Struct, frozen=True):
    """A request that is answered when the turn of the loop ends, together with the others of the turn."""

    connection: Asking
    visit: Visit
    work: Work


WORK_AT_ONCE = 1_000
"""Rows without reasons, or what takes as long, that one run of the graph answers."""


class Gate:
    """The service as ASGI sees it. `served` is the model in service."""

    def __init__(
        self,
        served: Served,
        settings: Settings,
        open_paths: Collection[str],
        traffic: Traffic,
    ) -> None:
        self.served = served
        self.settings = settings
        self.traffic = traffic
        self.log = RequestLog() if settings.log_level in ("info", "debug") else None
        self.is_draining = False
        self.queue: list[Waiting] = []
        self._answered: list[tuple[Visit, str, float]] = []
        self.reading: dict[Visit, asyncio.Task[Any] | None] = {}
        self.admission = Admission(settings.queue_ms / 1000)
        self._open = HEALTH.union(open_paths)
        self._keys = [key.encode() for key in settings.api_keys]
        self._longest_wait = settings.queue_ms / 1000
        self.turn_started = 0.0
        # A request id of our own: drawn once a process, then counted.
        self._prefix = os.urandom(6).hex().encode()
        self._count = 0

    def stand_before(
        self,
        make_app: Callable[[], ASGIApp],
        direct: Mapping[bytes, Endpoint],
        live: Callable[[], AbstractAsyncContextManager[None]],
    ) -> None:
        """Pass requests on to an application, a POST to one of the paths of `direct` to that endpoint.

        `live`: what goes on from the start of the server to its end.
        """
        self._make_app, self.direct, self._live = make_app, direct, live

    @cached_property
    def app(self) -> ASGIApp:
        """The application, made when first asked for."""
        return self._make_app()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or live as long as the server."""
        if scope["type"] == "lifespan":
            await receive()
            async with self._live():
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        if "admitted" in scope:
            self.admission.begin()
        visit = self.open(scope["headers"], asyncio.get_running_loop())
        visit.send_on = send
        method, path = scope["method"], scope["path"]
        direct = self.direct.get(path.encode("utf-8", "replace"))
        if direct:
            visit.route = direct.route
        self.traffic.enter()
        try:
            refusal = self.refuse(visit, method, path)
            if refusal:
                await visit.refuse(visit.send, refusal)
            else:
                scope["visit"] = visit
                await self.app(scope, receive, visit.send)
        finally:
            # The scope knows the visit, which knows how to send, which knows the scope: that must not wait for the
            # garbage collector.
            scope.pop("visit", None)
            self.traffic.exit()
            self.note(visit, method, path)

    def open(self, headers: Sequence[tuple[bytes, bytes]], loop: asyncio.AbstractEventLoop) -> Visit:
        """A visit begins; all those of one turn of the loop had arrived before it began."""
        visit = Visit(self, self.begin_turn(loop))
        self._read_headers(visit, headers)
        return visit

    def begin_turn(self, loop: asyncio.AbstractEventLoop) -> float:
        """See to it that what waits is answered when this turn of the loop ends; the time now."""
        now = perf_counter()
        if not self.turn_started:
            self.turn_started = now
            loop.call_soon(self._end_turn)
        return now

    def refuse(self, visit: Visit, method: str, path: str) -> Refusal | None:
        """Why a visit ends here, if it does: no key, or it has waited too long already."""
        if self._keys and path not in self._open and not self._may_pass(visit, method):
            return no_key()
        if perf_counter() - self.turn_started > self._longest_wait and self.turn_started and path not in HEALTH:
            return too_busy()
        return None

    def note(self, visit: Visit, method: str, path: str) -> None:
        """A visit has ended: count it and write its line."""
        self._note(visit, method, path, perf_counter())
        if self.log and not self.turn_started:
            self.log.flush()

    def note_later(self, visit: Visit, path: str) -> None:
        """A POST of this turn has its answer: it is noted when that has left."""
        self._answered.append((visit, path, perf_counter()))

    def _note(self, visit: Visit, method: str, path: str, ended: float) -> None:
        seconds = ended - visit.started
        self.traffic.count(visit.route, visit.status, seconds)
        if self.log:
            version = visit.model or self.served.name.version
            self.log.add(visit.request_id, method, path, visit.status, seconds, visit.applicants, version)

    def _note_turn(self) -> None:
        answered, self._answered = self._answered, []
        for visit, path, ended in answered:
            self._note(visit, "POST", path, ended)
        if self.log:
            self.log.flush()

    def log_failure(self, visit: Visit, error: Exception) -> None:
        """Say what failed, with its trace, to those who read the log."""
        logger.error("request %s failed", visit.request_id.decode(), exc_info=error)

    def shed(self, method: str, url: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Visit:
        """Note a request that is refused on arrival."""
        visit = Visit(self, perf_counter())
        self._read_headers(visit, headers)
        if url in self.direct:
            visit.route = self.direct[url].route
        visit.status = 503
        self.note(visit, method, url.decode("latin-1"))
        return visit

    def next_id(self) -> bytes:
        """An id for a request that brought none."""
        self._count += 1
        return b"%s-%x" % (self._prefix, self._count)

    def put_in_service(self, served: Served) -> None:
        """Take another model; what waits was read for the present one, which answers it."""
        self._answer_queue()
        self.served.tally.flush()
        self.served = served

    def sweep(self) -> None:
        """Give up the bodies that take too long, and count what was kept aside; once a second, on the loop."""
        late = perf_counter() - self.settings.body_seconds
        for visit, task in list(self.reading.items()):
            if visit.started < late and task:
                visit.is_late = True
                task.cancel()
        self.served.tally.flush()

    def _read_headers(self, visit: Visit, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Take what the gate needs of the headers; a request without an id gets one."""
        for name, value in headers:
            if name in READ:
                if name == b"content-length":
                    visit.length = value
                elif name == b"x-api-key":
                    visit.key = value
                elif name == b"authorization":
                    if value[:7].lower() == b"bearer ":
                        visit.key = value[7:].strip()
                elif _is_request_id(value):
                    visit.request_id = value
        if not visit.request_id:
            visit.request_id = self.next_id()

    def _may_pass(self, visit: Visit, method: str) -> bool:
        """Whether a request carries one of the keys, or is a browser's question whether it may carry one."""
        if self.settings.cors_origins and method == "OPTIONS":
            return True
        # Every key is compared, in constant time each: how long it takes tells nothing.
        return sum([hmac.compare_digest(visit.key, known) for known in self._keys]) > 0

    def _end_turn(self) -> None:
        """Answer what came in this turn of the loop, together."""
        self._answer_queue()
        self.admission.end_turn(perf_counter() - self.turn_started)
        self.turn_started = 0.0
        # The loop sends the answers when this turn is over: they needn't wait for what is noted of them.
        asyncio.get_running_loop().call_soon(self._note_turn)

    def _answer_queue(self) -> None:
        queue, self.queue = self.queue, []
        start, weight = 0, 0
        for place, waiting in enumerate(queue, 1):
            self.admission.begin()
            weight += waiting.work.weight
            if weight >= WORK_AT_ONCE or place == len(queue):
                self._answer(queue[start:place])
                start, weight = place, 0

    def _answer(self, part: Sequence[Waiting]) -> None:
        try:
            replies = self.served.run([waiting.work for waiting in part])
        except Exception as error:  # noqa: BLE001 - each of them gets it
            replies = [error] * len(part)
        for waiting, reply in zip(part, replies, strict=True):
            waiting.connection.answer(waiting.visit, reply)
