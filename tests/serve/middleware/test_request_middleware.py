"""RequestMiddleware: request ids, API keys, headers, load shedding, CORS, failures."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from model.session import Matrix, Model, Scores
from serve.api.pages import FILES
from serve.api.routes import ENDPOINTS
from serve.app import create_app_for_model
from serve.keys import NamedKey, read_key
from serve.middleware.request_middleware import RequestMiddleware
from serve.settings import Settings
from serve.state import AppState
from tests.serve.conversation import Conversation, HangingUp, Stalled

Connect = Callable[[ASGIApp], httpx.Client]
MakeClient = Callable[..., httpx.Client]

KEYS = ("first-key-of-the-service", "second-key-of-the-service")
NAMED_KEYS = tuple(map(read_key, KEYS))
ORIGIN = "https://app.test"

HEALTH = sorted(endpoint.path for endpoint in ENDPOINTS if endpoint.is_health)
PAGES = ["/", "/docs", "/monitor", *(f"/{name}" for name in FILES)]

PART = 65_536
"""Bytes of a part of a body."""


class BrokenModel(Model, frozen=True):
    """A model that raises an exception with a secret in its message."""

    def score(self, applicants: Matrix, *, explain: bool = False) -> Scores:
        """Fail."""
        raise RuntimeError("secret inside of /srv/model.onnx")


def make_broken_app(model: Model, settings: Settings | None = None) -> Starlette:
    """An application whose model has passed its self-test and fails afterwards."""
    app = create_app_for_model(model, settings)
    app.state.service.runtime.model = BrokenModel(model.contract, model.sha256, model.session)
    return app


@pytest.mark.parametrize("id", ["a", "A-1.b:c/d=e+f_g", "9" * 128, "0af7651916cd43dd8448eb211c80319c"])
def test_a_request_keeps_the_id_it_came_with(client: httpx.Client, id: str) -> None:
    """X-Request-ID is returned with the answer and in the body of a problem."""
    headers = {"X-Request-ID": id}

    right, wrong = client.get("/livez", headers=headers), client.post("/score", content="{", headers=headers)

    assert (right.headers["x-request-id"], wrong.headers["x-request-id"]) == (id, id)
    assert wrong.json()["request_id"] == id


@pytest.mark.parametrize("id", [b"", b"a b", b"9" * 129, b'"', b"{}", b"\xc3\xbc", b"a;b", b"<b>"])
def test_an_id_that_could_harm_a_log_is_replaced(client: httpx.Client, id: bytes) -> None:
    """One that is too long or has other characters is replaced by a generated id."""
    given = client.get("/livez", headers={b"X-Request-ID": id}).headers["x-request-id"]

    assert re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]+", given)


def test_generated_ids_are_unique(client: httpx.Client) -> None:
    assert len({client.get("/livez").headers["x-request-id"] for _ in range(20)}) == 20


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
    """No caching, no content sniffing, and the request id."""
    response = client.request(method, path)

    assert response.status_code == status
    assert (response.headers["x-content-type-options"], response.headers["cache-control"]) == ("nosniff", "no-store")
    assert response.headers["x-request-id"]
    assert "server" not in response.headers


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_loads_nothing_from_elsewhere_and_cannot_be_framed(client: httpx.Client, path: str) -> None:
    """Its Content-Security-Policy allows only its own origin."""
    headers = client.get(path).headers

    assert "default-src 'none'; script-src 'self'" in headers["content-security-policy"]
    assert (headers["referrer-policy"], headers["x-frame-options"]) == ("no-referrer", "DENY")


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
def test_any_of_the_keys_is_accepted(
    model: Model, make_client: MakeClient, vector: list[Any], headers: dict[str, str], method: str, path: str
) -> None:
    """As a bearer token or as X-API-Key."""
    client = make_client(model, Settings(api_keys=NAMED_KEYS))

    assert client.request(method, path, headers=headers, json={"data": [vector]}).status_code == 200


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
def test_without_a_valid_key_a_request_is_401(
    model: Model, make_client: MakeClient, headers: dict[Any, Any], method: str, path: str
) -> None:
    """With WWW-Authenticate; the answer is the same for existing and unknown paths and for any wrong key."""
    response = make_client(model, Settings(api_keys=NAMED_KEYS)).request(method, path, headers=headers)

    assert (response.status_code, response.headers["content-type"]) == (401, "application/problem+json")
    assert response.headers["www-authenticate"] == 'Bearer realm="credit"'
    assert response.json()["type"] == "urn:problem:no-key"
    assert not any(key in response.text for key in KEYS)


def test_a_handler_is_told_the_name_of_the_key_and_its_right(model: Model) -> None:
    """Neither without a known key."""
    settings = Settings(api_keys=(NamedKey("portal", KEYS[0]),), decisions_keys=(NamedKey("officer", KEYS[1]),))
    app = create_app_for_model(model, settings)

    def ask(key: str) -> tuple[str | None, bool]:
        exchange = Conversation("GET", "/model", headers={"x-api-key": key})
        asyncio.run(exchange.run(app))
        context = exchange.scope["state"]["context"]
        return context.key_name, context.may_read_decisions

    assert [ask(key) for key in (*KEYS, "another")] == [("portal", False), ("officer", True), (None, False)]


@pytest.mark.parametrize("key", [*KEYS, KEYS[0][:-1], ""])
def test_a_key_is_compared_with_every_known_one(model: Model, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """Each in constant time, also behind the right one, so that the duration tells nothing about a key."""
    compared: list[bytes] = []

    def compare(given: bytes, known: bytes) -> bool:
        compared.append(known)
        return given == known

    monkeypatch.setattr("serve.middleware.request_middleware.hmac.compare_digest", compare)
    settings = Settings(api_keys=NAMED_KEYS[:1], decisions_keys=NAMED_KEYS[1:])

    exchange = Conversation("GET", "/model", headers={"x-api-key": key})
    asyncio.run(exchange.run(create_app_for_model(model, settings)))

    assert compared == [known.encode() for known in KEYS]
    assert exchange.status == (200 if key in KEYS else 401)


@pytest.mark.parametrize("path", [*HEALTH, *PAGES])
def test_health_and_pages_need_no_key(model: Model, make_client: MakeClient, path: str) -> None:
    """Platforms probe without a key, and pages ask their user for one."""
    assert make_client(model, Settings(api_keys=NAMED_KEYS)).get(path).status_code == 200


def test_everything_else_needs_a_key(model: Model, make_client: MakeClient) -> None:
    """Every other route of the table."""
    client = make_client(model, Settings(api_keys=NAMED_KEYS))
    closed = [endpoint for endpoint in ENDPOINTS if endpoint.path not in [*HEALTH, *PAGES]]

    assert {client.request(endpoint.method, endpoint.path).status_code for endpoint in closed} == {401}


@pytest.mark.parametrize("path", HEALTH)
def test_health_allows_get_only(model: Model, make_client: MakeClient, path: str) -> None:
    assert make_client(model, Settings(api_keys=NAMED_KEYS)).post(path).status_code == 405


@pytest.mark.parametrize(("path", "key"), [("/predict", b""), ("/score", b"wrong"), ("/nowhere", b"")])
def test_a_body_without_a_key_is_not_read(model: Model, path: str, key: bytes) -> None:
    """401 after at most the one part that the server holds already."""
    headers = {"content-length": str(3 * PART), "x-api-key": key.decode()}
    exchange = Conversation("POST", path, [b"[" * PART] * 3, headers)
    app = create_app_for_model(model, Settings(api_keys=NAMED_KEYS))

    asyncio.run(exchange.run(app))

    assert exchange.status == 401
    assert exchange.receive_calls <= 1
    assert app.state.service.body_bytes == 0


def test_a_body_that_was_not_sent_yet_is_not_asked_for_without_a_key(model: Model) -> None:
    """A client that waits for `100 Continue` gets 401 instead."""
    exchange = Conversation("POST", "/predict", [b"["], {"content-length": "1", "expect": "100-continue"})

    asyncio.run(exchange.run(create_app_for_model(model, Settings(api_keys=NAMED_KEYS))))

    assert (exchange.status, exchange.receive_calls) == (401, 0)


def test_a_request_without_a_key_does_not_wait_for_its_body(model: Model) -> None:
    """401 however slowly the body arrives."""
    exchange = Stalled("POST", "/predict", [b"[", b"["], {"content-length": "2"})
    exchange.receive_calls = 1

    asyncio.run(asyncio.wait_for(exchange.run(create_app_for_model(model, Settings(api_keys=NAMED_KEYS))), 10))

    assert exchange.status == 401


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/predict"), ("POST", "/score"), ("GET", "/model"), ("GET", "/metrics")]
)
def test_more_requests_than_allowed_are_503_at_once(model: Model, vector: list[Any], method: str, path: str) -> None:
    """Beyond MAX_CONCURRENT_REQUESTS: unread, with Retry-After, until one of them is finished."""
    app = create_app_for_model(model, Settings(max_concurrent_requests=2))
    body = json.dumps({"data": [vector]}).encode()

    async def ask() -> tuple[list[Stalled], Conversation, Conversation]:
        slow = [Stalled("POST", "/predict", [body[:9], body[9:]]) for _ in range(2)]
        tasks = [asyncio.create_task(one.run(app)) for one in slow]
        await asyncio.sleep(0)
        refused = Conversation(method, path, [b"[" * PART] * 3, {"content-length": str(3 * PART)})
        await refused.run(app)
        for one in slow:
            one.may_go_on.set()
        await asyncio.gather(*tasks)
        later = Conversation("POST", "/predict", [body])
        await later.run(app)
        return slow, refused, later

    slow, refused, later = asyncio.run(ask())

    assert (refused.status, refused.headers["retry-after"]) == (503, "1")
    assert refused.json["type"] == "urn:problem:too-busy"
    assert refused.json["error"] == "2 requests are in progress already; try again in a second"
    assert refused.headers["x-request-id"] == refused.json["request_id"]
    assert refused.receive_calls <= 1
    assert [one.status for one in (*slow, later)] == [200, 200, 200]


def test_health_is_answered_however_busy_the_service_is(model: Model) -> None:
    """Otherwise the platform would restart a busy service."""
    app = create_app_for_model(model, Settings(max_concurrent_requests=1))

    async def ask() -> list[int]:
        slow = [Stalled("POST", "/predict", [b"{", b"}"]) for _ in range(2)]
        tasks = [asyncio.create_task(one.run(app)) for one in slow]
        await asyncio.sleep(0)
        health = [Conversation("GET", path) for path in HEALTH]
        for one in health:
            await one.run(app)
        for one in slow:
            one.may_go_on.set()
        await asyncio.gather(*tasks)
        return [one.status for one in health]

    assert asyncio.run(ask()) == [200] * len(HEALTH)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/predict"), ("POST", "/score"), ("POST", "/v2/models/test/infer")]
)
def test_a_request_counts_as_in_progress_while_its_body_arrives(model: Model, method: str, path: str) -> None:
    """In the gauge of GET /metrics, which counts itself too."""
    app = create_app_for_model(model)

    async def ask() -> list[bytes]:
        slow = Stalled(method, path, [b"{", b"}"])
        task = asyncio.create_task(slow.run(app))
        await asyncio.sleep(0)
        during, after = Conversation("GET", "/metrics"), Conversation("GET", "/metrics")
        await during.run(app)
        slow.may_go_on.set()
        await task
        await after.run(app)
        return [line for one in (during, after) for line in one.content.splitlines() if b"in_flight " in line]

    assert [line for line in asyncio.run(ask()) if not line.startswith(b"#")] == [
        b"http_requests_in_flight 2.0",
        b"http_requests_in_flight 1.0",
    ]


def test_cors_is_off_unless_configured(client: httpx.Client) -> None:
    """No answer has a header that allows another origin."""
    preflight = client.options("/score", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    given = client.get("/model", headers={"Origin": ORIGIN})

    assert preflight.status_code == 405
    for response in (preflight, given):
        assert [name for name in response.headers if name.startswith("access-control")] == []


def test_a_configured_origin_may_ask_and_read(model: Model, make_client: MakeClient, vector: list[Any]) -> None:
    """A preflight needs no key, the request does; other origins get neither."""
    client = make_client(model, Settings(api_keys=NAMED_KEYS, cors_origins=(ORIGIN,)))
    question = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    body, key = {"data": [vector]}, {"X-API-Key": KEYS[0]}

    preflight = client.options("/predict", headers={"Origin": ORIGIN, **question})
    given = client.post("/predict", headers={"Origin": ORIGIN, **key}, json=body)
    other = client.options("/predict", headers={"Origin": "https://other.test", **question})

    assert [response.status_code for response in (preflight, given, other)] == [200, 200, 400]
    assert preflight.headers["access-control-allow-origin"] == given.headers["access-control-allow-origin"] == ORIGIN
    assert "x-api-key" in preflight.headers["access-control-allow-headers"]
    assert given.headers["access-control-expose-headers"] == "x-request-id, x-decision-id"
    assert "access-control-allow-origin" not in other.headers


def test_a_page_of_a_configured_origin_may_read_why_it_is_refused(
    model: Model, connect: Connect, vector: list[Any]
) -> None:
    """401, 503 and 500 have the CORS headers, without which the browser would hide them."""
    settings = Settings(api_keys=NAMED_KEYS, cors_origins=(ORIGIN,), queue_bodies=1, max_concurrent_requests=1)
    app = make_broken_app(model, settings)
    client = connect(app)
    key = {"x-api-key": KEYS[0], "origin": ORIGIN}

    keyless = client.get("/model", headers={"Origin": ORIGIN})
    failed = client.post("/predict", headers=key, json={"data": [vector] * 2})

    async def ask() -> Conversation:
        slow, refused = Stalled("POST", "/predict", [b"{", b"}"], key), Conversation("GET", "/model", headers=key)
        task = asyncio.create_task(slow.run(app))
        await asyncio.sleep(0)
        await refused.run(app)
        slow.may_go_on.set()
        await task
        return refused

    busy = asyncio.run(ask())

    assert [keyless.status_code, failed.status_code, busy.status] == [401, 500, 503]
    for headers in (keyless.headers, failed.headers, busy.headers):
        assert headers["access-control-allow-origin"] == ORIGIN
        assert headers["access-control-expose-headers"] == "x-request-id, x-decision-id"
        assert headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "key", "rows"), [("/predict", "data", 2), ("/score", "applicants", 2), ("/predict", "data", 5000)]
)
def test_an_exception_is_500_without_its_message(
    model: Model, connect: Connect, vector: list[Any], path: str, key: str, rows: int
) -> None:
    client = connect(make_broken_app(model))

    response = client.post(path, json={key: [vector] * rows})

    assert (response.status_code, response.headers["content-type"]) == (500, "application/problem+json")
    assert response.json()["error"] == "internal error, not caused by the request; see the log under this request id"
    for word in ("secret", "RuntimeError", "Traceback", "/srv"):
        assert word not in response.text


@pytest.mark.parametrize("settings", [Settings(), Settings(cors_origins=(ORIGIN,))], ids=["", "CORS"])
@pytest.mark.parametrize("path", ["/predict", "/v2/models/test/infer"])
def test_an_exception_is_logged_once_with_the_request_id(
    model: Model,
    connect: Connect,
    vector: list[Any],
    caplog: pytest.LogCaptureFixture,
    settings: Settings,
    path: str,
) -> None:
    client = connect(make_broken_app(model, settings))
    tensor = {"name": "applicants", "shape": [2, 5], "datatype": "FP64", "data": [vector] * 2}

    response = client.post(path, json={"data": [vector] * 2} if path == "/predict" else {"inputs": [tensor]})

    assert (response.status_code, response.json()["type"]) == (500, "urn:problem:internal")
    assert caplog.messages == [f"request {response.json()['request_id']} failed"]


def test_a_failure_after_the_answer_has_begun_sends_no_second_one(
    model: Model, caplog: pytest.LogCaptureFixture
) -> None:
    """The exception is logged only."""

    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    exchange = Conversation("GET", "/model", headers={"x-request-id": "A-1"})

    asyncio.run(exchange.run(around(fail, create_app_for_model(model).state.service)))

    assert [message["type"] for message in exchange.sent] == ["http.response.start"]
    assert caplog.messages == ["request A-1 failed"]


@pytest.mark.parametrize("path", ["/predict", "/score"])
def test_a_disconnect_in_the_body_is_499(
    model: Model, path: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is raised or sent; log and metrics have 499, and the body is released."""
    exchange, app = HangingUp("POST", path, [b'{"data": [[', b"1"]), create_app_for_model(model)

    asyncio.run(exchange.run(app))

    state: AppState = app.state.service
    assert exchange.sent == []
    assert caplog.record_tuples == []
    assert json.loads(capfd.readouterr().out)["status"] == 499
    state.metrics.flush(state.requests)
    counted = state.metrics.collectors.registry.get_sample_value
    assert counted("http_requests_total", {"path": path, "status": "499"}) == 1
    assert (state.requests, state.body_bytes, state.reading) == (0, 0, {})


def test_a_request_that_the_server_cancels_is_not_in_progress_any_more(model: Model) -> None:
    """As at shutdown, after the time for requests in progress."""
    app = create_app_for_model(model)

    async def ask() -> None:
        exchange = Stalled("POST", "/predict", [b"{", b"}"])
        task = asyncio.create_task(exchange.run(app))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(ask())

    assert (app.state.service.requests, app.state.service.reading) == (0, {})


def test_lifespan_messages_pass_unchanged(model: Model) -> None:
    seen: list[str] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    exchange = Conversation("GET", "/")
    exchange.scope["type"] = "lifespan"

    asyncio.run(exchange.run(around(note, create_app_for_model(model).state.service)))

    assert seen == ["lifespan"]
    assert "state" not in exchange.scope


def around(app: ASGIApp, state: AppState) -> RequestMiddleware:
    """The middleware around any application."""
    return RequestMiddleware(app, state=state, public_paths=[], health_paths=[])


@pytest.mark.parametrize("path", [*HEALTH, *PAGES])
def test_health_and_pages_need_no_key_under_a_prefix(model: Model, path: str) -> None:
    """Behind a proxy with a path prefix: `uvicorn … --root-path /credit`."""
    app = create_app_for_model(model, Settings(api_keys=NAMED_KEYS))
    transport = httpx.ASGITransport(app, root_path="/credit")

    async def ask(path: str) -> int:
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return (await client.get(path)).status_code

    assert [asyncio.run(ask(f"/credit{path}")), asyncio.run(ask("/credit/model"))] == [200, 401]


def test_a_public_path_has_no_parameter() -> None:
    """The middleware compares paths literally, before routing."""
    assert [one.path for one in ENDPOINTS if (one.is_public or one.is_health) and "{" in one.path] == []
