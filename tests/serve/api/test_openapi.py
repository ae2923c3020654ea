"""The OpenAPI document is valid, complete, and agrees with the running service."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from msgspec import structs
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from model.contract import Field
from model.session import Model
from serve.api.routes import ENDPOINTS
from serve.app import create_app_for_model
from serve.keys import read_key
from serve.schemas.limits import CHANGE_SEARCH_ROWS
from serve.settings import Settings
from tests.serve.running import SERVE, Service, running
from tests.soak.schema import SETTINGS, Explorer

KEY = "a-key-for-decisions"

MIN_REQUESTS = 500
MIN_REQUESTS_ABOUT_DECISIONS = 100
"""Minimum number of requests of the short runs of schemathesis."""


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> dict[str, Any]:
    """The parsed /openapi.json."""
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


@pytest.fixture(scope="module")
def service(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service around the model, with small limits."""
    with running(tmp_path_factory.mktemp("openapi"), content, SERVE, **SETTINGS) as started:
        yield started


@pytest.fixture(scope="module")
def recording(money_content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service around a model whose policy is in money and has rules; it records its decisions."""
    folder = tmp_path_factory.mktemp("recording")
    settings = SETTINGS | {"DECISIONS_URL": f"sqlite:///{folder}/decisions.db", "DECISIONS_KEYS": KEY}
    with running(folder, money_content, SERVE, **settings) as started:
        yield started


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    """It passes the validator for OpenAPI 3.1."""
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_path_but_the_pages_is_described(document: dict[str, Any]) -> None:
    """With its method, under a unique operation id; but not those of decisions, since none are recorded."""
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    ids = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]

    known = [one for one in ENDPOINTS if one.response is not None and not one.needs_decisions_right]
    assert described == {(one.path, one.method.lower()) for one in known}
    assert len(ids) == len(set(ids))


def test_decisions_are_described_where_they_are_recorded(recording: Service) -> None:
    """With the key and the rights that they need; the answers to applicants then have the id of the first decision."""
    found = recording.ask("GET", "/openapi.json").json()
    about = {
        (method, path): operation
        for path, methods in found["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/v1/")
    }
    with_ids = {
        path
        for path, methods in found["paths"].items()
        for operation in methods.values()
        if "X-Decision-Id" in operation["responses"].get("200", {}).get("headers", {})
    }

    assert [str(error) for error in OpenAPIV31SpecValidator(found).iter_errors()] == []
    assert set(about) == {(one.method.lower(), one.path) for one in ENDPOINTS if one.needs_decisions_right}
    assert all({"401", "403", "404", "503"} < set(one["responses"]) and one["security"] for one in about.values())
    assert set(about["post", "/v1/decisions/{id}/review"]["responses"]) >= {"201", "409"}
    assert with_ids == {one.path for one in ENDPOINTS if one.scores}


def test_the_examples_about_decisions_are_answered(recording: Service) -> None:
    """After the example of POST /score, whose decision they are about; each fits its schema."""
    found = recording.ask("GET", "/openapi.json").json()
    paths = found["paths"]
    bodies = {
        path: methods["post"]["requestBody"]["content"]["application/json"]
        for path, methods in paths.items()
        if path == "/score" or (path.startswith("/v1/") and "post" in methods)
    }
    scored = recording.ask("POST", "/score", bodies["/score"]["example"])

    review = recording.ask(
        "POST",
        f"/v1/decisions/{scored.headers['x-decision-id']}/review",
        bodies["/v1/decisions/{id}/review"]["example"],
        X_API_Key=KEY,
    )
    outcome = recording.ask("POST", "/v1/outcomes", bodies["/v1/outcomes"]["example"], X_API_Key=KEY)

    assert [scored.status_code, review.status_code, outcome.status_code] == [200, 201, 200]
    for body in bodies.values():
        schema = body["schema"] | {"components": found["components"]}
        assert [str(error) for error in OAS31Validator(schema).iter_errors(body["example"])] == []


def test_fields_are_described_as_the_contract_has_them(document: dict[str, Any], fields: tuple[Field, ...]) -> None:
    """Label, unit, bounds, levels and whether null is allowed."""
    applicant = document["components"]["schemas"]["Applicant"]

    assert applicant["required"] == [field.name for field in fields if not field.nullable]
    amount = "Amount of the loan; EUR; documented from 0 to 100; a value outside is scored with a warning"
    assert applicant["properties"]["Amount"]["description"] == amount
    assert {"enum": ["other", "own", "rent"]} in applicant["properties"]["Home"]["anyOf"]


def test_numbers_that_stand_for_a_missing_value_are_described(
    model: Model, make_client: Callable[..., httpx.Client]
) -> None:
    """In the document, in GET /model and in the warnings of POST /score."""
    fields = tuple(
        structs.replace(one, missing=(365243.0, -1.0)) if one.name == "Income" else one for one in model.contract.fields
    )
    coded = make_client(structs.replace(model, contract=structs.replace(model.contract, fields=fields)))

    applicant = coded.get("/openapi.json").json()["components"]["schemas"]["Applicant"]
    answer = coded.post("/score", json={"applicants": [[1, 365243, 0, 0, 0]]}).json()

    assert applicant["properties"]["Income"]["description"].endswith("365243, -1 count as missing")
    assert coded.get("/model").json()["fields"][1]["missing"] == [365243.0, -1.0]
    assert answer["results"][0]["warnings"] == [{"field": "Income", "detail": "Income: missing"}]


@pytest.mark.parametrize("rows", [1, CHANGE_SEARCH_ROWS - 1, CHANGE_SEARCH_ROWS, 10_000])
def test_its_examples_are_answered(model: Model, make_client: Callable[..., httpx.Client], rows: int) -> None:
    """JSON and CSV examples are answered with 200 at any MAX_ROWS, and are the same applicant."""
    client = make_client(model, Settings(max_rows=rows))
    document = client.get("/openapi.json").json()
    statuses: dict[str, int] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parameters = operation.get("parameters", [])
            known = {one["name"]: one["schema"]["enum"][0] for one in parameters if one["in"] == "path"}
            for body in operation.get("requestBody", {}).get("content", {"": {}}).values():
                example = body.get("example")
                content = example.encode() if isinstance(example, str) else json.dumps(example).encode()
                kind = {"content-type": "text/csv" if isinstance(example, str) else "application/json"}
                answer = client.request(method, path.format(**known), content=content, headers=kind)
                statuses[path] = max(answer.status_code, statuses.get(path, 0))
    bodies = {
        kind: one["example"] for kind, one in document["paths"]["/score"]["post"]["requestBody"]["content"].items()
    }
    named = client.post("/score", json=bodies["application/json"]).json()["results"][0]
    table = client.post("/score", content=bodies["text/csv"], headers={"content-type": "text/csv"}).text
    (line,) = csv.DictReader(io.StringIO(table, newline=""))

    assert statuses == dict.fromkeys(document["paths"], 200)
    assert [line["id"], line["probability"]] == [named["id"], str(named["probability"])]
    assert bodies["application/json"]["what_would_change"] == (rows >= CHANGE_SEARCH_ROWS)


@pytest.mark.parametrize("rows", [1, 10_000])
def test_its_examples_fit_its_schemas(model: Model, make_client: Callable[..., httpx.Client], rows: int) -> None:
    """Every example is valid against its schema."""
    document = make_client(model, Settings(max_rows=rows)).get("/openapi.json").json()

    for methods in document["paths"].values():
        for operation in methods.values():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content:
                schema = content["schema"] | {"components": document["components"]}
                assert [str(error) for error in OAS31Validator(schema).iter_errors(content["example"])] == []


def test_the_shapes_of_predict_are_described_with_examples_that_are_answered(
    client: httpx.Client, document: dict[str, Any]
) -> None:
    """All are the applicant of the other examples, valid for the body's schema and for that of their own shape."""
    body = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    components = document["components"]
    expected = client.post("/predict", json=body["example"]).json()
    shapes = {name: schema["examples"] for name, schema in components["schemas"].items() if "examples" in schema}

    for name, examples in shapes.items():
        for schema in (body["schema"], {"$ref": f"#/components/schemas/{name}"}):
            validator = OAS31Validator(schema | {"components": components})
            assert [error for example in examples for error in validator.iter_errors(example)] == []
        assert [client.post("/predict", json=example).json() for example in examples] == [expected] * len(examples)
    assert set(shapes) == {"PredictApplicants", "PredictRecord", "PredictColumns", "PredictSplit", "PredictMember"}


def test_its_examples_are_the_golden_row_with_the_fewest_missing_values(model: Model, document: dict[str, Any]) -> None:
    """So that every field shows a value if possible."""
    fewest = min(row.count(None) for row in model.contract.golden.applicants)

    examples = {
        path: document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
        for path in ("/score", "/predict")
    }

    assert list(examples["/score"]["applicants"][0].values()).count(None) == fewest
    assert examples["/predict"]["data"][0].count(None) == fewest


def test_keys_are_described_where_they_are_needed(model: Model) -> None:
    """Security and 401 are in the document only if the service has keys, and not for health."""

    async def describe(*keys: str) -> dict[str, Any]:
        transport = httpx.ASGITransport(create_app_for_model(model, Settings(api_keys=tuple(map(read_key, keys)))))
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


def test_schemathesis_finds_no_failure(service: Service) -> None:
    """All checks on examples and boundary cases of the schemas; random cases run in `make soak`."""
    explored = Explorer(service.base, 1, "--phases", "examples,coverage").finish()

    assert explored.failures == 0, explored.text
    assert explored.requests >= MIN_REQUESTS


def test_schemathesis_finds_no_failure_where_decisions_are_recorded(recording: Service) -> None:
    """In the operations about decisions, with a key that may read them; with a wrong one besides, that key counts."""
    about = ("--include-path-regex", "^/v1/", "--header", f"X-API-Key: {KEY}", "--exclude-checks", "ignored_auth")
    explored = Explorer(recording.base, 1, "--phases", "examples,coverage", *about).finish()

    assert explored.failures == 0, explored.text
    assert explored.requests >= MIN_REQUESTS_ABOUT_DECISIONS
