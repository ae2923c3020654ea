"""Authentication, the bound on requests in progress, request id, metrics and one log line for every request.

It stands inside of CORS, so that a browser may read its refusals, and outside of routing: no body is read before it.
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

from serve.middleware.problems import send_problem
from serve.schemas.problems import HTTPProblem, ambiguous_length, internal_error, too_busy, unauthorized
from serve.state import AppState

COMMON_HEADERS = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
"""With every answer: it says of a person's credit, and no cache may keep it."""

CLOSE = (b"connection", b"close")

CLIENT_CLOSED = 499
"""The status in log and metrics of a request that nobody waits for any more."""

LINE = (
    b'{"time":%.3f,"level":"info","message":"request","request_id":"%b","method":%b,"path":%b,"status":%d,"ms":%.3f,'
    b'"applicants":%d,"model":%b}\n'
)

MOST_LINES, RETRY_SECONDS = 10_000, 0.1
"""Lines that wait for a pipe to be read, and how soon it is tried again."""

LOST = b'{"time":%.3f,"level":"warning","message":"%d lines of requests are lost: the log was not read"}\n'

_encode = msgspec.json.Encoder().encode
_is_request_id = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}").fullmatch

logger = logging.getLogger("credit")


class RequestContext:
    """What is known of one request; handlers find it as `scope["state"]["context"]`.

    `length`: of the body as announced, −1 if it isn't. `encoding`: its Content-Encoding. `applicants`: how many were
    scored, by which version of the `model`. `has_unread_body`: the server may take the rest of the body for the next
    request, so that the connection has to end with the answer; reading the body clears it.
    """

    def __init__(self, scope: Scope, model: str) -> None:
        self.request_id = self.key = self.encoding = b""
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
                # Several headers are one list.
                self.encoding = b", ".join(part for part in (self.encoding, value.strip().lower()) if part)
            elif name == b"transfer-encoding":
                is_chunked = True
            elif name == b"upgrade":
                asks_for_upgrade = True
        self.is_ambiguous = is_chunked and self.length >= 0
        has_body = is_chunked or self.length > 0
        self.has_unread_body = (asks_for_upgrade and has_body) or scope["method"] == "CONNECT"


class RequestMiddleware:
    """What holds for every request.

    `open_paths` are answered without a key; `health_paths` also when too many are in progress.
    """

    def __init__(
        self, app: ASGIApp, state: AppState, open_paths: Collection[str], health_paths: Collection[str]
    ) -> None:
        self.app = app
        self.state = state
        settings = state.settings
        self._open, self._health = frozenset(open_paths), frozenset(health_paths)
        self._keys = [key.encode() for key in settings.api_keys]
        self._most = settings.requests
        self._log = RequestLog() if settings.log_level in ("info", "debug") else None
        # A request id of our own: drawn once a process, then counted.
        self._prefix = os.urandom(6).hex().encode()
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer why not, and note how it was answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, state = perf_counter(), self.state
        context = RequestContext(scope, state.runtime.name.version)
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
            # The server's own answer to it is no problem document, and its trace may quote an applicant's values.
            logger.exception("request %s failed", context.request_id.decode())
            if context.status == CLIENT_CLOSED:
                await send_problem(scope, receive, send_with_headers, internal_error())
        finally:
            state.requests -= 1
            seconds = perf_counter() - started
            state.metrics.record_request(getattr(scope.get("endpoint"), "path", "other"), context.status, seconds)
            if self._log:
                self._log.write(
                    context.request_id,
                    scope["method"],
                    scope["path"],
                    context.status,
                    seconds,
                    context.applicants,
                    context.model,
                )

    def _refuse(self, path: str, context: RequestContext) -> HTTPProblem | None:
        """Why a request is not passed on, if it isn't."""
        if context.is_ambiguous:
            return ambiguous_length()
        if self._keys and path not in self._open and not self._is_known(context.key):
            return unauthorized()
        if self.state.requests > self._most and path not in self._health:
            return too_busy(f"{self._most} requests are in progress already")
        return None

    def _is_known(self, key: bytes) -> bool:
        # Every key is compared, in constant time each: how long it takes tells nothing.
        return sum([hmac.compare_digest(key, known) for known in self._keys]) > 0


class RequestLog:
    """The lines of requests; those of one iteration of the event loop are written together, after its answers.

    A pipe that nobody reads never holds up the loop: its lines wait, up to MOST_LINES of them; of those beyond only the
    number is told.
    """

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._lines: list[bytes] = []
        self._lost = 0
        self._pipe = _poll_pipe(descriptor)

    @property
    def waiting(self) -> int:
        """Lines that wait to be written."""
        return len(self._lines)

    def write(
        self, request_id: bytes, method: str, path: str, status: int, seconds: float, applicants: int, model: str
    ) -> None:
        """Note a request; `request_id` has no character that JSON quotes."""
        if len(self._lines) >= MOST_LINES:
            self._lost += 1
            return
        if not self._lines:
            asyncio.get_running_loop().call_soon(self.flush)
        head = time(), request_id, _quote(method[:20]), _quote(path[:200])
        self._lines.append(LINE % (*head, status, seconds * 1000, applicants, _quote(model[:200])))

    def flush(self) -> None:
        """Write what was noted, or as much of it as a pipe takes without waiting, and the rest later."""
        try:
            while self._lines:
                if self._pipe and not self._pipe.poll(0):
                    asyncio.get_running_loop().call_later(RETRY_SECONDS, self.flush)
                    return
                left = memoryview(self._take())
                while left:
                    left = left[os.write(self._descriptor, left) :]
        except OSError:
            # Nobody reads the log any more: that must not stop decisions.
            self._lines.clear()

    def _take(self) -> bytes:
        """The next lines; for a pipe PIPE_BUF bytes, which it takes at once if it takes any (pipe(7))."""
        if self._lost:
            self._lines.append(LOST % (time(), self._lost))
            self._lost = 0
        count, size = len(self._lines), 0
        for number, line in enumerate(self._lines if self._pipe else ()):
            size += len(line)
            if size > select.PIPE_BUF:
                count = max(number, 1)
                break
        part = b"".join(self._lines[:count])
        del self._lines[:count]
        return part


def _poll_pipe(descriptor: int) -> select.poll | None:
    """What tells whether a pipe can be written to; None for a file, which always can."""
    try:
        is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
    except OSError:
        return None
    pipe = select.poll()
    pipe.register(descriptor, select.POLLOUT)
    return pipe if is_pipe else None


@lru_cache(maxsize=256)
def _quote(text: str) -> bytes:
    """A text as JSON; a path may hold what is no UTF-8."""
    return _encode(text.encode("utf-8", "replace").decode())
