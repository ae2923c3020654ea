"""One request on its way through the gate: what is known of it, and how it is answered with the headers of all answers.

Used by gate.py, connection.py, endpoint.py and router.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from serve.problems import Refusal

if TYPE_CHECKING:
    from starlette.types import Message, Send

    from serve.gate import Gate

NO_SNIFF = (b"x-content-type-options", b"nosniff")

NO_STORE = (b"cache-control", b"no-store")
"""With every answer that a cache might keep: those to a POST are not kept by any."""

CLOSE = (b"connection", b"close")

PROBLEM = b"application/problem+json"


class Visit:
    """One request on its way through the gate."""

    __slots__ = (
        "applicants",
        "gate",
        "is_late",
        "key",
        "length",
        "model",
        "request_id",
        "route",
        "send_on",
        "started",
        "status",
    )

    send_on: Send

    def __init__(self, gate: Gate, started: float) -> None:
        self.gate = gate
        self.started = started
        self.request_id = self.key = self.length = b""
        self.route = "other"
        self.status = 0
        self.model = ""
        self.applicants = 0
        self.is_late = False

    async def send(self, message: Message) -> None:
        """Pass a message on, an answer's head with the headers that all answers have."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self.with_common([NO_STORE])]
        await self.send_on(message)

    async def reply(
        self, send: Send, status: int, content_type: bytes, body: bytes, headers: Sequence[Any] = ()
    ) -> None:
        """Send a whole answer, through whatever middleware has put before `send`."""
        head = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *headers]
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})

    def with_common(self, headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Headers, and those of all answers."""
        common = [*headers, NO_SNIFF, (b"x-request-id", self.request_id)]
        return [*common, CLOSE] if self.gate.is_draining else common

    async def refuse(self, send: Send, refusal: Refusal) -> None:
        """Send a problem."""
        await self.reply(send, refusal.status, PROBLEM, refusal.body(self.request_id.decode()), refusal.headers)
