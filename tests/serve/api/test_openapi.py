"""The document at /openapi.json: valid, whole, and what the running service does."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from model.contract import Field
from model.session import Model
from serve.api.routes import ENDPOINTS
from serve.app import make_app
from serve.schemas.faults import ROWS_OF_CHANGES
from serve.settings import Settings
from tests.serve.running import SERVE, Service, running
from tests.soak.schema import SETTINGS, Explorer

ENOUGH = 500
"""Requests of the short run of schemathesis."""


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> dict[str, Any]:
    """What the service says of itself."""
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


@pytest.fixture(scope="module")
def service(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service around the model, with small limits."""
    with running(tmp_path_factory.mktemp("openapi"), content, SERVE, **SETTINGS) as started:
        yield started


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """By the rules of OpenAPI 3.1."""
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_path_but_the_pages_is_described(document: dict[str, Any]) -> None:
    """With its method, under an id of its own."""
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]

    assert described == {(one.path, one.method.lower()) for one in ENDPOINTS if one.response is not None}
    assert len(ids) == len(set(ids))


def test_fields_are_described_as_the_contract_has_them(document: dict[str, Any], fields: tuple[Field, ...]) -> None:
    """Label, unit and bounds; the levels; what may be missing."""
    applicant = document["components"]["schemas"]["Applicant"]

    assert applicant["required"] == [field.name for field in fields if not field.nullable]
    amount = "Amount of the loan; EUR; documented from 0 to 100; beyond, a warning"
    assert applicant["properties"]["Amount"]["description"] == amount
    assert {"enum": ["other", "own", "rent"]} in applicant["properties"]["Home"]["anyOf"]


@pytest.mark.parametrize("rows", [1, ROWS_OF_CHANGES - 1, ROWS_OF_CHANGES, 10_000])
def test_its_examples_are_answered(model: Model, make_client: Callable[..., httpx.Client], rows: int) -> None:
    """As they stand, JSON and CSV, however few rows a body may hold; they are the same applicant."""
    client = make_client(model, Settings(rows=rows))
    document = client.get("/openapi.json").json()
    statuses = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            known = {one["name"]: one["schema"]["enum"][0] for one in operation.get("parameters", [])}
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")
            statuses[path] = client.request(method, path.format(**known), json=body).status_code
    bodies = {
        kind: one["example"] for kind, one in document["paths"]["/score"]["post"]["requestBody"]["content"].items()
    }
    named = client.post("/score", json=bodies["application/json"]).json()["results"][0]
    table = client.post("/score", content=bodies["text/csv"], headers={"content-type": "text/csv"}).text
    (line,) = csv.DictReader(io.StringIO(table, newline=""))

    assert statuses == dict.fromkeys(document["paths"], 200)
    assert [line["id"], line["probability"]] == [named["id"], str(named["probability"])]
    assert bodies["application/json"]["what_would_change"] == (rows >= ROWS_OF_CHANGES)


@pytest.mark.parametrize("rows", [1, 10_000])
def test_its_examples_fit_its_schemas(model: Model, make_client: Callable[..., httpx.Client], rows: int) -> None:
    """A client that is made from the document may send them."""
    document = make_client(model, Settings(rows=rows)).get("/openapi.json").json()

    for methods in document["paths"].values():
        for operation in methods.values():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content:
                schema = content["schema"] | {"components": document["components"]}
                assert [str(error) for error in OAS31Validator(schema).iter_errors(content["example"])] == []


def test_its_examples_show_what_each_field_looks_like(model: Model, document: dict[str, Any]) -> None:
    """Of the golden rows the one with the fewest gaps."""
    fewest = min(row.count(None) for row in model.contract.golden.applicants)

    examples = {
        path: document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
        for path in ("/score", "/predict")
    }

    assert list(examples["/score"]["applicants"][0].values()).count(None) == fewest
    assert examples["/predict"]["data"][0].count(None) == fewest


def test_keys_are_described_where_they_are_needed(model: Model) -> None:
    """Only where the service has keys, and not for health."""

    async def describe(*keys: str) -> dict[str, Any]:
        transport = httpx.ASGITransport(make_app(model, Settings(api_keys=keys)))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as asking:
            answer = await asking.get("/openapi.json", headers={"x-api-key": "".join(keys)})
        found: dict[str, Any] = answer.json()
        return found

    closed, opened = asyncio.run(describe("k" * 20)), asyncio.run(describe())

    needing = {
        path
        for path, methods in closed["paths"].items()
        for one in methods.values()
        if "security" in one and "401" in one["responses"]
    }
    assert set(closed["paths"]) - needing == {"/livez", "/readyz", "/v2/health/live", "/v2/health/ready"}
    assert set(closed["components"]["securitySchemes"]) == {"bearer", "header"}
    assert "401" not in json.dumps(opened["paths"])


def test_schemathesis_finds_nothing(service: Service) -> None:
    """Every check, on the cases at the edges of the schemas; those at random are in `make soak`."""
    explored = Explorer(service.base, 1, "--phases", "examples,coverage").finish()

    assert explored.failures == 0, explored.text
    assert explored.requests >= ENOUGH
