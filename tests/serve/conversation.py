"""ASGI conversations: the messages of a request, part by part, and what the application sends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from starlette.types import ASGIApp, Message


class Conversation:
    """A client that sends the parts of a body; `receive_calls` counts the calls of receive."""

    def __init__(
        self, method: str, path: str, parts: Iterable[bytes] = (b"",), headers: dict[str, str] | None = None
    ) -> None:
        self.parts = list(parts)
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        }
        self.receive_calls = 0
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        """The next part; after the last one wait for ever, as a server does whose client stays."""
        self.receive_calls += 1
        if not self.parts:
            await asyncio.get_running_loop().create_future()
        part = self.parts.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self.parts)}

    async def send(self, message: Message) -> None:
        """Keep what comes back."""
        self.sent.append(message)

    async def run(self, app: ASGIApp) -> None:
        """Run the application for this request."""
        await app(self.scope, self.receive, self.send)

    @property
    def status(self) -> int:
        """Of the answer."""
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        """Of the answer."""
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def content(self) -> bytes:
        """The body of the answer."""
        return b"".join(message["body"] for message in self.sent[1:])

    @property
    def json(self) -> Any:
        """The body of the answer, decoded."""
        return json.loads(self.content)


class Stalled(Conversation):
    """A client that sends the first part of a body and continues when it is told to, or never."""

    def __init__(self, method: str, path: str, parts: Iterable[bytes], headers: dict[str, str] | None = None) -> None:
        super().__init__(method, path, parts, headers)
        self.may_go_on = asyncio.Event()

    async def receive(self) -> Message:
        """The first part, then wait."""
        if self.receive_calls:
            await self.may_go_on.wait()
        return await super().receive()


class HangingUp(Conversation):
    """A client that sends parts of a body and disconnects."""

    async def receive(self) -> Message:
        """The parts, none of which is the last."""
        if not self.parts:
            return {"type": "http.disconnect"}
        return {**await super().receive(), "more_body": True}
