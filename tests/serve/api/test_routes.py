"""Properties of every row of the table of routes: routing, documentation, metrics, HEAD, 404 and 405."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from model.session import Model
from serve.api.endpoint import Endpoint
from serve.api.pages import FILES
from serve.api.routes import ENDPOINTS
from serve.schemas.decisions import EXAMPLE_ID
from tests.serve.running import Connection, Service, request, running

MakeClient = Callable[..., httpx.Client]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")

every_endpoint = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: f"{one.method} {one.path}")
every_get = pytest.mark.parametrize(
    "endpoint", [one for one in ENDPOINTS if one.method == "GET"], ids=lambda one: one.path
)


def address(endpoint: Endpoint, model: Model) -> str:
    """The path of an endpoint with name and version of the model in service, and the id of no decision."""
    return endpoint.path.format(name=model.contract.name, version=model.contract.version, id=EXAMPLE_ID)


def status(endpoint: Endpoint) -> int:
    """Of the answer to a request without a body, where no decisions are recorded."""
    return 404 if endpoint.needs_decisions_right else {"GET": 200, "POST": 400}[endpoint.method]


@pytest.fixture(scope="module")
def service(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service around the model."""
    with running(tmp_path_factory.mktemp("routes"), content) as started:
        yield started


@every_endpoint
def test_every_route_is_answered(client: httpx.Client, model: Model, endpoint: Endpoint) -> None:
    """GET with 200, POST without a body with 400; those of decisions with 404, since none are recorded."""
    response = client.request(endpoint.method, address(endpoint, model))

    assert response.status_code == status(endpoint)


def test_every_route_is_there_once() -> None:
    """Method and path are unique; Starlette would never reach a second one."""
    assert len({endpoint.path for endpoint in ENDPOINTS}) == len(ENDPOINTS)


def test_every_route_but_the_pages_is_documented() -> None:
    """The paths of /openapi.json are those of the table that have a response."""
    undescribed = {endpoint.path for endpoint in ENDPOINTS if endpoint.response is None}

    assert undescribed == {"/", "/docs", "/monitor", *(f"/{name}" for name in FILES)}


def test_every_route_is_counted_under_its_path(model: Model, make_client: MakeClient) -> None:
    """The label is the path of the route, whatever its parameters and status; unknown paths share one label."""
    client = make_client(model)
    for endpoint in ENDPOINTS:
        client.request(endpoint.method, address(endpoint, model))
        client.request("DELETE", endpoint.path.format(name="another", version="1", id="another"))
    for path in ("/nowhere", "/score/", "/v2/models/a/b/c"):
        client.get(path)

    counted: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            if sample.name == "http_requests_total":
                counted[sample.labels["path"], sample.labels["status"]] = sample.value

    expected = {(one.path, str(status(one))): 1.0 for one in ENDPOINTS}
    expected |= {(one.path, "405"): 1.0 for one in ENDPOINTS} | {("other", "404"): 3.0}
    assert counted == expected


@every_get
def test_head_has_the_headers_of_get(client: httpx.Client, model: Model, endpoint: Endpoint) -> None:
    """Except the request id, and the size of /metrics, whose numbers change between the two requests."""
    path = address(endpoint, model)
    if path == "/metrics":
        # The first request of a path adds its lines.
        client.get(path)
    get, head = (
        {name: value for name, value in client.request(method, path).headers.items() if name != "x-request-id"}
        for method in ("GET", "HEAD")
    )

    if path == "/metrics":
        assert int(head.pop("content-length")) == pytest.approx(int(get.pop("content-length")), rel=0.05)
    assert head == get


def test_head_has_no_body(service: Service, model: Model) -> None:
    """For any route, also if refused: the connection can be used for the next request."""
    with Connection(service.port) as connection:
        for endpoint in ENDPOINTS:
            for more in ((), ("Accept-Encoding: gzip",)):
                connection.send(request("HEAD", address(endpoint, model), None, *more) + request("GET", "/livez"))

                head, live = connection.read("HEAD"), connection.read()

                assert head.status == (status(endpoint) if endpoint.method == "GET" else 405)
                assert int(head.headers["content-length"]) > 0
                assert (live.status, live.json) == (200, {"status": "alive"})


@every_endpoint
def test_a_wrong_method_is_405_and_allow_lists_the_methods(
    client: httpx.Client, model: Model, endpoint: Endpoint
) -> None:
    """The problem names path and method; HEAD is allowed wherever GET is."""
    path = address(endpoint, model)
    taken = {"GET": {"GET", "HEAD"}, "POST": {"POST"}}[endpoint.method]
    for method in [method for method in METHODS if method not in taken]:
        response = client.request(method, path)

        assert (response.status_code, response.headers["content-type"]) == (405, "application/problem+json")
        assert set(response.headers["allow"].split(", ")) == taken
        if method != "HEAD":
            assert response.json()["error"] == f"{path} doesn't take {method}, expected {response.headers['allow']}"


@pytest.mark.parametrize("path", ["/nowhere", "/score/", "/v2/", "//", "/v2/models", "/static/page.js", "/Score"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_an_unknown_path_is_404_as_a_problem(client: httpx.Client, method: str, path: str) -> None:
    """The problem names the path; there is no redirect."""
    response = client.request(method, f"http://test{path}")

    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert response.json()["error"] == f"no such path: {path}; see /openapi.json"


@pytest.mark.parametrize("path", ["/v2/models/{name}", "/v2/models/{name}/ready", "/v2/models/{name}/infer"])
@pytest.mark.parametrize(("name", "version"), [("another", None), ("test", "1")])
def test_another_model_is_404(
    client: httpx.Client, vector: list[Any], path: str, name: str, version: str | None
) -> None:
    """As is another version; the problem names the model in service."""
    path = path.format(name=name if version is None else f"{name}/versions/{version}")
    tensor = {"name": "applicants", "shape": [1, 5], "datatype": "FP64", "data": vector}

    response = client.post(path, json={"inputs": [tensor]}) if path.endswith("infer") else client.get(path)

    assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    assert response.json()["error"].endswith("the one in service is 'test' '2026.01.02-abcdef01'")
