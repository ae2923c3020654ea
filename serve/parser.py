"""Which of uvicorn's two HTTP parsers reads a connection; passed to uvicorn as its setting `http`.

httptools, the fast one, takes a request with an `Upgrade` header for the end of HTTP: it drops the body, and reads a
body that comes in a second segment as the next request. Java's HttpClient and curl --http2 send that header with their
first request and expect it to be ignored (RFC 9110, 7.8), as h11 does. So a connection whose first request has it is
read by h11, every other one by httptools.

A server that is started without this setting answers such a body with 400 and closes (serve/api/body.py).
"""

from __future__ import annotations

import asyncio
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 65_536
"""A longer first head goes to httptools as it is."""


class ParserChoice(asyncio.Protocol):
    """The first head of a connection; then the connection is one of uvicorn's own protocols'."""

    def __init__(self, **of_uvicorn: Any) -> None:
        self._of_uvicorn = of_uvicorn
        self._received = b""
        self._head = FirstHead()
        # uvicorn's from the start, so that it counts, times and closes the connection like any other.
        self._protocol: Any = HttpToolsProtocol(**of_uvicorn)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected."""
        self._transport = transport
        self._protocol.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Hand the connection on as soon as the first head is whole, or can't be one."""
        self._received += data
        if not self._head.ends_with(data) and len(self._received) < MOST_HEAD_BYTES:
            return
        if self._head.asks_for_upgrade:
            # Few services ever need it, and it takes a tenth of the start to import.
            from uvicorn.protocols.http.h11_impl import H11Protocol

            self._of_uvicorn["server_state"].connections.discard(self._protocol)
            self._protocol = H11Protocol(**self._of_uvicorn)
            self._protocol.connection_made(self._transport)
        self._transport.set_protocol(self._protocol)
        self._protocol.data_received(self._received)

    def eof_received(self) -> None:
        """The client sends nothing more: what came is no whole head."""
        if self._received:
            self._transport.set_protocol(self._protocol)
            self._protocol.data_received(self._received)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone before its first head was whole."""
        self._protocol.connection_lost(exc)


class FirstHead:
    """What httptools makes of the first head of a connection, each byte of which it reads once."""

    def __init__(self) -> None:
        self.asks_for_upgrade = self._is_whole = False
        self._parser: Any = HttpRequestParser(self)

    def ends_with(self, data: bytes) -> bool:
        """Whether the head is whole with this part of it, or no head that httptools would take."""
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._is_whole = True
        if self._is_whole:
            # It holds this object in turn.
            self._parser = None
        return self._is_whole

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field; those of a request behind the first are none of the head."""
        if not self._is_whole and name.lower() == b"upgrade":
            self.asks_for_upgrade = True

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._is_whole = True
