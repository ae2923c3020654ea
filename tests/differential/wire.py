"""A strict HTTP/1.1 client for one connection: scripted sends, and strictly parsed answers.

It uses bare sockets, since asyncio's streams drop received data as soon as the other side stops reading.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

HANGING_SECONDS = 60.0
"""Timeout of a connection without progress, generous for a busy machine."""

PART = 65_536

_read_status = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) [ -~]*").fullmatch
_read_field = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([!-~](?:[ -~]*[!-~])?)?").fullmatch


class WireError(Exception):
    """Invalid HTTP/1.1, or more bytes than the answers."""


class Act(Enum):
    """What a client does besides sending."""

    HALF_CLOSE = "sends nothing more, but reads on"
    RESET = "is gone"


@dataclass(frozen=True, slots=True)
class Wait:
    """Continue after this many seconds, once this many answers have arrived."""

    seconds: float = 0.0
    answers: int = 0


Step = bytes | Wait | Act


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; `length`: its Content-Length, None if chunked."""

    status: int
    request_id: str
    length: int | None
    closes: bool
    encoding: str = ""
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Talk:
    """The answers on a connection in order, and whether the server closed it after them."""

    answers: tuple[Answer, ...]
    is_closed: bool


async def talk(port: int, steps: Sequence[Step], methods: Mapping[str, str], most: int) -> Talk:
    """Run the steps on a new connection, until `most` answers have arrived or the server closes it.

    `methods`: of each request by its id. Raises WireError.
    """
    with socket.socket() as connection:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
        client = _Client(connection, methods)
        sending = asyncio.create_task(client.take(steps))
        reading = asyncio.create_task(client.read(most))
        try:
            async with asyncio.timeout(HANGING_SECONDS):
                if Act.RESET in steps:
                    await sending
                    return Talk(tuple(client.answers), True)
                is_closed = await reading
                if not is_closed:
                    await sending
                    is_closed = (Act.HALF_CLOSE in steps or client.answers[-1].closes) and await client.read_end()
                return Talk(tuple(client.answers), is_closed)
        except TimeoutError as error:
            statuses = [answer.status for answer in client.answers]
            raise WireError(f"hangs after {statuses}, expected {most} answers") from error
        finally:
            # The socket must stay open until both tasks have ended.
            sending.cancel()
            reading.cancel()
            await asyncio.wait([sending, reading])


class _Client:
    """A connection, and the answers read from it so far."""

    def __init__(self, connection: socket.socket, methods: Mapping[str, str]) -> None:
        self.answers: list[Answer] = []
        self._connection, self._methods = connection, methods
        self._loop = asyncio.get_running_loop()
        self._held = bytearray()
        self._has_come = asyncio.Condition()

    async def take(self, steps: Sequence[Step]) -> None:
        """Run the steps: send, wait, close."""
        # A refused client may find the connection closed while it sends; the answer can still be read.
        with suppress(ConnectionError):
            for step in steps:
                if isinstance(step, bytes):
                    await self._loop.sock_sendall(self._connection, step)
                elif isinstance(step, Wait):
                    await asyncio.sleep(step.seconds)
                    await self._wait_for_answers(step.answers)
                elif step is Act.HALF_CLOSE:
                    self._connection.shutdown(socket.SHUT_WR)
                else:
                    # Makes close() reset the connection.
                    self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def read(self, most: int) -> bool:
        """Read this many answers; true if the server closed the connection before."""
        while len(self.answers) < most:
            answer = await self._read_answer()
            if answer is None:
                return True
            self.answers.append(answer)
            async with self._has_come:
                self._has_come.notify_all()
        return False

    async def read_end(self) -> bool:
        """Wait until the server closes the connection; raises WireError for any further byte."""
        if self._held or await self._receive():
            raise WireError(f"after the last answer comes {bytes(self._held[:100])!r}")
        return True

    async def _wait_for_answers(self, least: int) -> None:
        async with self._has_come:
            await self._has_come.wait_for(lambda: len(self.answers) >= least)

    async def _read_answer(self) -> Answer | None:
        if not self._held and not await self._receive():
            return None
        head = await self._read_until(b"\r\n\r\n")
        first, *lines = head[:-4].split(b"\r\n")
        read = _read_status(first)
        if not read:
            raise WireError(f"no status line: {first[:100]!r}")
        status, fields = int(read[1]), _read_fields(lines)
        request_id = fields.get(b"x-request-id", b"").decode()
        if status < 200:
            return Answer(status, request_id, 0, False)
        told, coding = fields.get(b"content-length", b""), fields.get(b"transfer-encoding", b"")
        if (coding == b"chunked") == told.isdigit():
            raise WireError(f"neither a length nor chunks, or both: {head[:300]!r}")
        length = int(told) if told else None
        body = b""
        if self._methods.get(request_id) != "HEAD":
            body = await (self._read_chunks() if length is None else self._read(length))
        closes = fields.get(b"connection", b"").lower() == b"close"
        return Answer(status, request_id, length, closes, fields.get(b"content-encoding", b"").decode(), body)

    async def _read_chunks(self) -> bytes:
        body = b""
        while size := int((await self._read_until(b"\r\n"))[:-2], 16):
            body += await self._read(size)
            await self._read_line_end()
        await self._read_line_end()
        return body

    async def _read_line_end(self) -> None:
        found = await self._read(2)
        if found != b"\r\n":
            raise WireError(f"a chunk ends with {found!r}")

    async def _read_until(self, end: bytes) -> bytes:
        while end not in self._held:
            await self._receive_more()
        return await self._read(self._held.index(end) + len(end))

    async def _read(self, size: int) -> bytes:
        while len(self._held) < size:
            await self._receive_more()
        taken = bytes(self._held[:size])
        del self._held[:size]
        return taken

    async def _receive_more(self) -> None:
        if not await self._receive():
            raise WireError(f"ends within an answer: {bytes(self._held[:300])!r}")

    async def _receive(self) -> bool:
        """Whether data arrived, rather than the end of the stream."""
        try:
            part = await self._loop.sock_recv(self._connection, PART)
        except ConnectionError:
            return False
        self._held += part
        return bool(part)


def _read_fields(lines: Sequence[bytes]) -> dict[bytes, bytes]:
    fields: dict[bytes, bytes] = {}
    for line in lines:
        read = _read_field(line)
        if not read or read[1].lower() in fields:
            raise WireError(f"no field, or one twice: {line[:100]!r}")
        fields[read[1].lower()] = read[2] or b""
    return fields
