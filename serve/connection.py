"""One connection of a client: uvicorn's, with limits of its own, and a short way for small requests.

uvicorn starts a task for each request, which passes messages between server and application: more work than a
decision. Here a POST to one of the gate's direct paths is answered without one, if its body is small and nothing else
is under way on the connection. What holds for all requests is asked of the same gate and endpoint; whatever is not
simple goes uvicorn's usual way, whole. Requests of one turn of the event loop are scored in one run of the graph, which
costs hardly more than one of them: nobody waits for that, all of them had arrived already. docs/performance.md has what
this gains.

Limits: on heads, on idleness, on how many may wait. What is refused here never becomes a task: a body isn't read, the
application isn't called.

The names without a definition here, and `cycle`, `parser`, `flow`, `pipeline`, are uvicorn's own;
tests/serve/test_connection.py holds it to them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from serve.exchange import Ask, Header, Heavy, Reply
from serve.gate import HEALTH, Gate, Waiting
from serve.problems import Refusal, head_too_large, head_too_slow, no_http, our_failure, too_busy, too_slow
from serve.uvicorn_parts import HttpToolsProtocol
from serve.visit import CLOSE, NO_SNIFF, PROBLEM, Visit

if TYPE_CHECKING:
    from serve.endpoint import Endpoint

MOST_HEAD_BYTES = 65_536
"""Request line and headers together."""

LONGEST = 262_144
"""Bytes of a body that goes the short way."""

NEVER = float("inf")

STATUS_LINES = {status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}

HEALTH_URLS = frozenset(path.encode() for path in HEALTH)

BUSY = too_busy()


class _Answered:
    """What stands for the request before the first of a connection: there is nothing left to do for it."""

    response_complete = True
    message_event = asyncio.Event()


ANSWERED: Any = _Answered()


class Connection(HttpToolsProtocol):
    """uvicorn's protocol.

    `endpoint`: where the body that arrives goes the short way. `is_waiting`: an answer of ours is still to come, at the
    end of the turn. `waits_since`: when the unfinished request began to arrive, on the loop's clock.
    """

    app: Gate
    endpoint: Endpoint | None = None
    is_waiting = False
    _is_last = False
    _is_over = False
    _path: str
    _visit: Visit
    _parts: list[bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected; from now on its first request is expected."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self.cycle = ANSWERED
        self._is_in_head, self._head_bytes = True, 0
        self.waits_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        """Refuse a head that is too large before it is parsed, let uvicorn have everything else."""
        if self._is_over:
            return
        if self._is_in_head:
            room = MOST_HEAD_BYTES - self._head_bytes
            if len(data) > room and data.find(b"\r\n\r\n", 0, room) < 0:
                self._refuse_bytes(head_too_large(MOST_HEAD_BYTES))
                return
            self._head_bytes += len(data)
        super().data_received(data)
        if self.waits_since == NEVER and (self._head_bytes or not self._is_in_head):
            self.waits_since = self.loop.time()

    def on_headers_complete(self) -> None:
        """The head is there: the request goes the short way if it is one of the simple ones."""
        self._is_in_head, self.waits_since = False, NEVER
        if self._is_over:
            return
        endpoint = self.app.direct.get(self.url)
        if (
            endpoint is None
            or self.parser.get_method() != b"POST"
            or self.parser.get_http_version() != "1.1"
            or not self.parser.should_keep_alive()
            or self.expect_100_continue
            or self.flow.write_paused
            or self._is_occupied()
        ):
            self._begin_task()
            return
        visit = self.app.open(self.headers, self.loop)
        most = min(LONGEST, self.app.settings.body_bytes)
        if not visit.length.isdigit() or len(visit.length) > 6 or int(visit.length) > most:
            self._begin_task()
            return
        self.endpoint, self._path, self._visit, self._parts = endpoint, self.url.decode("ascii"), visit, []

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if self.endpoint is None:
            super().on_body(body)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        """The request is whole; whatever comes now is the head of the next one."""
        self._is_in_head, self._head_bytes, self.waits_since = True, 0, NEVER
        endpoint, self.endpoint = self.endpoint, None
        if endpoint is None:
            super().on_message_complete()
        elif self.app.admission.admit():
            self._begin(endpoint, self._parts[0] if len(self._parts) == 1 else b"".join(self._parts))
        else:
            self._shed_later()

    def answer(self, visit: Visit, reply: Reply | Exception) -> None:
        """Send the answer, unless the client is gone."""
        self.is_waiting = False
        if isinstance(reply, Reply):
            visit.applicants = reply.applicants
            self._write(visit, reply.status, reply.content_type, reply.body, reply.headers)
        elif isinstance(reply, Refusal):
            self._refuse(visit, reply)
        else:
            self.app.log_failure(visit, reply)
            self._refuse(visit, our_failure())
        self.app.note_later(visit, self._path)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone, perhaps in the middle of a body."""
        if self.endpoint:
            self.endpoint, self._visit.status = None, 499
            self.app.note(self._visit, "POST", self._path)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """What uvicorn says to bytes that are no HTTP."""
        self._refuse_bytes(no_http())

    def shutdown(self) -> None:
        """The server stops: what is under way here is answered first."""
        if self.is_waiting or self.endpoint:
            self._is_last = True
        else:
            super().shutdown()

    def give_up(self, since: float) -> None:
        """End a request that began to arrive before `since`, unless a task awaits its body, which the gate minds."""
        if self.waits_since >= since or self.transport.is_closing():
            return
        if self.endpoint:
            self.endpoint = None
            self._refuse(self._visit, too_slow(self.app.settings.body_seconds))
            self.app.note(self._visit, "POST", self._path)
        elif self._is_in_head and self._head_bytes and not self._is_over:
            self._refuse_bytes(head_too_slow())
        elif self.cycle.response_complete:
            self.transport.close()

    def _is_occupied(self) -> bool:
        """Whether another request of this connection is under way."""
        return self.is_waiting or not self.cycle.response_complete or bool(self.pipeline)

    def _begin(self, endpoint: Endpoint, body: bytes) -> None:
        """Read an admitted request, and have it answered with the others of this turn of the loop."""
        visit, gate = self._visit, self.app
        visit.route = endpoint.route
        # The body may have come later than the head, in a turn that nobody else has begun.
        gate.begin_turn(self.loop)
        try:
            refusal = gate.refuse(visit, "POST", self._path)
            if refusal:
                raise refusal  # noqa: TRY301
            begun = endpoint.begin(visit, Ask(gate.served, body, self.headers, {}))
        except Heavy:
            # The usual way, from the start, and into the worker thread.
            self.scope.update(admitted=True, is_heavy=True)  # type: ignore[call-arg]
            super().on_headers_complete()
            super().on_body(body)
            super().on_message_complete()
        except Exception as error:  # noqa: BLE001 - nothing above this in the server would answer
            gate.admission.begin()
            self.answer(visit, error)
        else:
            if isinstance(begun, Reply):
                gate.admission.begin()
                self.answer(visit, begun)
            else:
                self.is_waiting = True
                gate.queue.append(Waiting(self, visit, begun))

    def _begin_task(self) -> None:
        """The usual way, unless too many wait."""
        # What waits behind another request of its connection has waited long enough to be answered.
        if not self._is_occupied() and self.url not in HEALTH_URLS:
            if not self.app.admission.admit():
                self._shed_later()
                return
            self.scope["admitted"] = True  # type: ignore[typeddict-unknown-key]
        super().on_headers_complete()

    def _shed_later(self) -> None:
        """Refuse, but not at once: who asks again at once would keep the loop reading, and those admitted waiting."""
        self.is_waiting = True
        is_last = self.parser.get_http_version() == "1.0" or not self.parser.should_keep_alive()
        self.loop.call_soon(self._shed, self.parser.get_method().decode(), self.url, self.headers, is_last)

    def _shed(self, method: str, url: bytes, headers: Sequence[Header], is_last: bool) -> None:
        self.is_waiting = False
        visit = self.app.shed(method, url, headers)
        self._refuse(visit, BUSY, is_last=is_last)

    def _refuse(self, visit: Visit, refusal: Refusal, *, is_last: bool = False) -> None:
        body = refusal.body(visit.request_id.decode())
        self._write(visit, refusal.status, PROBLEM, body, refusal.headers, is_last=is_last)

    def _refuse_bytes(self, refusal: Refusal) -> None:
        """Answer what is no request; nobody knows where the next one would begin."""
        request_id = self.app.next_id()
        body = refusal.body(request_id.decode())
        self._send(refusal.status, PROBLEM, body, [*refusal.headers, NO_SNIFF, (b"x-request-id", request_id)])
        self._end()

    def _write(
        self, visit: Visit, status: int, content_type: bytes, body: bytes, headers: Any, *, is_last: bool = False
    ) -> None:
        """Send the answer to a request, and go on as uvicorn does after one."""
        visit.status = status
        if self.transport.is_closing():
            return
        common = visit.with_common(headers)
        is_told = CLOSE in common
        is_last |= self._is_last or is_told
        self._send(status, content_type, body, common if is_told or not is_last else [*common, CLOSE])
        if is_last:
            self._end()
        self.on_response_complete()

    def _send(self, status: int, content_type: bytes, body: bytes, headers: Sequence[Header]) -> None:
        head = [
            STATUS_LINES[status],
            b"content-type: %b\r\ncontent-length: %d\r\n" % (content_type, len(body)),
            *[b"%b: %b\r\n" % pair for pair in headers],
            *[b"%b: %b\r\n" % pair for pair in self.server_state.default_headers],
            b"\r\n",
        ]
        self.transport.write(b"".join([*head, body]))

    def _end(self) -> None:
        """That was the last answer. The client may finish: bytes that nobody reads would reset it."""
        self._is_over, self.waits_since = True, self.loop.time()
        if self.transport.can_write_eof() and self.cycle.response_complete:
            self.transport.write_eof()
        else:
            self.transport.close()
