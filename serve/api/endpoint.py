"""One row of the table of routes: a path, its handler, and what goes in and comes out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from serve.runtime import Runtime
from serve.schemas.problems import too_busy
from serve.schemas.requests import RequestSchemas
from serve.state import AppState

COMPRESSED_FROM = 16_384
"""Bytes of the smallest answer that is compressed for a client that takes gzip."""

PIECE_BYTES = 65_536
"""Of a large answer, handed to the server at a time."""

COMPRESSION_LEVEL = 4
"""A third of the time of zlib's best, for answers that are some percent larger."""


class RequestBody(Struct, frozen=True):
    """`schema`: the type of a model's body; `example`: one that is answered with 200."""

    schema: Callable[[RequestSchemas], Any]
    example: Callable[[Runtime], Any]


class Endpoint(Struct, frozen=True):
    """The ASGI application of one method and path.

    `response`: a type of schemas/, a media type, or None for a page, which OpenAPI leaves out. `is_open`: answered
    without a key; `is_health`: also when too many requests are in progress.
    """

    method: str
    path: str
    handler: Callable[[Request], Awaitable[Response]]
    summary: str = ""
    response: Any = None
    request: RequestBody | None = None
    is_open: bool = False
    is_health: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; a large answer compressed, if the client takes that."""
        response = await self.handler(Request(scope, receive, send))
        if len(response.body) < COMPRESSED_FROM:
            await response(scope, receive, send)
        else:
            await send_large(response, scope, receive, send)


async def send_large(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a large answer, compressed if the client takes that, piece by piece as it is read.

    What is not read yet counts among the bytes of all bodies; a client that takes too long for a piece is given up.
    """
    from starlette.middleware.gzip import GZipMiddleware

    state: AppState = scope["app"].state.service
    settings, size = state.settings, len(response.body)
    if state.body_bytes + size > max(settings.all_body_bytes, size):
        raise too_busy(f"bodies and answers hold more than {settings.all_body_bytes:,} bytes together")

    async def send_pieces(message: Message) -> None:
        body = message.get("body", b"")
        while len(body) > PIECE_BYTES:
            await send_in_time({**message, "body": body[:PIECE_BYTES], "more_body": True})
            body = body[PIECE_BYTES:]
        await send_in_time({**message, "body": body} if body else message)

    async def send_in_time(message: Message) -> None:
        try:
            async with asyncio.timeout(settings.body_seconds):
                await send(message)
        except TimeoutError as error:
            raise ClientDisconnect from error

    compress = GZipMiddleware(response, COMPRESSED_FROM, COMPRESSION_LEVEL, thread_minimum_size=COMPRESSED_FROM)
    state.body_bytes += size
    try:
        await compress(scope, receive, send_pieces)
    finally:
        state.body_bytes -= size
