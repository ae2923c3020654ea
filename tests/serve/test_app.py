"""The ASGI application: how it is created, its lifespan, and its independence of other applications."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message

from model.contract import ContractError
from model.session import Model
from serve.api.routes import ENDPOINTS
from serve.app import create_app, create_app_for_model
from serve.keys import read_key
from serve.settings import Settings
from tests.serve.conversation import Conversation
from tests.serve.files import UNSERVABLE, with_contract
from tests.serve.running import SETTINGS

Connect = Callable[[ASGIApp], httpx.Client]

OTHER = "2026.02.03-12345678"

KEY = "a-key-of-24-characters--"


@pytest.fixture
def model_path(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model file that MODEL_PATH names; no other setting is set."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    monkeypatch.setenv("MODEL_PATH", str(path))
    return path


@pytest.fixture
def collector() -> Iterator[None]:
    """Restores the state of the garbage collector."""
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)
    gc.enable()


async def while_running(app: Starlette, act: Callable[[], Awaitable[Any]]) -> Any:
    """Call a function while the lifespan of the application runs."""
    messages: asyncio.Queue[Message] = asyncio.Queue()
    sent: asyncio.Queue[Message] = asyncio.Queue()
    server = asyncio.create_task(app({"type": "lifespan", "state": {}}, messages.get, sent.put))
    await messages.put({"type": "lifespan.startup"})
    assert (await sent.get())["type"] == "lifespan.startup.complete"
    result = await act()
    await messages.put({"type": "lifespan.shutdown"})
    assert (await sent.get())["type"] == "lifespan.shutdown.complete"
    await server
    return result


def test_the_application_serves_the_file_that_the_environment_names(
    model_path: Path, model: Model, connect: Connect
) -> None:
    """As with `uvicorn serve.app:create_app --factory`."""
    ready = connect(create_app()).get("/readyz").json()

    assert ready == {
        "status": "ready",
        "model": {"name": "test", "version": model.contract.version, "sha256": model.sha256},
    }


def test_the_application_has_the_settings_of_the_environment(
    model_path: Path, connect: Connect, vector: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """API keys and limits."""
    monkeypatch.setenv("API_KEYS", KEY)
    monkeypatch.setenv("MAX_ROWS", "2")
    client = connect(create_app())

    statuses = [
        client.post("/predict", json={"data": [vector] * rows}, headers=headers).status_code
        for rows, headers in ((1, {}), (2, {"x-api-key": KEY}), (3, {"x-api-key": KEY}))
    ]

    assert statuses == [401, 200, 413]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("API_KEYS", ",", "API_KEYS is ',', expected keys, separated by commas; unset it for a service without keys"),
        (
            "API_KEYS",
            " , ",
            "API_KEYS is ' , ', expected keys, separated by commas; unset it for a service without keys",
        ),
        ("PORT", "http", "PORT is 'http', expected a whole number from 0 to 65535"),
        ("MODEL_PATH", "nowhere.onnx", "can't read the model file nowhere.onnx: No such file or directory; make one"),
    ],
)
def test_an_application_that_cannot_be_made_says_why(
    model_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    """SystemExit with the message, under any server."""
    monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as ended:
        create_app()

    assert str(ended.value.code).startswith(f"can't serve: {message}")


@pytest.mark.parametrize("fault", UNSERVABLE)
def test_a_model_that_would_fail_for_an_applicant_is_not_served(model_path: Path, content: bytes, fault: str) -> None:
    """With the same message as in the self-test and in a reload."""
    make, message = UNSERVABLE[fault]
    model_path.write_bytes(make(content))

    with pytest.raises(SystemExit) as ended:
        create_app()

    assert str(ended.value.code).startswith(f"can't serve: {message}")
    assert len(str(ended.value.code).splitlines()) == 1


def test_create_app_for_model_raises_contract_error(model: Model) -> None:
    """For programs that create the application themselves."""
    broken = Model(model.contract, model.sha256, None)

    with pytest.raises(ContractError, match="the model file can't be served"):
        create_app_for_model(broken)


def test_every_route_of_the_table_is_there(model: Model, connect: Connect) -> None:
    """Other paths are 404, and so are those about decisions, since none are recorded."""
    client = connect(create_app_for_model(model))
    known = {"{name}": "test", "{version}": model.contract.version}

    for endpoint in ENDPOINTS:
        path = endpoint.path
        for place, value in known.items():
            path = path.replace(place, value)
        expected = {404} if endpoint.needs_decisions_right else {200, 400}
        assert client.request(endpoint.method, path).status_code in expected, path
    assert client.get("/v2/models").status_code == 404


@pytest.mark.parametrize(
    "path", [one.path for one in ENDPOINTS if one.method == "GET" and not one.needs_decisions_right]
)
def test_head_is_answered_like_get_without_a_body(model: Model, path: str) -> None:
    """Same status and content type; the server drops the body."""
    app = create_app_for_model(model)
    path = path.replace("{name}", "test").replace("{version}", model.contract.version)
    exchanges = [Conversation(method, path) for method in ("GET", "HEAD")]

    async def ask() -> None:
        for one in exchanges:
            await one.run(app)

    asyncio.run(ask())

    assert exchanges[1].status == exchanges[0].status == 200
    assert exchanges[1].headers["content-type"] == exchanges[0].headers["content-type"]


def test_a_reload_to_a_model_of_another_name_moves_its_paths(
    model_path: Path, content: bytes, connect: Connect
) -> None:
    """The paths of /v2 have the name of the model in service, and all answers name it."""
    app = create_app()
    client = connect(app)
    before = [client.get(f"/v2/models/{name}").status_code for name in ("test", "renamed")]
    model_path.write_bytes(with_contract(content, name="renamed", version=OTHER))

    asyncio.run(take_file_of(app))

    after = [client.get(f"/v2/models/{name}").status_code for name in ("test", "renamed")]
    tensor = {"name": "applicants", "shape": [1, 5], "datatype": "FP64", "data": [45.5, 320, 1, 1, 0.75]}
    inferred = [client.post(f"/v2/models/{name}/infer", json={"inputs": [tensor]}) for name in ("test", "renamed")]
    assert (before, after) == ([200, 404], [404, 200])
    assert [answer.status_code for answer in inferred] == [404, 200]
    assert (inferred[1].json()["model_name"], inferred[1].json()["model_version"]) == ("renamed", OTHER)
    assert client.get("/readyz").json()["model"]["name"] == client.get("/model").json()["name"] == "renamed"
    assert "renamed" in client.get("/openapi.json").json()["info"]["title"]
    assert "renamed" in client.get("/").text


async def take_file_of(app: Starlette) -> None:
    """Reload the model file of the application."""
    from serve.reload import reload_model

    await reload_model(app.state.service)


def test_background_tasks_end_with_the_server(model: Model, collector: None) -> None:
    """The buffered metrics are flushed."""
    app = create_app_for_model(model)

    async def live() -> set[asyncio.Task[Any]]:
        before = asyncio.all_tasks()

        async def act() -> set[asyncio.Task[Any]]:
            await Conversation("GET", "/livez").run(app)
            return asyncio.all_tasks() - before

        beside = await while_running(app, act)
        await asyncio.sleep(0)
        return {task for task in beside if not task.done()}

    left = asyncio.run(live())

    counted = app.state.service.metrics.collectors.registry.get_sample_value
    assert left == set()
    assert counted("http_requests_total", {"path": "/livez", "status": "200"}) == 1


def test_loaded_objects_are_exempt_from_garbage_collection(model: Model, collector: None) -> None:
    """Reading 1,000 rows triggers no collection."""

    async def look() -> tuple[bool, int, int]:
        return gc.isenabled(), gc.get_freeze_count(), gc.get_threshold()[0]

    gc.disable()

    is_enabled, frozen, threshold = asyncio.run(while_running(create_app_for_model(model), look))

    assert is_enabled
    assert frozen > 0
    assert threshold > 1_000


def test_two_applications_do_not_share_anything(model: Model, connect: Connect) -> None:
    """Settings, models and counters are their own."""
    clients = [connect(create_app_for_model(model, Settings(api_keys=keys))) for keys in ((), (read_key(KEY),))]

    assert [client.get("/model").status_code for client in clients] == [200, 401]
    assert "http_requests_total{" in clients[0].get("/metrics").text


def test_a_refused_body_leaves_no_trace_in_the_log(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    """Applicants' data stay out of it."""
    client.post("/score", json={"applicants": [{"Amount": "private"}]})

    assert "private" not in caplog.text
