"""What holds for every request: its id, keys, headers, shedding, CORS."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from serve.app import make_app
from serve.gate import HEALTH
from serve.model import Matrix, Model, Scores
from serve.settings import Settings

MakeClient = Callable[..., httpx.Client]

KEYS = ("first-key-of-the-service", "second-key-of-the-service")
ORIGIN = "https://app.test"


@dataclass
class Clock:
    """Time that passes when a test says so."""

    now: float = 1000.0

    def perf_counter(self) -> float:
        """Seconds."""
        return self.now


@dataclass(frozen=True, slots=True)
class SlowModel(Model):
    """A model that takes a while for every batch."""

    clock: Clock
    seconds: float

    def score(self, applicants: Matrix, *, explain: bool = False) -> Scores:
        """Let the time pass, then answer."""
        self.clock.now += self.seconds
        return Model.score(self, applicants, explain=explain)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of the gate."""
    clock = Clock()
    monkeypatch.setattr("serve.gate.perf_counter", clock.perf_counter)
    return clock


@pytest.mark.parametrize("id", ["a", "A-1.b:c/d=e+f_g", "9" * 128, "0af7651916cd43dd8448eb211c80319c"])
def test_a_request_keeps_the_id_it_came_with(client: httpx.Client, id: str) -> None:
    """It comes back with the answer, and in the body of a refusal."""
    headers = {"X-Request-ID": id}

    right, wrong = client.get("/livez", headers=headers), client.post("/score", content="{", headers=headers)

    assert (id, id) == (right.headers["x-request-id"], wrong.headers["x-request-id"])
    assert id == wrong.json()["request_id"]


@pytest.mark.parametrize("id", [b"", b"a b", b"9" * 129, b'"', b"{}", b"\xc3\xbc", b"a;b", b"<b>"])
def test_an_id_that_could_harm_a_log_is_replaced(client: httpx.Client, id: bytes) -> None:
    """Too long, or of other characters than ids are made of: the request gets one of ours."""
    given = client.get("/livez", headers={b"X-Request-ID": id}).headers["x-request-id"]

    assert re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]+", given)


def test_requests_without_an_id_get_each_their_own(client: httpx.Client) -> None:
    """No two are the same, so that a log can be searched for one."""
    assert 20 == len({client.get("/livez").headers["x-request-id"] for _ in range(20)})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/docs", 200),
        ("GET", "/model", 200),
        ("GET", "/metrics", 200),
        ("HEAD", "/model", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/score", 405),
        ("POST", "/score", 400),
        ("POST", "/predict", 400),
    ],
)
def test_every_answer_has_the_headers_that_protect_it(
    client: httpx.Client, method: str, path: str, status: int
) -> None:
    """Nobody keeps it, nobody takes it for another type, and it names its request."""
    response = client.request(method, path)

    assert status == response.status_code
    assert ("nosniff", "no-store") == (response.headers["x-content-type-options"], response.headers["cache-control"])
    assert response.headers["x-request-id"]
    assert "server" not in response.headers


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_lets_nothing_in_and_nobody_frame_it(client: httpx.Client, path: str) -> None:
    """Its policy is its own origin alone."""
    headers = client.get(path).headers

    assert "default-src 'none'; script-src 'self'" in headers["content-security-policy"]
    assert ("no-referrer", "DENY") == (headers["referrer-policy"], headers["x-frame-options"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEYS[0]}"},
        {"Authorization": f"bearer  {KEYS[1]} "},
        {"X-API-Key": KEYS[0]},
        {"X-API-Key": KEYS[1]},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/model"), ("GET", "/metrics"), ("POST", "/predict")])
def test_any_of_the_keys_opens_the_service(
    model: Model, make_client: MakeClient, vector: list[Any], headers: dict[str, str], method: str, path: str
) -> None:
    """As a bearer token or as X-API-Key."""
    client = make_client(model, Settings(api_keys=KEYS))

    assert 200 == client.request(method, path, headers=headers, json={"data": [vector]}).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": KEYS[0]},
        {"Authorization": f"Basic {KEYS[0]}"},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {KEYS[0][:-1]}"},
        {"Authorization": f"Bearer {KEYS[0]}x"},
        {"Authorization": f"Bearer {KEYS[0]},{KEYS[1]}"},
        {"X-API-Key": ""},
        {"X-API-Key": KEYS[0].upper()},
        {b"X-API-Key": b"\xff\xfe"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/model"), ("POST", "/score"), ("POST", "/predict"), ("GET", "/metrics"), ("GET", "/nowhere")],
)
def test_without_a_right_key_a_request_is_401(
    model: Model, make_client: MakeClient, headers: dict[Any, Any], method: str, path: str
) -> None:
    """WWW-Authenticate says how; nothing tells what there is, or how near a key was."""
    response = make_client(model, Settings(api_keys=KEYS)).request(method, path, headers=headers)

    assert (401, "application/problem+json") == (response.status_code, response.headers["content-type"])
    assert 'Bearer realm="credit"' == response.headers["www-authenticate"]
    assert "urn:problem:no-key" == response.json()["type"]
    assert not any(key in response.text for key in KEYS)


@pytest.mark.parametrize("path", sorted(HEALTH | {"/", "/docs", "/docs.js", "/docs.css"}))
def test_health_and_pages_are_open_without_a_key(model: Model, make_client: MakeClient, path: str) -> None:
    """Platforms that look after a service hold no key, and a page asks for one."""
    assert 200 == make_client(model, Settings(api_keys=KEYS)).get(path).status_code


@pytest.mark.parametrize("path", sorted(HEALTH))
def test_health_is_open_for_looking_alone(model: Model, make_client: MakeClient, path: str) -> None:
    """There is nothing else to do there."""
    assert 405 == make_client(model, Settings(api_keys=KEYS)).post(path).status_code


def test_requests_that_waited_too_long_are_shed(model: Model, vector: list[Any], clock: Clock) -> None:
    """Requests of one turn of the loop wait for each other: beyond QUEUE_MS they get 503, the next turn 200."""
    gate = make_app(SlowModel(model.contract, model.sha256, model.session, clock, 0.06), Settings(queue_ms=100))

    async def ask() -> list[list[httpx.Response]]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://test") as client:
            body = {"data": [vector] * 2}
            first = await asyncio.gather(*(client.post("/predict", json=body) for _ in range(4)), client.get("/livez"))
            await asyncio.sleep(0)
            return [first, [await client.post("/predict", json=body)]]

    first, second = asyncio.run(ask())

    assert [200, 200, 503, 503, 200] == [response.status_code for response in first]
    assert [200] == [response.status_code for response in second]
    shed = first[2]
    assert ("1", "urn:problem:too-busy") == (shed.headers["retry-after"], shed.json()["type"])
    assert "more requests wait than can be answered in time; try again in a second" == shed.json()["error"]


def test_a_service_that_stops_asks_its_clients_to_leave(
    model: Model, connect: Callable[[ASGIApp], httpx.Client]
) -> None:
    """Each connection learns with its last answer that it was the last."""
    gate = make_app(model)
    client = connect(gate)

    before = client.get("/livez")
    gate.is_draining = True
    after = client.get("/livez")

    assert "connection" not in before.headers
    assert ("close", 200) == (after.headers["connection"], after.status_code)


def test_cors_is_off_unless_configured(client: httpx.Client) -> None:
    """No page of another origin may read an answer, nor ask whether it may."""
    asked = client.options("/score", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    given = client.get("/model", headers={"Origin": ORIGIN})

    assert 405 == asked.status_code
    for response in (asked, given):
        assert not [name for name in response.headers if name.startswith("access-control")]


def test_a_configured_origin_may_ask_and_read(model: Model, make_client: MakeClient, vector: list[Any]) -> None:
    """Preflight without a key, as browsers send it; then the request with one; any other origin gets neither."""
    client = make_client(model, Settings(api_keys=KEYS, cors_origins=(ORIGIN,)))
    question = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    body, key = {"data": [vector]}, {"X-API-Key": KEYS[0]}

    asked = client.options("/predict", headers={"Origin": ORIGIN, **question})
    given = client.post("/predict", headers={"Origin": ORIGIN, **key}, json=body)
    keyless = client.post("/predict", headers={"Origin": ORIGIN}, json=body)
    strangers = client.options("/predict", headers={"Origin": "https://other.test", **question})

    assert [200, 200, 401, 400] == [response.status_code for response in (asked, given, keyless, strangers)]
    assert ORIGIN == asked.headers["access-control-allow-origin"] == given.headers["access-control-allow-origin"]
    assert "x-api-key" in asked.headers["access-control-allow-headers"]
    assert "x-request-id" == given.headers["access-control-expose-headers"]
    assert "access-control-allow-origin" not in strangers.headers
