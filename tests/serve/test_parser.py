"""A connection that offers an upgrade is read by the parser that ignores the offer, every other one by the fast one."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from serve.parser import MOST_HEAD_BYTES, ParserChoice
from tests.serve.running import SERVE, UVICORN, Connection, Service, request, running

UPGRADE = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA")
"""What Java's HttpClient and curl --http2 send with their first request."""

LIVE = request("GET", "/livez")


class Transport(asyncio.Transport):
    """One side of a connection, of which tests need to know who reads it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.protocol: Any = None
        self.written = b""
        self.is_closed = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Who reads from now on."""
        self.protocol = protocol

    def write(self, data: Any) -> None:
        """Keep what is sent."""
        self.written += data

    def is_closing(self) -> bool:
        """Whether the connection is over."""
        return self.is_closed

    def close(self) -> None:
        """End the connection."""
        self.is_closed = True

    def pause_reading(self) -> None:
        """Nothing to pause."""

    def resume_reading(self) -> None:
        """Nothing to resume."""


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers with the body it got."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Choice:
    """A new connection under uvicorn's state, and what became of it."""

    def __init__(self) -> None:
        self.state = ServerState()
        config = Config(answer, http=ParserChoice, ws="none", interface="asgi3", log_config=None)
        config.load()
        self.transport = Transport()
        self.protocol = ParserChoice(config=config, server_state=self.state, app_state={}, _loop=None)
        self.protocol.connection_made(self.transport)

    def receive(self, data: bytes) -> None:
        """Bytes arrive."""
        (self.transport.protocol or self.protocol).data_received(data)

    @property
    def reader(self) -> str:
        """Which parser reads the connection by now."""
        return type(self.transport.protocol).__name__

    async def settle(self) -> bytes:
        """Let every request be answered; returns what was sent back."""
        while self.state.tasks:
            await asyncio.wait(self.state.tasks)
        return self.transport.written


def choose(*parts: bytes) -> tuple[str, bytes]:
    """Which parser reads a connection on which these parts arrive, and what is sent back."""

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
    """The word may stand elsewhere."""
    reader, sent = choose(content)

    assert reader == "HttpToolsProtocol"
    assert sent.endswith(b"the body")


@pytest.mark.parametrize("more", [(), UPGRADE], ids=["plain", "upgrade"])
def test_a_head_may_come_in_any_two_parts(more: tuple[str, ...]) -> None:
    """Wherever the network cuts it: the same parser and the same answer."""
    content = request("POST", "/", b"the body", *more)
    expected = choose(content)[0]

    found = [choose(content[:place], content[place:]) for place in range(1, len(content))]

    assert {reader for reader, _ in found} == {expected}
    assert all(sent.endswith(b"the body") for _, sent in found)


def test_a_head_that_is_too_long_goes_to_the_fast_parser_unread() -> None:
    """Nothing is held back beyond that."""
    assert choose(b"GET / HTTP/1.1\r\nX-Filler: ", b"x" * MOST_HEAD_BYTES)[0] == "HttpToolsProtocol"


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
def test_what_cannot_become_a_head_is_refused_at_once(content: bytes) -> None:
    """Somebody who speaks TLS to this port would wait for an answer, and the service for the end of a head."""
    _, sent = choose(content)

    assert sent.startswith(b"HTTP/1.1 400 ")


def test_a_connection_counts_once_for_the_server(vector: list[Any]) -> None:
    """From its first moment to its end, whichever parser reads it: the server closes it when it stops."""

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


def test_a_client_that_leaves_before_its_head_is_whole_leaves_nothing_behind() -> None:
    """Without a byte, or in the middle."""

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
    """uvicorn with its own choice of a parser."""
    with running(tmp_path_factory.mktemp("stock"), content, UVICORN) as running_one:
        yield running_one


def offer(body: bytes, is_chunked: bool) -> tuple[bytes, bytes]:
    """Head and body of a POST /predict that offers an upgrade."""
    length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(body)}"
    head = request("POST", "/predict", None, *UPGRADE, length)
    return head, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if is_chunked else body


@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunks"])
@pytest.mark.parametrize("pause", [0.0, 0.05], ids=["together", "apart"])
def test_an_offered_upgrade_is_ignored(service: Service, vector: list[Any], pause: float, is_chunked: bool) -> None:
    """The body is read wherever it comes, and the connection goes on, with and without further offers."""
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
    """400 with Connection: close, whatever the body looks like; nothing else is answered on the connection."""
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
    # The one of this test and that for the metrics.
    assert stock.metrics()["http_requests_total"] == before["http_requests_total"] + 2


def test_stock_uvicorn_answers_an_offer_without_a_body(stock: Service) -> None:
    """There is nothing to lose."""
    with Connection(stock.port) as connection:
        connection.send(request("GET", "/livez", None, *UPGRADE))

        assert connection.read().status == 200
