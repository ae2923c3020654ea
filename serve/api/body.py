"""Reading a request's body: limits of its size, of its time and of the memory for all bodies; decompression."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator
from time import perf_counter

from starlette.requests import ClientDisconnect, Request

from serve.schemas.json_body import Body
from serve.schemas.problems import InvalidApplicants, body_cut_off, too_busy, too_large, too_slow, unknown_encoding
from serve.schemas.responses import Fault
from serve.state import AppState

WINDOW_BITS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
"""Content-Encoding (RFC 9110, 8.4.1) → `wbits` of zlib.decompressobj."""

RAW_DEFLATE_WINDOW_BITS = -15
"""For clients that send `deflate` without zlib's header."""

MIN_INFLATE_CHUNK_BYTES = 65_536
"""Decompressed bytes per step; a larger body is decompressed in steps of its own size."""


async def read_body(request: Request, state: AppState) -> Body:
    """The whole body; raises HTTPProblem as soon as it is known to be too large, too slow or in an unknown encoding."""
    context, max_bytes = request.scope["state"]["context"], state.settings.max_body_bytes
    length, encoding = context.length, context.encoding
    if length > max_bytes:
        raise too_large("the body", f"{length:,} bytes", f"{max_bytes:,}")
    if encoding and encoding not in WINDOW_BITS and encoding != b"identity":
        raise unknown_encoding(encoding.decode("latin-1"))
    body = await _receive_all(request, state)
    if len(body) < length or (not body and "transfer-encoding" in request.headers):
        raise body_cut_off(length, len(body))
    context.has_unread_body = False
    if encoding not in WINDOW_BITS:
        return body
    # It counts until it is decompressed, since it may wait for a thread.
    state.body_bytes += len(body)
    try:
        return await state.run_blocking(lambda: inflate(body, WINDOW_BITS[encoding], max_bytes))
    finally:
        state.body_bytes -= len(body)


async def _receive_all(request: Request, state: AppState) -> bytes:
    settings, began, size = state.settings, perf_counter(), 0
    parts: list[bytes] = []
    task = asyncio.current_task()
    state.reading[task] = began
    try:
        while True:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            part = message.get("body", b"")
            size += len(part)
            state.body_bytes += len(part)
            if size > settings.max_body_bytes:
                raise too_large(
                    "the body", f"more than {settings.max_body_bytes:,} bytes", f"{settings.max_body_bytes:,}"
                )
            if not message.get("more_body", False):
                return b"".join([*parts, part]) if parts else part
            if state.body_bytes > settings.max_all_body_bytes:
                raise too_busy(f"the bodies being read hold more than {settings.max_all_body_bytes:,} bytes together")
            parts.append(part)
    except asyncio.CancelledError:
        # state.cancel_late_bodies cancels the reading; any other cancellation is of the request.
        if task is None or perf_counter() - began < settings.body_timeout:
            raise
        task.uncancel()
        raise too_slow(settings.body_timeout) from None
    finally:
        del state.reading[task]
        state.body_bytes -= size


def inflate(body: Body, window_bits: int, max_bytes: int) -> bytearray:
    """A decompressed body; raises HTTPProblem if it has more than `max_bytes`, InvalidApplicants if it is broken."""
    inflated = bytearray()
    try:
        for part in _inflate(body, window_bits):
            inflated += part
            if len(inflated) > max_bytes:
                raise too_large("the body", f"more than {max_bytes:,} bytes, decompressed", f"{max_bytes:,}")
    except zlib.error as error:
        raise InvalidApplicants([Fault("", f"the body can't be decompressed: {error}")]) from error
    return inflated


def _inflate(body: Body, window_bits: int) -> Iterator[bytes]:
    if window_bits == WINDOW_BITS[b"deflate"] and not _has_zlib_header(body):
        window_bits = RAW_DEFLATE_WINDOW_BITS
    stream = zlib.decompressobj(window_bits)
    left: bytes = bytes(body)
    # unconsumed_tail copies the rest of the body at each step: fewer, larger steps for a large body.
    at_once = max(MIN_INFLATE_CHUNK_BYTES, len(body))
    while not stream.eof:
        # Even without input left there may be output, if the last byte encodes a long repetition.
        part = stream.decompress(left, at_once)
        left = stream.unconsumed_tail
        if not part and not stream.eof:
            raise zlib.error("it ends too early")
        yield part
    if stream.unused_data:
        raise zlib.error(f"{len(stream.unused_data)} bytes follow its end")


def _has_zlib_header(body: Body) -> bool:
    # RFC 1950, 2.2: compression method 8; the first two bytes as a big-endian number are a multiple of 31.
    return len(body) > 1 and body[0] & 15 == 8 and (body[0] * 256 + body[1]) % 31 == 0
