"""Endpoint, a row of the table of routes: its handler and what OpenAPI says of it; sending large responses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from serve.runtime import Runtime
from serve.schemas.problems import forbidden, no_record, too_busy, unauthorized
from serve.schemas.requests import RequestSchemas
from serve.state import AppState

JSON_TYPE = "application/json"

MIN_COMPRESSED_BYTES = 16_384
"""Smallest response that is compressed, for clients that accept gzip."""

CHUNK_BYTES = 65_536
"""A larger response is handed to the server in chunks."""

COMPRESSION_LEVEL = 4
"""Three times as fast as zlib's maximum, for responses that are some percent larger."""


encode_json = msgspec.json.Encoder().encode


class RequestBody(Struct, frozen=True):
    """The body of an endpoint, for OpenAPI; every example is answered with its status of success.

    `schema`: the type of a model's JSON body, None if the handler takes no JSON; `example`: such a body.
    `other_examples`: an example of each other media type that the handler takes. `other_schemas`: names of further
    components that describe a JSON body.
    """

    schema: Callable[[RequestSchemas], Any] | None
    example: Callable[[Runtime], Any] | None
    other_examples: Mapping[str, Callable[[Runtime], str]] = {}
    other_schemas: tuple[str, ...] = ()


class Endpoint(Struct, frozen=True):
    """The ASGI application of one method and path.

    `response`: the type of the JSON response or a function that imports it, a media type, or None for a page, which
    OpenAPI leaves out.
    `other_responses`: media types of responses besides JSON; `description` says when they are sent. `is_public`: needs
    no API key. `is_health`: is answered even while MAX_CONCURRENT_REQUESTS are in progress. `query`, `in_path`: name of
    a parameter → its schema; in a path, name and version are those of the model. `status`: of the response. `scores`:
    its decisions are recorded, if any are. `needs_decisions_right`: needs a key of DECISIONS_KEYS, and a record.
    """

    method: str
    path: str
    handler: Callable[[Request], Awaitable[Response]]
    summary: str = ""
    response: Any = None
    request: RequestBody | None = None
    is_public: bool = False
    is_health: bool = False
    description: str = ""
    other_responses: tuple[str, ...] = ()
    query: Mapping[str, Any] = {}
    in_path: Mapping[str, Any] = {}
    status: int = 200
    scores: bool = False
    needs_decisions_right: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; a large response is compressed, if the client accepts gzip, and sent in chunks."""
        if self.needs_decisions_right:
            _check_decisions_right(scope)
        response = await self.handler(Request(scope, receive, send))
        if len(response.body) < MIN_COMPRESSED_BYTES:
            await response(scope, receive, send)
        else:
            await send_large(response, scope, receive, send)


def _check_decisions_right(scope: Scope) -> None:
    """Raise HTTPProblem unless decisions are recorded and the key of the request may read them."""
    state: AppState = scope["app"].state.service
    context = scope["state"]["context"]
    if state.recorder is None:
        raise no_record()
    if context.may_read_decisions:
        return
    if not state.settings.decisions_keys:
        raise forbidden("nobody may read decisions here; DECISIONS_KEYS says whose key may")
    if context.key_name is None:
        raise unauthorized()
    raise forbidden(f"the key {context.key_name!r} may not read decisions, expected one of DECISIONS_KEYS")


def json_response(value: Any, status: int = 200) -> Response:
    """A response with a struct, a list or a dict as JSON."""
    return Response(encode_json(value), status, media_type=JSON_TYPE)


async def send_large(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a response in chunks, compressed if the client accepts gzip.

    It counts towards MAX_ALL_BODY_BYTES until it is sent. A client that takes longer than BODY_TIMEOUT for a chunk is
    disconnected; raises HTTPProblem (503) if there is no memory for the response.
    """
    from starlette.middleware.gzip import GZipMiddleware

    state: AppState = scope["app"].state.service
    settings, size = state.settings, len(response.body)
    if state.body_bytes + size > max(settings.max_all_body_bytes, size):
        raise too_busy(f"bodies and responses hold more than {settings.max_all_body_bytes:,} bytes together")

    async def send_chunks(message: Message) -> None:
        # Slices of a view copy nothing.
        body = memoryview(message.get("body", b""))
        while len(body) > CHUNK_BYTES:
            await send_with_timeout({**message, "body": bytes(body[:CHUNK_BYTES]), "more_body": True})
            body = body[CHUNK_BYTES:]
        await send_with_timeout({**message, "body": bytes(body)} if body else message)

    async def send_with_timeout(message: Message) -> None:
        try:
            async with asyncio.timeout(settings.body_timeout):
                await send(message)
        except TimeoutError as error:
            raise ClientDisconnect from error

    compress = GZipMiddleware(
        response, MIN_COMPRESSED_BYTES, COMPRESSION_LEVEL, thread_minimum_size=MIN_COMPRESSED_BYTES
    )
    state.body_bytes += size
    try:
        await compress(scope, receive, send_chunks)
    finally:
        state.body_bytes -= size
