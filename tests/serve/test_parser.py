"""ParserSelector: connections whose first request offers an upgrade go to h11, all others to httptools."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from serve.parser import MAX_HEAD_BYTES, ParserSelector
from tests.serve.running import SERVE, UVICORN, Connection, Service, request, running

UPGRADE = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
"""Sent by Java's HttpClient and curl --http2 with their first request."""

LIVE = request("GET", "/livez")


class Transport(asyncio.Transport):
    """A fake transport that records its protocol and what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.protocol: Any = None
        self.written = b""
        self.is_closed = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Record the protocol."""
        self.protocol = protocol

    def write(self, data: Any) -> None:
        """Record what is sent."""
        self.written += data

    def is_closing(self) -> bool:
        """Whether the connection was closed."""
        return self.is_closed

    def close(self) -> None:
        """Close the connection."""
        self.is_closed = True

    def pause_reading(self) -> None:
        """Do nothing."""

    def resume_reading(self) -> None:
        """Do nothing."""


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application that returns the body it received."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Choice:
    """A new connection, and what the selector did with it."""

    def __init__(self) -> None:
        self.state = ServerState()
        config = Config(answer, http=ParserSelector, ws="none", interface="asgi3", log_config=None)
        config.load()
        self.transport = Transport()
        self.protocol = ParserSelector(config=config, server_state=self.state, app_state={}, _loop=None)
        self.protocol.connection_made(self.transport)

    def receive(self, data: bytes) -> None:
        """Deliver bytes to the protocol."""
        (self.transport.protocol or self.protocol).data_received(data)

    @property
    def reader(self) -> str:
        """Name of the protocol that reads the connection."""
        return type(self.transport.protocol).__name__

    async def settle(self) -> bytes:
        """Run the event loop until all requests are answered; returns what was sent."""
        while self.state.tasks:
            await asyncio.wait(self.state.tasks)
        return self.transport.written


def choose(*parts: bytes) -> tuple[str, bytes]:
    """The chosen protocol, and what was sent back, for these received parts."""

    async def connect() -> tuple[str, bytes]:
        choice = Choice()
        for part in parts:
            choice.receive(part)
        return choice.reader, await choice.settle()

    return asyncio.run(connect())


@pytest.mark.parametrize(
    "line", ["Upgrade: h2c", "upgrade:h2c", "UPGRADE: websocket", "Upgrade: TLS/1.0, HTTP/1.1", "Upgrade:"]
)
def test_a_head_that_offers_an_upgrade_goes_to_h11(line: str) -> None:
    """However the header is written."""
    reader, sent = choose(request("POST", "/", b"the body", line, "Connection: Upgrade"))

    assert reader == "H11Protocol"
    assert sent.endswith(b"the body")


@pytest.mark.parametrize(
    "content",
    [
        request("POST", "/", b"the body"),
        request("POST", "/", b"the body", "Connection: keep-alive", "X-Upgrade: h2c"),
        request("POST", "/Upgrade:", b"the body", "Referer: http://test/\\nUpgrade: h2c"),
        request("POST", "/", b"a\r\nUpgrade: h2c\r\n\r\nthe body"),
    ],
    ids=["none", "other header", "in a value", "in the body"],
)
def test_every_other_head_goes_to_httptools(content: bytes) -> None:
    """Also if the word stands elsewhere."""
    reader, sent = choose(content)

    assert reader == "HttpToolsProtocol"
    assert sent.endswith(b"the body")


@pytest.mark.parametrize("more", [(), UPGRADE], ids=["plain", "upgrade"])
def test_a_head_may_come_in_any_two_parts(more: tuple[str, ...]) -> None:
    """The same parser and answer wherever the segments divide."""
    content = request("POST", "/", b"the body", *more)
    expected = choose(content)[0]

    found = [choose(content[:place], content[place:]) for place in range(1, len(content))]

    assert {reader for reader, _ in found} == {expected}
    assert all(sent.endswith(b"the body") for _, sent in found)


def test_a_head_that_is_too_long_goes_to_httptools() -> None:
    """After MAX_HEAD_BYTES."""
    assert choose(b"GET / HTTP/1.1\r\nX-Filler: ", b"x" * MAX_HEAD_BYTES)[0] == "HttpToolsProtocol"


@pytest.mark.parametrize(
    "content",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50),
        b"\x00",
        b'{"data": []}',
        b"HELO test\r\n",
        b"GET / HTTP/1.1\nHost: test\n\n",
        b"GET / HTTP/1.1\r\nUpgrade : h2c\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["TLS", "zero", "JSON", "SMTP", "bare line ends", "space before the colon", "HTTP/2"],
)
def test_an_invalid_head_is_refused_at_once(content: bytes) -> None:
    """Such as a TLS handshake, whose client would wait for an answer."""
    _, sent = choose(content)

    assert sent.startswith(b"HTTP/1.1 400 ")


def test_a_connection_counts_once_for_the_server(vector: list[Any]) -> None:
    """So that uvicorn can close it at shutdown."""

    async def connect(content: bytes) -> list[int]:
        choice = Choice()
        counts = [len(choice.state.connections)]
        choice.receive(content)
        await choice.settle()
        counts.append(len(choice.state.connections))
        choice.transport.protocol.connection_lost(None)
        counts.append(len(choice.state.connections))
        return counts

    for content in (request("GET", "/"), request("GET", "/", None, *UPGRADE)):
        assert asyncio.run(connect(content)) == [1, 1, 0]


def test_an_early_disconnect_leaves_no_connection() -> None:

    async def connect(content: bytes) -> int:
        choice = Choice()
        if content:
            choice.receive(content)
        choice.protocol.eof_received()
        (choice.transport.protocol or choice.protocol).connection_lost(None)
        return len(choice.state.connections)

    assert [asyncio.run(connect(content)) for content in (b"", b"GET / HT")] == [0, 0]


@pytest.fixture(scope="module", params=["1", "2"], ids=["one worker", "two workers"])
def service(
    request: pytest.FixtureRequest, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """`python -m serve`."""
    with running(tmp_path_factory.mktemp("parser"), content, SERVE, WEB_CONCURRENCY=request.param) as running_one:
        yield running_one


@pytest.fixture(scope="module")
def stock(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """uvicorn with its default parser."""
    with running(tmp_path_factory.mktemp("stock"), content, UVICORN) as running_one:
        yield running_one


def offer(body: bytes, is_chunked: bool) -> tuple[bytes, bytes]:
    """Head and body of a POST /predict with an Upgrade header."""
    length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(body)}"
    head = request("POST", "/predict", None, *UPGRADE, length)
    return head, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if is_chunked else body


@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunks"])
@pytest.mark.parametrize("pause", [0.0, 0.05], ids=["together", "apart"])
def test_an_offered_upgrade_is_ignored(service: Service, vector: list[Any], pause: float, is_chunked: bool) -> None:
    """The body is read, and the connection is kept for further requests."""
    head, body = offer(json.dumps({"data": [vector]}).encode(), is_chunked)
    expected = service.ask("POST", "/predict", {"data": [vector]}).json()

    with Connection(service.port) as connection:
        answers = []
        for _ in range(3):
            connection.send(head if pause else head + body)
            if pause:
                time.sleep(pause)
                connection.send(body)
            answers.append(connection.read())
        connection.send(request("POST", "/predict", {"data": [vector] * 2}) + LIVE)
        answers += [connection.read(), connection.read()]

    assert [answer.status for answer in answers] == [200] * 5
    assert [answer.json for answer in answers[:4]] == [expected] * 3 + [expected * 2]
    assert answers[4].json == {"status": "alive"}


@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunks"])
@pytest.mark.parametrize("pause", [0.0, 0.05], ids=["together", "apart"])
def test_stock_uvicorn_refuses_a_body_behind_an_offer_and_never_reads_it_as_a_request(
    stock: Service, pause: float, is_chunked: bool
) -> None:
    """400 and Connection: close, without another answer."""
    before = stock.metrics()
    head, body = offer(LIVE + LIVE, is_chunked)

    with Connection(stock.port) as connection:
        connection.send(head if pause else head + body)
        answer = connection.read()
        if pause:
            connection.send_if_open(body + LIVE)
        rest = connection.rest()

    assert (answer.status, answer.headers["connection"]) == (400, "close")
    assert answer.json["type"] == "urn:problem:body-cut-off"
    assert rest == b""
    # The connection of this test and that of GET /metrics.
    assert stock.metrics()["http_requests_total"] == before["http_requests_total"] + 2


def test_stock_uvicorn_answers_an_offer_without_a_body(stock: Service) -> None:
    with Connection(stock.port) as connection:
        connection.send(request("GET", "/livez", None, *UPGRADE))

        assert connection.read().status == 200
