"""Reading a request's body: within the limits of size, time and all bodies together, and decompressed."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator
from time import perf_counter

from starlette.requests import ClientDisconnect, Request

from serve.schemas.problems import InvalidApplicants, body_cut_off, too_busy, too_large, too_slow, unknown_encoding
from serve.schemas.responses import Fault
from serve.state import AppState

Body = bytes | bytearray

WINDOW_BITS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
"""How zlib reads an encoding (RFC 9110, 8.4.1); 31: with the head of gzip."""

RAW_DEFLATE = -15
"""`deflate` without the head of zlib, as some clients send it."""

INFLATED_AT_ONCE = 65_536
"""Bytes, unless the body itself has more."""


async def read_body(request: Request, state: AppState) -> Body:
    """The whole body; raises HTTPProblem as soon as it is known to be too large, too slow or in an unknown encoding."""
    context, most = request.scope["state"]["context"], state.settings.body_bytes
    length, encoding = context.length, context.encoding
    if length > most:
        raise too_large("the body", f"{length:,} bytes", f"{most:,}")
    if encoding and encoding not in WINDOW_BITS and encoding != b"identity":
        raise unknown_encoding(encoding.decode("latin-1"))
    body = await _receive_all(request, state)
    if len(body) < length or (not body and "transfer-encoding" in request.headers):
        raise body_cut_off(length, len(body))
    context.has_unread_body = False
    if encoding not in WINDOW_BITS:
        return body
    # It counts until it is decompressed: the wait for that is not bounded in another way.
    state.body_bytes += len(body)
    try:
        return await state.run_blocking(lambda: inflate(body, WINDOW_BITS[encoding], most))
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
            if size > settings.body_bytes:
                raise too_large("the body", f"more than {settings.body_bytes:,} bytes", f"{settings.body_bytes:,}")
            if not message.get("more_body", False):
                return b"".join([*parts, part]) if parts else part
            if state.body_bytes > settings.all_body_bytes:
                raise too_busy(f"the bodies being read hold more than {settings.all_body_bytes:,} bytes together")
            parts.append(part)
    except asyncio.CancelledError:
        # By state.cancel_late_bodies; anybody else means the request itself.
        if task is None or perf_counter() - began < settings.body_seconds:
            raise
        task.uncancel()
        raise too_slow(settings.body_seconds) from None
    finally:
        del state.reading[task]
        state.body_bytes -= size


def inflate(body: Body, window_bits: int, most: int) -> bytearray:
    """A decompressed body; raises HTTPProblem if it has more than `most` bytes, InvalidApplicants if it is broken."""
    inflated = bytearray()
    try:
        for part in _inflate(body, window_bits):
            inflated += part
            if len(inflated) > most:
                raise too_large("the body", f"more than {most:,} bytes, decompressed", f"{most:,}")
    except zlib.error as error:
        raise InvalidApplicants([Fault("", f"the body can't be decompressed: {error}")]) from error
    return inflated


def _inflate(body: Body, window_bits: int) -> Iterator[bytes]:
    if window_bits == WINDOW_BITS[b"deflate"] and not _has_zlib_head(body):
        window_bits = RAW_DEFLATE
    stream = zlib.decompressobj(window_bits)
    left: bytes = bytes(body)
    # What is left is copied each time: with less at once, that would take longer than to decompress it.
    at_once = max(INFLATED_AT_ONCE, len(body))
    while not stream.eof:
        # Without a byte left there may still be some to come: a repetition that the last byte asked for.
        part = stream.decompress(left, at_once)
        left = stream.unconsumed_tail
        if not part and not stream.eof:
            raise zlib.error("it ends too early")
        yield part
    if stream.unused_data:
        raise zlib.error(f"{len(stream.unused_data)} bytes follow its end")


def _has_zlib_head(body: Body) -> bool:
    # RFC 1950, 2.2: method 8, and the first two bytes as a number are a multiple of 31.
    return len(body) > 1 and body[0] & 15 == 8 and (body[0] * 256 + body[1]) % 31 == 0
