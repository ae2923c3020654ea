"""The gate that every request passes: who may, how many at once, what is noted; and the shortest way to an answer.

An ASGI callable around the Starlette application. The paths that decide on applicants go straight to their endpoint,
before routing and middleware, which would take longer than the decision; all others go through Starlette. Everything
that holds for all requests is here, once: keys, shedding, request ids, headers, metrics, the log.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import re
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.admission import Admission
from serve.logs import Line, RequestLog
from serve.problems import Refusal, no_key, too_busy
from serve.served import Served
from serve.settings import Settings
from serve.traffic import Traffic

_is_request_id = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}").fullmatch

HEADERS = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
"""With every answer: nothing about an applicant is kept by anybody on the way."""

CLOSE = (b"connection", b"close")

PROBLEM = b"application/problem+json"

HEALTH = frozenset({"/livez", "/readyz", "/v2/health/live", "/v2/health/ready"})
"""Answered without a key, and however busy."""


async def _send_nothing(message: Message) -> None:
    """For visits that are answered by others."""


class Visit:
    """One request on its way through the gate."""

    __slots__ = (
        "applicants",
        "gate",
        "headers",
        "is_late",
        "model",
        "request_id",
        "route",
        "send_on",
        "started",
        "status",
    )

    def __init__(self, gate: Gate, send: Send) -> None:
        self.gate = gate
        self.send_on = send
        self.started = time.perf_counter()
        self.request_id = b""
        self.route = "other"
        self.status = 0
        self.applicants = 0
        self.model = ""
        self.is_late = False

    async def send(self, message: Message) -> None:
        """Pass a message on, an answer's head with the headers that all answers have."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *HEADERS, (b"x-request-id", self.request_id)]
            if self.gate.is_draining:
                message["headers"].append(CLOSE)
        await self.send_on(message)

    async def reply(
        self, send: Send, status: int, content_type: bytes, body: bytes, headers: Sequence[Any] = ()
    ) -> None:
        """Send a whole answer, through whatever middleware has put before `send`."""
        length = str(len(body)).encode()
        head = [(b"content-type", content_type), (b"content-length", length), *headers]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})

    async def refuse(self, send: Send, refusal: Refusal) -> None:
        """Send a problem."""
        await self.reply(send, refusal.status, PROBLEM, refusal.body(self.request_id.decode()), refusal.headers)


class Gate:
    """The service as ASGI sees it. `served` is the model in service; assigning another one puts that in service."""

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
        self.reading: dict[Visit, asyncio.Task[Any]] = {}
        self._open = HEALTH.union(open_paths)
        self._keys = [key.encode() for key in settings.api_keys]
        self._longest_wait = settings.queue_ms / 1000
        self.admission = Admission(self._longest_wait)
        self._turn_started = 0.0
        # A request id of our own: drawn once a process, then counted.
        self._prefix = os.urandom(6).hex().encode()
        self._count = 0

    def stand_before(self, app: ASGIApp, direct: Mapping[str, ASGIApp]) -> None:
        """Pass requests on to an application, a POST to one of the paths of `direct` to that."""
        self._app, self._direct = app, direct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other than HTTP goes on as it is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if "admitted" in scope:
            self.admission.begin()
        visit = Visit(self, send)
        key = self._read_headers(visit, scope["headers"])
        waited = self._wait(visit.started)
        scope["visit"] = visit
        self.traffic.enter()
        try:
            path = scope["path"]
            if self._keys and path not in self._open and not self._is_known(key) and not self._is_preflight(scope):
                await visit.refuse(visit.send, no_key())
            elif waited > self._longest_wait and path not in HEALTH:
                await visit.refuse(visit.send, too_busy())
            else:
                direct = self._direct.get(path)
                app = self._app if direct is None or scope["method"] != "POST" else direct
                await app(scope, receive, visit.send)
        finally:
            self._note(visit, scope)

    def shed(self, method: bytes, url: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        """Note a request that is refused on arrival; returns its id."""
        visit = Visit(self, _send_nothing)
        self._read_headers(visit, headers)
        path = url.decode("latin-1")
        visit.status, visit.route = 503, getattr(self._direct.get(path), "route", visit.route)
        self.traffic.enter()
        self._note(visit, {"method": method.decode("latin-1"), "path": path})
        return visit.request_id

    def next_id(self) -> bytes:
        """An id for a request that brought none."""
        self._count += 1
        return b"%s-%x" % (self._prefix, self._count)

    def sweep(self) -> None:
        """Give up the bodies that take too long, and count what was kept aside; once a second, on the loop."""
        late = time.perf_counter() - self.settings.body_seconds
        for visit, task in list(self.reading.items()):
            if visit.started < late:
                visit.is_late = True
                task.cancel()
        self.served.tally.flush()

    def _read_headers(self, visit: Visit, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        """Take the request's id, or make one; returns the key that it carries."""
        key = b""
        for name, value in headers:
            if name == b"x-request-id":
                if _is_request_id(value):
                    visit.request_id = value
            elif name == b"authorization":
                if value[:7].lower() == b"bearer ":
                    key = value[7:].strip()
            elif name == b"x-api-key":
                key = value
        if not visit.request_id:
            visit.request_id = self.next_id()
        return key

    def _is_known(self, key: bytes) -> bool:
        # Every key is compared, in constant time each: how long it takes tells nothing.
        return sum([hmac.compare_digest(key, known) for known in self._keys]) > 0

    def _is_preflight(self, scope: Scope) -> bool:
        """A browser asks without a key whether it may ask with one."""
        return bool(self.settings.cors_origins) and scope["method"] == "OPTIONS"

    def _wait(self, now: float) -> float:
        """Seconds since the loop's turn began: all requests of a turn had arrived before it."""
        if not self._turn_started:
            self._turn_started = now
            asyncio.get_running_loop().call_soon(self._end_turn)
        return now - self._turn_started

    def _end_turn(self) -> None:
        self.admission.end_turn(time.perf_counter() - self._turn_started)
        self._turn_started = 0.0
        if self.log:
            self.log.flush()

    def _note(self, visit: Visit, scope: Scope) -> None:
        seconds = time.perf_counter() - visit.started
        self.traffic.leave(visit.route, visit.status, seconds)
        if self.log:
            self.log.add(
                Line(
                    round(time.time(), 3),
                    "info",
                    "request",
                    visit.request_id.decode(),
                    scope["method"],
                    scope["path"][:200],
                    visit.status,
                    round(seconds * 1000, 3),
                    visit.applicants,
                    visit.model or self.served.name.version,
                )
            )
            if not self._turn_started:
                self.log.flush()
