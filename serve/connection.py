"""One connection of a client, as uvicorn has it, with limits of its own: on heads, on idleness, on how many may wait.

What is refused here never becomes a task: a body isn't read, the application isn't called. The names with an underscore
are uvicorn's own; tests/serve/test_connection.py holds it to them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serve.gate import CLOSE, HEADERS, HEALTH, PROBLEM, Gate
from serve.problems import Refusal, head_too_large, head_too_slow, no_http, too_busy

MOST_HEAD_BYTES = 65_536
"""Request line and headers together."""

NEVER = float("inf")


class Connection(HttpToolsProtocol):
    """uvicorn's protocol; `waits_since`: when the unfinished request began to arrive, on the loop's clock."""

    app: Gate

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected; from now on its first request is expected."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self.cycle = ANSWERED
        self._is_in_head, self._head_bytes, self._is_over = True, 0, False
        self.waits_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Refuse a head that is too large before it is parsed, let uvicorn have everything else."""
        if self._is_over:
            return
        if self._is_in_head:
            room = MOST_HEAD_BYTES - self._head_bytes
            if len(data) > room and data.find(b"\r\n\r\n", 0, room) < 0:
                self._refuse(head_too_large(MOST_HEAD_BYTES))
                return
            self._head_bytes += len(data)
        super().data_received(data)
        if self.waits_since == NEVER and (self._head_bytes or not self._is_in_head):
            self.waits_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """The head is there: the request begins, or is refused if too many wait."""
        self._is_in_head, self.waits_since = False, NEVER
        # What waits behind another request of its connection has waited long enough to be answered.
        if self.cycle.response_complete and self.url not in HEALTH_URLS:
            if not self.app.admission.admit():
                # Not at once: clients that ask again at once would keep the loop reading, and those admitted waiting.
                is_last = self.parser.get_http_version() == "1.0" or not self.parser.should_keep_alive()
                self.loop.call_soon(self._shed, self.parser.get_method(), self.url, self.headers, is_last)
                return
            self.scope["admitted"] = True  # type: ignore[typeddict-unknown-key]
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there: whatever comes now is the head of the next request."""
        self._is_in_head, self._head_bytes, self.waits_since = True, 0, NEVER
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn says to bytes that are no HTTP."""
        self._refuse(no_http())

    def give_up(self, since: float) -> None:
        """End a request that began to arrive before `since`, unless its body is awaited: that is the gate's matter."""
        if self.waits_since >= since or self.transport.is_closing():
            return
        if self._is_in_head and self._head_bytes and not self._is_over:
            self._refuse(head_too_slow())
        elif self.cycle.response_complete:
            self.transport.close()

    def _refuse(self, refusal: Refusal) -> None:
        """Answer what is no request; nobody knows where the next one would begin."""
        self.transport.write(_finish(_start(refusal, is_last=True), refusal, self.app.next_id()))
        self._end()

    def _end(self) -> None:
        """Say that this was the last answer, and let the client finish: bytes that nobody reads would reset it."""
        self._is_over, self.waits_since = True, self.loop.time()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _shed(self, method: bytes, url: bytes, headers: list[tuple[bytes, bytes]], is_last: bool) -> None:
        """Answer 503 without a task, and go on as uvicorn does after an answer."""
        if self.transport.is_closing():
            return
        gate = self.app
        is_last |= gate.is_draining
        request_id = gate.shed(method, url, headers)
        self.transport.write(_finish(BUSY_STARTS[is_last], BUSY, request_id))
        if is_last:
            self._end()
        self.on_response_complete()


class _Answered:
    """What stands for the request before the first of a connection: there is nothing left to do for it."""

    response_complete = True
    message_event = asyncio.Event()


ANSWERED: Any = _Answered()

HEALTH_URLS = frozenset(path.encode() for path in HEALTH)


def _start(refusal: Refusal, *, is_last: bool) -> bytes:
    """The start of an answer: all that is the same for every request."""
    headers = [(b"content-type", PROBLEM), *refusal.headers, *HEADERS]
    if is_last and CLOSE not in headers:
        headers.append(CLOSE)
    return STATUS_LINE[refusal.status] + b"".join([b"%s: %s\r\n" % header for header in headers])


def _finish(start: bytes, refusal: Refusal, request_id: bytes) -> bytes:
    """The whole answer to one request."""
    body = refusal.body(request_id.decode())
    return b"%scontent-length: %d\r\nx-request-id: %s\r\n\r\n%s" % (start, len(body), request_id, body)


BUSY = too_busy()
BUSY_STARTS = _start(BUSY, is_last=False), _start(BUSY, is_last=True)
