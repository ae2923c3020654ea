"""Chooses one of uvicorn's two HTTP parsers for each connection; passed to uvicorn as its option `http`.

httptools, the faster one, stops parsing at a request with an `Upgrade` header: it drops the body, or reads a body that
arrives in a second segment as the next request. Java's HttpClient and curl --http2 send that header with their first
request and expect the server to ignore it (RFC 9110, 7.8), as h11 does. So h11 parses the connections whose first
request has the header, and httptools all others.

Under a server without this option, such a body is answered with 400 and the connection closed (serve/api/body.py).
"""

from __future__ import annotations

import asyncio
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 65_536
"""A longer first header section goes to httptools unseen."""


class ParserSelector(asyncio.Protocol):
    """Reads the header section of the first request, then hands the connection to a protocol of uvicorn."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._received = b""
        self._head = RequestHead()
        # A protocol of uvicorn from the start, so that uvicorn counts, times out and closes the connection.
        self._protocol: Any = HttpToolsProtocol(**options)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called by asyncio for a new connection."""
        self._transport = transport
        self._protocol.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Hand the connection over once the header section is complete, invalid or too long."""
        self._received += data
        if not self._head.is_complete_with(data) and len(self._received) < MAX_HEAD_BYTES:
            return
        if self._head.asks_for_upgrade:
            # Imported only when needed: it would take a tenth of the start.
            from uvicorn.protocols.http.h11_impl import H11Protocol

            self._options["server_state"].connections.discard(self._protocol)
            self._protocol = H11Protocol(**self._options)
            self._protocol.connection_made(self._transport)
        self._transport.set_protocol(self._protocol)
        self._protocol.data_received(self._received)

    def eof_received(self) -> None:
        """The client sends nothing more: uvicorn answers the incomplete request."""
        if self._received:
            self._transport.set_protocol(self._protocol)
            self._protocol.data_received(self._received)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client disconnected before the header section was complete."""
        self._protocol.connection_lost(exc)


class RequestHead:
    """Parses the header section of a connection's first request with httptools, as it arrives."""

    def __init__(self) -> None:
        self.asks_for_upgrade = self._is_complete = False
        self._parser: Any = HttpRequestParser(self)

    def is_complete_with(self, data: bytes) -> bool:
        """Feed the next bytes; true if the header section is now complete, or invalid."""
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._is_complete = True
        if self._is_complete:
            # Breaks the reference cycle between parser and callbacks.
            self._parser = None
        return self._is_complete

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by httptools for each header; those of a pipelined second request are ignored."""
        if not self._is_complete and name.lower() == b"upgrade":
            self.asks_for_upgrade = True

    def on_headers_complete(self) -> None:
        """Called by httptools at the end of the header section."""
        self._is_complete = True
