"""What is refused before it is a request, against the service as a real process: crowds, heads, idleness."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.soak.load import Load, post
from tests.soak.raw import answers, request
from tests.soak.service import Service, running_service

CROWD = 200
KEY = "a-key-of-24-characters--"


@pytest.fixture(scope="module")
def path(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model file."""
    path = Path(tmp_path_factory.mktemp("connection")) / "model.onnx"
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def service(path: Path) -> Iterator[Service]:
    """A service that gives a request a second to arrive."""
    with running_service(MODEL_PATH=str(path), BODY_TIMEOUT="1") as running:
        yield running


def test_a_crowd_is_refused_at_once_and_some_are_served(path: Path, vector: list[Any]) -> None:
    """Every request gets an answer, 200 or 503; /metrics and the log know of each."""
    log = path.with_name("log")
    with running_service(log, MODEL_PATH=str(path), QUEUE_MS="1", LOG_LEVEL="info") as service:

        async def crowd() -> Any:
            load = Load(service.port, post("/predict", {"data": [vector] * 20}))
            await load.connect(CROWD)
            outcome = await load.run(1.0)
            await load.close()
            return outcome

        outcome = asyncio.run(crowd())
        metrics = httpx.get(f"{service.base}/metrics", trust_env=False).text
        lines = [json.loads(line) for line in log.read_text().splitlines()]

    assert {200, 503} == set(outcome.statuses)
    assert (0, 0) == (outcome.lost, outcome.hung)
    for status, count in outcome.statuses.items():
        assert f'http_requests_total{{path="/predict",status="{status}"}} {count}.0' in metrics
        assert count == sum(1 for line in lines if (line.get("path"), line.get("status")) == ("/predict", status))


def test_who_is_refused_in_a_crowd_is_told_so(path: Path, vector: list[Any]) -> None:
    """A whole problem: Retry-After, the request's own id; later it is answered; health is never refused."""
    told = request(json.dumps({"data": [vector]}).encode(), "/predict", more="X-Request-ID: mine\r\n")
    with running_service(MODEL_PATH=str(path), QUEUE_MS="1") as service:

        async def one_of_many() -> httpx.Response:
            load = Load(service.port, post("/predict", {"data": [vector] * 20}))
            await load.connect(CROWD)
            running = asyncio.create_task(load.run(60.0, until=lambda: found.done()))
            found: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()
            async with httpx.AsyncClient(base_url=service.base, trust_env=False) as client:
                while not found.done():
                    health = await client.get("/livez")
                    assert 200 == health.status_code
                    answer = await client.post("/predict", json={"data": [vector]}, headers={"X-Request-ID": "mine"})
                    if answer.status_code == 503:
                        found.set_result(answer)
            await running
            await load.close()
            return found.result()

        refused = asyncio.run(one_of_many())
        after = asyncio.run(answers(service.port, told + told))

    assert ("1", "mine", "nosniff") == tuple(
        refused.headers[name] for name in ("retry-after", "x-request-id", "x-content-type-options")
    )
    assert "application/problem+json" == refused.headers["content-type"]
    assert (503, "mine") == (refused.json()["status"], refused.json()["request_id"])
    assert [200, 200] == [status for status, _ in after]


def test_requests_sent_together_are_answered_in_order(service: Service, vector: list[Any]) -> None:
    """Pipelined on one connection."""
    bodies = [{"data": [vector] * count} for count in range(1, 8)]
    told = b"".join(request(json.dumps(body).encode(), "/predict") for body in bodies)

    found = asyncio.run(answers(service.port, told))

    assert [(200, count) for count in range(1, 8)] == [(status, len(json.loads(body))) for status, body in found]


def test_a_connection_that_never_asks_is_closed(service: Service) -> None:
    """Without a word."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as idle:
        started = time.monotonic()

        assert b"" == idle.recv(1000)
        assert time.monotonic() - started >= 1


def test_a_connection_may_rest_between_requests(service: Service) -> None:
    """Longer than a request may take to arrive."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as resting:
        resting.settimeout(2.5)
        found = []
        for _ in range(2):
            resting.sendall(b"GET /livez HTTP/1.1\r\nHost: test\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}"):  # head and body may come apart
                answer += resting.recv(1000)
            found.append(answer[:12])
            with pytest.raises(TimeoutError):
                resting.recv(1000)

    assert [b"HTTP/1.1 200"] * 2 == found


def test_a_refused_body_may_be_sent_to_its_end(service: Service, vector: list[Any]) -> None:
    """413 comes first, the rest is thrown away, and the connection takes the next request."""
    told = request(b"[" * 5_000_000) + request(json.dumps({"data": [vector]}).encode(), "/predict")

    found = asyncio.run(answers(service.port, told))

    assert [413, 200] == [status for status, _ in found]


def test_a_body_without_a_key_is_not_read(path: Path) -> None:
    """401 before its end, however long it is."""
    with running_service(MODEL_PATH=str(path), API_KEYS=KEY) as service:
        found = asyncio.run(answers(service.port, request(b"{", length="4000000")))

    assert [401] == [status for status, _ in found]


@pytest.mark.parametrize("pause", [0.0, 0.001, 0.05])
def test_a_body_that_comes_after_its_head_is_answered_at_once(
    service: Service, vector: list[Any], pause: float
) -> None:
    """As clients send it that write head and body apart: in one turn of the loop or in two, as the network has it."""
    head, _, body = request(json.dumps({"data": [vector]}).encode(), "/predict").partition(b"\r\n\r\n")
    with socket.create_connection(("127.0.0.1", service.port), timeout=5) as apart:
        apart.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        slowest = 0.0
        for _ in range(20):
            apart.sendall(head + b"\r\n\r\n")
            time.sleep(pause)
            started = time.monotonic()
            apart.sendall(body)
            assert apart.recv(1000).startswith(b"HTTP/1.1 200")
            slowest = max(slowest, time.monotonic() - started)

    # A request that nobody has begun a turn for waits for the next event: half a second at least.
    assert slowest < 0.4


@pytest.mark.parametrize("size", [1024, 1025])
def test_a_small_limit_of_bytes_holds_for_small_bodies_too(path: Path, vector: list[Any], size: int) -> None:
    """Whichever way a request goes."""
    body = json.dumps({"data": [vector]}).encode().ljust(size)
    with running_service(MODEL_PATH=str(path), MAX_BODY_BYTES="1024") as service:
        found = asyncio.run(answers(service.port, request(body, "/predict")))

    assert [200 if size <= 1024 else 413] == [status for status, _ in found]
