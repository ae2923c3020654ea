"""Message framing over a socket, for `python -m serve`, two workers, and stock uvicorn.

Bytes after a body, pipelining, slow and incomplete bodies: every request gets its own answer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.serve.running import SERVE, UVICORN, Connection, Service, request, running, wait_until

BODY_TIMEOUT = 1

KEY = "a-key-of-24-characters--"

SMALL = ("/livez", "/model", "/metrics", "/readyz")


@pytest.fixture(
    scope="module",
    params=[(SERVE, "1"), (SERVE, "2"), (UVICORN, "1")],
    ids=["python -m serve", "two workers", "uvicorn"],
)
def service(
    request: pytest.FixtureRequest, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A running service with a short BODY_TIMEOUT."""
    command, workers = request.param
    settings = {"WEB_CONCURRENCY": workers, "BODY_TIMEOUT": str(BODY_TIMEOUT)}
    with running(tmp_path_factory.mktemp("framing"), content, command, **settings) as running_one:
        yield running_one


def score(vector: list[Any], *ids: str) -> bytes:
    """A POST /score of applicants with these ids."""
    names = ("Amount", "Income", "Home", "Client", "Debt/Income~12m")
    levels = {"Home": ("own", "rent", "other"), "Client": ("False", "True")}
    values = {name: levels[name][value] if name in levels else value for name, value in zip(names, vector, strict=True)}
    return request("POST", "/score", {"applicants": [{"id": id, **values} for id in ids]})


@pytest.mark.parametrize("more", [b"\n", b" ", b"x", b"\x00", b"{"])
def test_an_extra_byte_after_a_body_does_no_harm(service: Service, vector: list[Any], more: bytes) -> None:
    """The service goes on answering.

    The connection itself is closed: uvicorn answers an invalid start of a request with 400, even before the answers
    due.
    """
    told = request("POST", "/predict", {"data": [vector]}) + more
    for _ in range(10):
        with Connection(service.port) as connection:
            connection.send(told)
            answer = connection.read()
            assert (answer.status, answer.headers.get("connection")) in [(200, None), (400, "close")]

    for _ in range(4):
        assert service.ask("POST", "/predict", {"data": [vector]}).status_code == 200
        assert [service.ask("GET", path).status_code for path in SMALL] == [200] * len(SMALL)


def test_a_line_end_after_a_body_is_ignored(service: Service, vector: list[Any]) -> None:
    """As old clients send it (RFC 9112, 2.2)."""
    told = request("POST", "/predict", {"data": [vector]})
    with Connection(service.port) as connection:
        for _ in range(3):
            connection.send(told + b"\r\n")

        assert [connection.read().status for _ in range(3)] == [200] * 3


def test_requests_sent_together_are_answered_in_order(service: Service, vector: list[Any]) -> None:
    """Pipelined small and large requests, each with its own ids in the answer."""
    groups = [["a"], [f"b{n}" for n in range(150)], ["c"], [f"d{n}" for n in range(150)], ["e", "f"]]
    for _ in range(10):
        with Connection(service.port) as connection:
            connection.send(b"".join(score(vector, *ids) for ids in groups))
            answers = [connection.read() for _ in groups]

        assert [answer.status for answer in answers] == [200] * len(groups)
        assert [[result["id"] for result in answer.json["results"]] for answer in answers] == groups


def test_requests_of_different_kinds_sent_together_are_answered_in_order(service: Service, vector: list[Any]) -> None:
    """Pipelined refusals, health checks and scores."""
    told = [
        (request("POST", "/predict", {"data": [vector] * 3}), 200),
        (request("GET", "/nowhere"), 404),
        (request("POST", "/predict", b"{"), 400),
        (request("PUT", "/score", b"{}"), 405),
        (request("POST", "/predict", {"data": [vector] * 2000}), 200),
        (request("GET", "/livez"), 200),
        (request("POST", "/predict", {"data": [vector] * 2}), 200),
    ]
    with Connection(service.port) as connection:
        connection.send(b"".join(one for one, _ in told))
        answers = [connection.read() for _ in told]

    assert [answer.status for answer in answers] == [status for _, status in told]
    assert [len(answers[place].json) for place in (0, 4, 6)] == [3, 2000, 2]
    assert answers[5].json == {"status": "alive"}


def test_head_has_no_body_under_load_either(service: Service, vector: list[Any]) -> None:
    """The pipelined request after a HEAD gets its own answer while other clients keep the service busy."""
    is_over = False

    def load() -> int:
        count = 0
        with Connection(service.port) as connection:
            while not is_over:
                connection.send(score(vector, *map(str, range(150))))
                assert connection.read().status == 200
                count += 1
        return count

    with ThreadPoolExecutor(2) as clients:
        loads = [clients.submit(load) for _ in range(2)]
        try:
            with Connection(service.port) as connection:
                for number in range(60):
                    path = SMALL[number % len(SMALL)]
                    connection.send(request("HEAD", path) + score(vector, f"after {number}"))
                    head, after = connection.read("HEAD"), connection.read()
                    assert (head.status, head.body) == (200, b"")
                    assert [result["id"] for result in after.json["results"]] == [f"after {number}"]
        finally:
            is_over = True
        assert all(one.result() for one in loads)


@pytest.mark.parametrize("pause", [0.0, 0.001, 0.05])
def test_a_body_that_comes_after_its_head_is_answered_at_once(
    service: Service, vector: list[Any], pause: float
) -> None:
    """For clients that send headers and body in separate segments."""
    head, _, body = request("POST", "/predict", {"data": [vector]}).partition(b"\r\n\r\n")
    slowest = 0.0
    with Connection(service.port) as connection:
        for _ in range(5):
            connection.send(head + b"\r\n\r\n")
            time.sleep(pause)
            started = time.monotonic()
            connection.send(body)
            assert connection.read().status == 200
            slowest = max(slowest, time.monotonic() - started)

    assert slowest < BODY_TIMEOUT


def test_a_request_that_comes_byte_by_byte_is_answered(service: Service, vector: list[Any]) -> None:
    """Each byte in its own segment."""
    with Connection(service.port) as connection:
        for byte in request("POST", "/predict", {"data": [vector]}):
            connection.send(bytes([byte]))

        assert connection.read().status == 200


def test_a_body_in_chunks_is_the_same_body(service: Service, vector: list[Any]) -> None:
    """With chunks of one and of many bytes, and a pipelined request after it."""
    body = json.dumps({"data": [vector]}).encode()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:1], body[1:7], body[7:], b""))
    head = b"POST /predict HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Connection(service.port) as connection:
        connection.send((head + chunks) * 2 + request("POST", "/predict", body))
        answers = [connection.read() for _ in range(3)]

    assert [answer.status for answer in answers] == [200] * 3
    assert len({answer.body for answer in answers}) == 1


def test_a_slow_body_is_408_after_its_timeout(service: Service) -> None:
    """Although bytes keep arriving; the connection is closed."""
    with Connection(service.port) as connection:
        connection.send(b'POST /predict HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n{"data": ')
        started = time.monotonic()
        with ThreadPoolExecutor(1) as clients:
            reading = clients.submit(connection.read)
            while not reading.done():
                connection.send(b" ")
                time.sleep(0.05)
        answer, seconds = reading.result(), time.monotonic() - started

    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert answer.json["type"] == "urn:problem:too-slow"
    assert BODY_TIMEOUT <= seconds < BODY_TIMEOUT + 2
    assert service.ask("GET", "/livez").status_code == 200


def test_an_idle_connection_is_not_bound_by_the_body_timeout(service: Service) -> None:
    with Connection(service.port) as connection:
        statuses = []
        for _ in range(2):
            connection.send(request("GET", "/livez"))
            statuses.append(connection.read().status)
            time.sleep(BODY_TIMEOUT + 0.2 if len(statuses) == 1 else 0)

    assert statuses == [200, 200]


def test_a_refused_body_may_be_sent_to_its_end(service: Service, vector: list[Any]) -> None:
    """After 413 the rest of the body is dropped, and the next request on the connection is answered."""
    with Connection(service.port) as connection:
        connection.send(request("POST", "/score", b"[" * 5_000_000) + request("POST", "/predict", {"data": [vector]}))

        assert [connection.read().status for _ in range(2)] == [413, 200]


def test_a_refused_body_in_chunks_may_be_sent_to_its_end(service: Service, vector: list[Any]) -> None:
    """The same for a chunked body."""
    head = b"POST /score HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = (b"%x\r\n" % 100_000 + b"[" * 100_000 + b"\r\n") * 50 + b"0\r\n\r\n"
    with Connection(service.port) as connection, ThreadPoolExecutor(1) as clients:
        sending = clients.submit(connection.send, head + chunks + request("POST", "/predict", {"data": [vector]}))

        assert [connection.read().status for _ in range(2)] == [413, 200]
        sending.result()


def test_a_disconnect_in_the_body_is_no_error_in_the_log(service: Service) -> None:
    for _ in range(4):
        with Connection(service.port) as connection:
            connection.send(b'POST /predict HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n{"data": [[')
    wait_until(lambda: len(service.said('"status":499')) >= 4)

    assert service.ask("GET", "/livez").status_code == 200
    for word in ("Traceback", "Exception", '"trace"', '"error"', "ERROR"):
        assert service.said(word) == []


@pytest.mark.parametrize("command", [SERVE, UVICORN], ids=["python -m serve", "uvicorn"])
def test_a_body_without_a_key_is_not_waited_for(
    content: bytes, tmp_path_factory: pytest.TempPathFactory, command: tuple[str, ...]
) -> None:
    """401 before the body has arrived, and instead of 100 Continue."""
    with running(tmp_path_factory.mktemp("keys"), content, command, API_KEYS=KEY) as service:
        with Connection(service.port) as connection:
            connection.send(b"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Length: 4000000\r\n\r\n{")
            unread = connection.read()
        with Connection(service.port) as connection:
            connection.send(
                b"POST /predict HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
            )
            unsent = connection.read()

    assert [unread.status, unsent.status] == [401, 401]


@pytest.mark.parametrize(
    ("first", "status"),
    [
        ("POST /nowhere", 404),
        ("GET /livez", 200),
        ("GET /score", 405),
        ("CONNECT /livez", 405),
    ],
)
def test_a_body_that_is_not_read_is_never_the_next_request(service: Service, first: str, status: int) -> None:
    """Request smuggling: a connection with an unread body and an Upgrade header is closed after the answer."""
    hidden = request("GET", "/smuggled")
    lines = [f"{first} HTTP/1.1", "Host: test", "Connection: Upgrade", "Upgrade: h2c", f"Content-Length: {len(hidden)}"]
    head = "\r\n".join([*lines, "", ""])
    with Connection(service.port) as connection:
        connection.send(request("GET", "/livez"))
        assert connection.read().status == 200

        connection.send(head.encode())
        answer = connection.read()
        connection.send_if_open(hidden)

        assert (answer.status, answer.headers["connection"]) == (status, "close")
        assert b"smuggled" not in connection.rest()


def test_a_body_of_two_lengths_is_refused(service: Service) -> None:
    """uvicorn's parsers and a proxy may disagree about which of Content-Length and Transfer-Encoding counts."""
    head = b"POST /predict HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    with Connection(service.port) as connection:
        connection.send(head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")

        answer = connection.read()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert connection.rest() == b""
