"""The document at /openapi.json: valid, whole, and what the running service does."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from serve.app import make_app
from serve.contract import Field
from serve.model import Model
from serve.pages import PAGES
from serve.routes import ROUTES
from serve.settings import Settings
from tests.soak.schema import SETTINGS, Explorer
from tests.soak.service import Service, running_service

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
    path = Path(tmp_path_factory.mktemp("openapi")) / "model.onnx"
    path.write_bytes(content)
    with running_service(MODEL_PATH=str(path), **SETTINGS) as running:
        yield running


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """By the rules of OpenAPI 3.1."""
    assert [] == [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()]


def test_every_path_but_the_pages_is_described(document: dict[str, Any]) -> None:
    """With its method, under an id of its own."""
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]

    assert {(path, method.lower()) for path, method, _ in ROUTES if path not in PAGES} == described
    assert len(set(ids)) == len(ids)


def test_fields_are_described_as_the_contract_has_them(document: dict[str, Any], fields: tuple[Field, ...]) -> None:
    """Label, unit and bounds; the levels; what may be missing."""
    applicant = document["components"]["schemas"]["Applicant"]

    assert [field.name for field in fields if not field.nullable] == applicant["required"]
    amount = "Amount of the loan; EUR; documented from 0 to 100; beyond, a warning"
    assert amount == applicant["properties"]["Amount"]["description"]
    assert {"enum": ["other", "own", "rent"]} in applicant["properties"]["Home"]["anyOf"]


def test_its_examples_are_answered(document: dict[str, Any], client: httpx.Client) -> None:
    """As they stand, JSON and CSV; they are the same applicant."""
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
    sheet = client.post("/score", content=bodies["text/csv"], headers={"content-type": "text/csv"}).text
    (line,) = csv.DictReader(io.StringIO(sheet))

    assert dict.fromkeys(document["paths"], 200) == statuses
    assert [named["id"], str(named["probability"])] == [line["id"], line["probability"]]


def test_its_examples_show_what_each_field_looks_like(model: Model, document: dict[str, Any]) -> None:
    """Of the golden rows the one with the fewest gaps."""
    fewest = min(row.count(None) for row in model.contract.golden.applicants)

    examples = {
        path: document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
        for path in ("/score", "/predict")
    }

    assert fewest == list(examples["/score"]["applicants"][0].values()).count(None)
    assert fewest == examples["/predict"]["data"][0].count(None)


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
    assert {"/livez", "/readyz", "/v2/health/live", "/v2/health/ready"} == set(closed["paths"]) - needing
    assert {"bearer", "header"} == set(closed["components"]["securitySchemes"])
    assert "401" not in json.dumps(opened["paths"])


def test_schemathesis_finds_nothing(service: Service) -> None:
    """Every check, on the cases at the edges of the schemas; those at random are in `make soak`."""
    explored = Explorer(service.base, 1, "--phases", "examples,coverage").finish()

    assert 0 == explored.failures, explored.text
    assert explored.requests >= ENOUGH
