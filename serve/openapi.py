"""GET /openapi.json: the API of the model in service as OpenAPI 3.1, from the types that read and write its bodies.

What those types can't say is added here: the fields' labels and bounds and defaults.
"""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

import msgspec
from msgspec import Struct

from serve import examples
from serve.bodies import MOST_REASONS, ROWS_OF_CHANGES
from serve.contract import DECISIONS
from serve.exchange import Ask, Reply
from serve.messages import ModelAnswer, Problem, ReadyAnswer, ScoreAnswer
from serve.reasons import plain_number
from serve.served import Served
from serve.sheets import COLUMNS
from serve.tensors import InferAnswer, InferBody, ModelMetadata, ModelReady, ServerHealth, ServerMetadata

PROBLEMS = {
    400: "the request is at fault; `errors` names every fault of its body",
    401: "no valid key",
    404: "nothing there",
    408: "the request did not arrive in time",
    413: "too many bytes or rows",
    431: "too large a head",
    500: "our fault",
    503: "too much is asked at once; try again",
}

PROBLEM_HEADERS = {401: ("WWW-Authenticate", "string"), 503: ("Retry-After", "integer")}


class Operation(Struct, frozen=True):
    """One path as it is documented. `answer`: a type of messages, or a media type of its own."""

    path: str
    method: str
    title: str
    answer: Any
    has_key: bool = True


INFER = "/v2/models/{name}/infer"
INFER_VERSION = "/v2/models/{name}/versions/{version}/infer"
MODEL, VERSION = "/v2/models/{name}", "/v2/models/{name}/versions/{version}"

OPERATIONS = (
    Operation("/score", "post", "Probability, decision, points and reasons for each applicant", ScoreAnswer),
    Operation("/predict", "post", "One probability of default a row", list[float]),
    Operation("/model", "get", "What the model in service takes, decides and is worth", ModelAnswer),
    Operation("/livez", "get", "The process answers", dict[str, str], has_key=False),
    Operation("/readyz", "get", "A model is loaded and proven", ReadyAnswer, has_key=False),
    Operation("/metrics", "get", "Counters and histograms for Prometheus", "text/plain"),
    Operation("/openapi.json", "get", "This description", dict[str, Any]),
    Operation("/v2", "get", "Open Inference Protocol: the server", ServerMetadata),
    Operation("/v2/health/live", "get", "Open Inference Protocol: liveness", ServerHealth, has_key=False),
    Operation("/v2/health/ready", "get", "Open Inference Protocol: readiness", ServerHealth, has_key=False),
    Operation(MODEL, "get", "Open Inference Protocol: the model", ModelMetadata),
    Operation(f"{MODEL}/ready", "get", "Open Inference Protocol: is it ready", ModelReady),
    Operation(INFER, "post", "Open Inference Protocol: inference", InferAnswer),
    Operation(VERSION, "get", "Open Inference Protocol: this version of the model", ModelMetadata),
    Operation(f"{VERSION}/ready", "get", "Open Inference Protocol: is this version ready", ModelReady),
    Operation(INFER_VERSION, "post", "Open Inference Protocol: inference by this version", InferAnswer),
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
    _explain(components, served)
    requests = dict(zip(("/score", "/predict", INFER), references, strict=False))
    requests[INFER_VERSION] = requests[INFER]
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


def _explain(components: dict[str, Any], served: Served) -> None:
    """Say in the schemas what the types can't."""
    for schema in components.values():
        if "description" in schema:
            schema["description"] = cleandoc(schema["description"])
    for field in served.fields:
        schema = components["Applicant"]["properties"][field.name]
        ends = [
            f"{word} {plain_number(bound)}"
            for word, bound in (("from", field.minimum), ("to", field.maximum))
            if bound is not None
        ]
        bounds = f"documented {' '.join(ends)}; beyond, a warning" if ends else ""
        schema["description"] = "; ".join(part for part in (field.label, field.unit, bounds) if part)
    order = ", ".join(field.name for field in served.fields)
    note = f"rows of numbers in the order {order}; a category is the index of its level, a missing value null"
    components["PredictBody"]["properties"]["data"]["description"] = note
    options = components["ScoreBody"]["properties"]
    options["applicants"]["description"] = f"by name, or as a list of values in the order {order}"
    options["reasons"] |= {"default": MOST_REASONS, "description": "how many at most"}
    note = f"what would turn a refusal; each applicant then counts as {ROWS_OF_CHANGES} rows of the limit"
    options["what_would_change"] |= {"default": False, "description": note}
    components["ScoreBody"] |= {
        "if": {"properties": {"what_would_change": {"const": True}}, "required": ["what_would_change"]},
        "then": {"properties": {"applicants": {"maxItems": served.most_rows // ROWS_OF_CHANGES}}},
    }
    for name in ("Result", "Change"):
        components[name]["properties"]["decision"] = {"enum": list(DECISIONS)}
    names = ["applicants", *(field.name for field in served.fields)]
    components["Input"]["properties"]["name"]["enum"] = names
    cell = {"type": ["number", "string", "null"]}
    components["Input"]["properties"]["data"]["items"] = {"anyOf": [cell, {"type": "array", "items": cell}]}


def _operation(one: Operation, served: Served, content: dict[str, Any], request: Any, problem: Any) -> dict[str, Any]:
    problems = [code for code in PROBLEMS if code not in (401, 404)]
    problems += [401] * (served.has_keys and one.has_key) + [404] * ("{" in one.path)
    words = [part for part in one.path.replace(".", "/").replace("{", "").replace("}", "").split("/") if part]
    operation: dict[str, Any] = {
        "operationId": one.method + "".join(word.capitalize() for word in words),
        "summary": one.title,
        "responses": {
            "200": {"description": "the answer", "headers": _headers(200), "content": content},
            **{
                str(code): {
                    "description": PROBLEMS[code],
                    "headers": _headers(code),
                    "content": {"application/problem+json": {"schema": problem}},
                }
                for code in sorted(problems)
            },
        },
    }
    known = {"name": served.name.name, "version": served.name.version}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "enum": [value]}}
        for name, value in known.items()
        if f"{{{name}}}" in one.path
    ]
    if parameters:
        operation["parameters"] = parameters
    if request is not None:
        make = {"/score": examples.score, "/predict": examples.predict}.get(one.path, examples.infer)
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": request, "example": make(served)}},
        }
    if one.path == "/score":
        operation["description"] = (
            "`text/csv` is taken as well: a header of field names, an applicant a line. The answer then is a table "
            f"with the columns {', '.join(COLUMNS)}, unless `Accept` is `application/json`."
        )
        sheet = {"schema": {"type": "string"}, "example": examples.sheet(served)}
        operation["requestBody"]["content"]["text/csv"] = sheet
        content["text/csv"] = {"schema": {"type": "string"}}
    if one.path in (INFER, INFER_VERSION):
        operation["description"] = "With `Inference-Header-Content-Length`, tensors follow the JSON as raw bytes."
        content["application/octet-stream"] = {"schema": {"type": "string"}}
    if served.has_keys and one.has_key:
        operation["security"] = [{"bearer": []}, {"header": []}]
    return operation


def _headers(code: int) -> dict[str, Any]:
    named = [("X-Request-ID", "string"), *([PROBLEM_HEADERS[code]] if code in PROBLEM_HEADERS else [])]
    return {name: {"required": True, "schema": {"type": kind}} for name, kind in named}
