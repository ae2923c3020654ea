"""The shortcut for small requests that decide on applicants: answered at the end of the loop's turn in which they came.

uvicorn starts a task for each request, which passes messages between server and application: more work than a
decision. Here its own protocol answers a POST to one of the gate's direct paths itself, if the body is small and
nothing else is under way on the connection. What holds for all requests is asked of the same gate and
endpoint; whatever is not simple goes uvicorn's usual way, whole. Requests that come at the same time are scored in one
run of the graph, which costs hardly more than one of them: nobody waits for that, all of them had arrived already.
docs/performance.md has what this gains.

What must not change with a new uvicorn: the names of HttpToolsProtocol's parser callbacks and attributes used here.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serve.exchange import Ask, Heavy, Reply
from serve.gate import Waiting
from serve.problems import Refusal, our_failure, too_slow

if TYPE_CHECKING:
    from serve.endpoint import Endpoint
    from serve.gate import Gate, Visit

LONGEST = 32_768
"""Bytes of a body that is answered here; a larger one goes the usual way."""

STATUS_LINES = {status: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}


class Shortcut(HttpToolsProtocol):
    """uvicorn's connection, which answers the simplest requests itself."""

    _endpoint: Endpoint | None = None
    _waits = False
    _is_last = False
    _visit: Visit
    _parts: list[bytes]
    _gate: Gate

    def connection_made(self, transport: Any) -> None:
        """A connection begins."""
        super().connection_made(transport)
        self._gate = self.config.loaded_app

    def on_headers_complete(self) -> None:
        """Take the request over if it is one of the simple ones."""
        endpoint = self._gate.direct.get(self.url)
        if (
            endpoint is None
            or self.parser.get_method() != b"POST"
            or self.expect_100_continue
            or self.pipeline
            or not (self.cycle is None or self.cycle.response_complete)
            or self.flow.write_paused
            or not self.parser.should_keep_alive()
            or self._waits
        ):
            super().on_headers_complete()
            return
        visit = self._gate.open(self.headers, self.loop)
        if not visit.length.isdigit() or len(visit.length) > 5 or int(visit.length) > LONGEST:
            super().on_headers_complete()
            return
        self._endpoint, self._visit, self._parts = endpoint, visit, []
        self._gate.receiving[self] = visit.started

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if self._endpoint is None:
            super().on_body(body)
        else:
            self._parts.append(body)

    def on_message_complete(self) -> None:
        """The request is whole: read it, and have it answered with the others of this turn of the loop."""
        endpoint = self._endpoint
        if endpoint is None:
            super().on_message_complete()
            return
        self._endpoint = None
        del self._gate.receiving[self]
        visit, parts, gate = self._visit, self._parts, self._gate
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        try:
            refusal = gate.refuse(visit, "POST", self.url.decode("ascii"))
            if refusal:
                raise refusal  # noqa: TRY301
            begun = endpoint.begin(visit, Ask(gate.served, body, self.headers, {}))
        except Heavy:
            # The usual way, from the start.
            super().on_headers_complete()
            super().on_body(body)
            super().on_message_complete()
        except Exception as error:  # noqa: BLE001 - nothing above this in the server would answer
            self.answer(visit, error)
        else:
            if isinstance(begun, Reply):
                self.answer(visit, begun)
            else:
                self._waits = True
                gate.queue.append(Waiting(self, visit, begun))

    def answer(self, visit: Visit, reply: Reply | Exception) -> None:
        """Send the answer, unless the client is gone."""
        self._waits = False
        if isinstance(reply, Reply):
            visit.applicants = reply.applicants
            self._write(visit, reply.status, reply.content_type, reply.body, reply.headers)
        elif isinstance(reply, Refusal):
            self._refuse(visit, reply)
        else:
            self._gate.log_failure(visit, reply)
            self._refuse(visit, our_failure())
        self._gate.note(visit, "POST", self.url.decode("ascii"))

    def shutdown(self) -> None:
        """The server stops: what is under way here is answered first."""
        if self._waits or self._endpoint:
            self._is_last = True
        else:
            super().shutdown()

    def give_up(self) -> None:
        """The body did not arrive in time; called by the gate."""
        visit, self._endpoint = self._visit, None
        self._gate.receiving.pop(self, None)
        self._refuse(visit, too_slow(self._gate.settings.body_seconds))
        self._gate.note(visit, "POST", self.url.decode("ascii"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._gate.receiving.pop(self, None)
        super().connection_lost(exc)

    def _refuse(self, visit: Visit, refusal: Refusal) -> None:
        body = refusal.body(visit.request_id.decode())
        self._write(visit, refusal.status, b"application/problem+json", body, refusal.headers)

    def _write(self, visit: Visit, status: int, content_type: bytes, body: bytes, headers: Any) -> None:
        visit.status = status
        if self.transport.is_closing():
            return
        head = [
            STATUS_LINES[HTTPStatus(status)],
            b"content-type: %b\r\ncontent-length: %d\r\n" % (content_type, len(body)),
            *[b"%b: %b\r\n" % pair for pair in visit.with_common(headers)],
            *[b"%b: %b\r\n" % pair for pair in self.server_state.default_headers],
            b"\r\n",
        ]
        self.transport.write(b"".join([*head, body]))
        self.server_state.total_requests += 1
        if self._is_last or self._gate.is_draining or any(name == b"connection" for name, _ in headers):
            self.transport.close()
        elif self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
