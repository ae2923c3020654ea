"""GET /openapi.json: the API of the model in service as OpenAPI 3.1, from the types that read and write its bodies."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from serve.exchange import Ask, Reply
from serve.messages import ModelAnswer, Problem, ReadyAnswer, ScoreAnswer
from serve.served import Served
from serve.sheets import COLUMNS
from serve.tensors import InferAnswer, InferBody, ModelMetadata, ModelReady, ServerMetadata

PROBLEMS = {
    400: "the body is at fault; `errors` names every fault",
    401: "no valid key",
    404: "nothing there",
    405: "another method is needed",
    408: "the body did not arrive in time",
    413: "too many bytes or rows",
    500: "our fault",
    503: "too much is asked at once; try again",
}


class Operation(Struct, frozen=True):
    """One path as it is documented. `answer`: a type of messages, or a media type of its own."""

    path: str
    method: str
    title: str
    answer: Any
    problems: tuple[int, ...] = (401, 503)
    has_key: bool = True


BODY = (400, 401, 408, 413, 500, 503)

OPERATIONS = (
    Operation("/score", "post", "Probability, decision, points and reasons for each applicant", ScoreAnswer, BODY),
    Operation("/predict", "post", "One probability of default a row", list[float], BODY),
    Operation("/model", "get", "What the model in service takes, decides and is worth", ModelAnswer),
    Operation("/livez", "get", "The process answers", dict[str, str], (), has_key=False),
    Operation("/readyz", "get", "A model is loaded and proven", ReadyAnswer, (), has_key=False),
    Operation("/metrics", "get", "Counters and histograms for Prometheus", "text/plain"),
    Operation("/v2", "get", "Open Inference Protocol: the server", ServerMetadata),
    Operation("/v2/health/live", "get", "Open Inference Protocol: liveness", dict[str, str], (), has_key=False),
    Operation("/v2/health/ready", "get", "Open Inference Protocol: readiness", dict[str, str], (), has_key=False),
    Operation("/v2/models/{name}", "get", "Open Inference Protocol: the model", ModelMetadata, (401, 404, 503)),
    Operation("/v2/models/{name}/ready", "get", "Open Inference Protocol: is it ready", ModelReady, (401, 404, 503)),
    Operation("/v2/models/{name}/infer", "post", "Open Inference Protocol: inference", InferAnswer, (404, *BODY)),
)


def show_openapi(ask: Ask) -> Reply:
    """GET /openapi.json, made when first asked for."""
    served = ask.served
    if served.openapi is None:
        served.openapi = msgspec.json.encode(describe(served))
    return Reply(served.openapi)


def describe(served: Served) -> dict[str, Any]:
    """The document for the model in service."""
    answers = [one.answer for one in OPERATIONS if not isinstance(one.answer, str)]
    bodies = [served.forms.score_body, served.forms.predict_body, InferBody]
    references, components = msgspec.json.schema_components(
        [*bodies, Problem, *answers], ref_template="#/components/schemas/{name}"
    )
    requests = dict(zip(("/score", "/predict", "/v2/models/{name}/infer"), references, strict=False))
    problem = references[len(bodies)]
    schemas = iter(references[len(bodies) + 1 :])
    paths: dict[str, Any] = {}
    for one in OPERATIONS:
        content = (
            {one.answer: {"schema": {"type": "string"}}}
            if isinstance(one.answer, str)
            else {"application/json": {"schema": next(schemas)}}
        )
        paths[one.path] = {one.method: _operation(one, served, content, requests.get(one.path), problem)}
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": f"Credit scoring: {served.name.name}",
            "version": served.name.version,
            "description": "Probability of default, decision and reasons. null is a missing value; every error is "
            "application/problem+json (RFC 9457).",
        },
        "paths": paths,
        "components": {"schemas": components},
    }
    if served.has_keys:
        document["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
    return document


def _operation(one: Operation, served: Served, content: dict[str, Any], request: Any, problem: Any) -> dict[str, Any]:
    problems = [code for code in one.problems if code != 401 or served.has_keys]
    operation: dict[str, Any] = {
        "operationId": f"{one.method} {one.path}".replace("/", " ").replace("{name}", "model").title().replace(" ", ""),
        "summary": one.title,
        "responses": {
            "200": {"description": "the answer", "content": content},
            **{
                str(code): {
                    "description": PROBLEMS[code],
                    "content": {"application/problem+json": {"schema": problem}},
                }
                for code in problems
            },
        },
    }
    if "{name}" in one.path:
        name = {"type": "string", "enum": [served.name.name]}
        operation["parameters"] = [{"name": "name", "in": "path", "required": True, "schema": name}]
    if request is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": request}}}
    if one.path == "/score":
        names = ",".join(field.name for field in served.fields)
        note = f"A table with a header of field names ({names}), an applicant a line; the answer is one of {COLUMNS}."
        operation["description"] = f"`text/csv` is taken as well. {note}"
        content["text/csv"] = {"schema": {"type": "string"}}
    if one.path.endswith("/infer"):
        operation["description"] = "With `Inference-Header-Content-Length`, tensors follow the JSON as raw bytes."
        content["application/octet-stream"] = {"schema": {"type": "string"}}
    if served.has_keys and one.has_key:
        operation["security"] = [{"bearer": []}, {"header": []}]
    return operation
