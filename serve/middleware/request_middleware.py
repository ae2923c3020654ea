"""Authentication, load shedding, request id, error handling, metrics and access log for every request.

CORS wraps this middleware, so that browsers can read its refusals; this middleware wraps routing.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import re
import select
import stat
from collections.abc import Collection
from functools import lru_cache
from time import perf_counter, time

import msgspec
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.middleware.problem_responses import send_problem
from serve.schemas.problems import CLOSE, HTTPProblem, ambiguous_length, internal_error, too_busy, unauthorized
from serve.state import AppState

COMMON_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
"""Sent with every response: caches must not store data about a person's credit."""

LINE_FORMAT = (
    b'{"time":%.3f,"level":"info","message":"request","request_id":"%b","method":%b,"path":%b,"status":%d,"ms":%.3f,'
    b'"applicants":%d,"model":%b}\n'
)

MAX_LINES, RETRY_SECONDS = 10_000, 0.1
"""Maximum number of lines that wait for a full pipe, and the time until the next attempt to write them."""

DROPPED = (
    b'{"time":%.3f,"level":"warning","message":"access log dropped %d lines: standard output is not being read"}\n'
)

CLIENT_CLOSED = 499
"""Status in log and metrics of a request whose client has disconnected before the response."""

_is_request_id = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}").fullmatch

_encode = msgspec.json.Encoder().encode

logger = logging.getLogger("credit")


class RequestContext:
    """Headers and outcome of one request; handlers find it as `scope["state"]["context"]`.

    `key_name`: of a known key; `may_read_decisions`: whether it has that right. `length`: Content-Length, or −1.
    `encoding`: Content-Encoding, lower case. `is_ambiguous`: there are a Content-Length and a Transfer-Encoding.
    `applicants`: how many were scored, by this version of the `model`.
    `has_unread_body`: the server would take an unread body for the next request (after Upgrade or CONNECT), so that the
    connection must be closed after the response; reading the body resets it. Other unread bodies the server drops.
    """

    def __init__(self, scope: Scope, model: str) -> None:
        self.request_id = self.key = self.encoding = b""
        self.key_name: str | None = None
        self.may_read_decisions = False
        self.length, self.status, self.applicants, self.model = -1, CLIENT_CLOSED, 0, model
        is_chunked = asks_for_upgrade = False
        for name, value in scope["headers"]:
            if name == b"content-length":
                self.length = int(value[:20]) if value.isdigit() else -1
            elif name == b"x-request-id":
                self.request_id = value if _is_request_id(value) else b""
            elif name == b"x-api-key":
                self.key = value
            elif name == b"authorization" and value[:7].lower() == b"bearer ":
                self.key = value[7:].strip()
            elif name == b"content-encoding":
                # Several header lines form one list (RFC 9110, 5.3).
                self.encoding = b", ".join(part for part in (self.encoding, value.strip().lower()) if part)
            elif name == b"transfer-encoding":
                is_chunked = True
            elif name == b"upgrade":
                asks_for_upgrade = True
        self.is_ambiguous = is_chunked and self.length >= 0
        has_body = is_chunked or self.length > 0
        self.has_unread_body = (asks_for_upgrade and has_body) or scope["method"] == "CONNECT"


class RequestMiddleware:
    """Applied to every request, before its body is read.

    `public_paths` need no API key; `health_paths` are answered even while MAX_CONCURRENT_REQUESTS are in progress.
    """

    def __init__(
        self, app: ASGIApp, state: AppState, public_paths: Collection[str], health_paths: Collection[str]
    ) -> None:
        self.app = app
        self.state = state
        settings = state.settings
        self._public_paths, self._health_paths = frozenset(public_paths), frozenset(health_paths)
        self._needs_key = bool(settings.api_keys)
        self._keys = [(named.key.encode(), named.name, False) for named in settings.api_keys]
        self._keys += [(named.key.encode(), named.name, True) for named in settings.decisions_keys]
        self._max_requests = settings.max_concurrent_requests
        self._log = AccessLog() if settings.log_level in ("info", "debug") else None
        # Generated request ids: random once per process, then counted.
        self._prefix = os.urandom(6).hex().encode()
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle or refuse a request, then log and count it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, state = perf_counter(), self.state
        context = RequestContext(scope, state.runtime.identity.version)
        if not context.request_id:
            self._count += 1
            context.request_id = b"%b-%x" % (self._prefix, self._count)
        scope.setdefault("state", {})["context"] = context

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                context.status = message["status"]
                headers = [*message["headers"], *COMMON_HEADERS, (b"x-request-id", context.request_id)]
                message["headers"] = [*headers, CLOSE] if context.has_unread_body and CLOSE not in headers else headers
            await send(message)

        state.requests += 1
        try:
            problem = self._refuse(scope["path"].removeprefix(scope.get("root_path", "")), context)
            if problem:
                await send_problem(scope, receive, send_with_headers, problem)
            else:
                await self.app(scope, receive, send_with_headers)
        except ClientDisconnect:
            pass
        except Exception:
            # The server would send plain text and log a trace that may contain an applicant's values.
            logger.exception("request %s failed", context.request_id.decode())
            if context.status == CLIENT_CLOSED:
                await send_problem(scope, receive, send_with_headers, internal_error())
        finally:
            state.requests -= 1
            seconds = perf_counter() - started
            state.metrics.record_request(getattr(scope.get("endpoint"), "path", "other"), context.status, seconds)
            if self._log:
                head = context.request_id, scope["method"], scope["path"], context.status
                self._log.write(*head, seconds, context.applicants, context.model)

    def _refuse(self, path: str, context: RequestContext) -> HTTPProblem | None:
        """The problem for a request that is refused, or None."""
        if context.is_ambiguous:
            return ambiguous_length()
        if self._keys and path not in self._public_paths:
            self._identify(context)
            if self._needs_key and context.key_name is None:
                return unauthorized()
        if self.state.requests > self._max_requests and path not in self._health_paths:
            return too_busy(f"{self._max_requests} requests are in progress already")
        return None

    def _identify(self, context: RequestContext) -> None:
        # All keys are compared, each in constant time, so that the duration reveals nothing (timing attack).
        for key, name, may_read in self._keys:
            if hmac.compare_digest(context.key, key):
                context.key_name, context.may_read_decisions = name, may_read


class AccessLog:
    """One JSON object per request on standard output, without any value of an applicant.

    Buffers the lines of one iteration of the event loop and writes them together, after its responses.

    If standard output is a pipe that is not read, up to MAX_LINES lines wait without blocking the event loop; further
    lines are dropped and counted.
    """

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._lines: list[bytes] = []
        self._dropped = 0
        self._pipe = _poll_pipe(descriptor)

    @property
    def waiting(self) -> int:
        """Number of buffered lines."""
        return len(self._lines)

    def write(
        self, request_id: bytes, method: str, path: str, status: int, seconds: float, applicants: int, model: str
    ) -> None:
        """Add the line of a request; `request_id` must need no escaping in JSON."""
        if len(self._lines) >= MAX_LINES:
            self._dropped += 1
            return
        if not self._lines:
            asyncio.get_running_loop().call_soon(self.flush)
        head = time(), request_id, _quote(method[:20]), _quote(path[:200])
        self._lines.append(LINE_FORMAT % (*head, status, seconds * 1000, applicants, _quote(model[:200])))

    def flush(self) -> None:
        """Write the buffered lines; if a pipe is full, the rest is written later."""
        try:
            while self._lines:
                if self._pipe and not self._pipe.poll(0):
                    asyncio.get_running_loop().call_later(RETRY_SECONDS, self.flush)
                    return
                left = memoryview(self._take())
                while left:
                    left = left[os.write(self._descriptor, left) :]
        except OSError:
            # Standard output was closed. The service must go on without its log.
            self._lines.clear()

    def _take(self) -> bytes:
        """The next lines; for a pipe up to PIPE_BUF bytes, which are written without blocking (pipe(7))."""
        if self._dropped:
            self._lines.append(DROPPED % (time(), self._dropped))
            self._dropped = 0
        count, size = len(self._lines), 0
        for number, line in enumerate(self._lines if self._pipe else ()):
            size += len(line)
            if size > select.PIPE_BUF:
                count = max(number, 1)
                break
        lines = b"".join(self._lines[:count])
        del self._lines[:count]
        return lines


def _poll_pipe(descriptor: int) -> select.poll | None:
    """A poll object that tells whether a pipe can be written to; None for a file, which always can."""
    try:
        is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    except OSError:
        return None
    pipe = select.poll()
    pipe.register(descriptor, select.POLLOUT)
    return pipe if is_pipe else None


@lru_cache(maxsize=256)
def _quote(text: str) -> bytes:
    """A text as JSON; a path may contain surrogates, which are replaced."""
    return _encode(text.encode("utf-8", "replace").decode())
