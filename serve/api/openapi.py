"""GET /openapi.json: the API of the model in service as OpenAPI 3.1, from the types that read and write its bodies.

What those types can't say is added here: the fields' labels and bounds and defaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import cleandoc
from typing import Any

import msgspec

from model.policy import DECISIONS
from model.reasons import plain_number
from serve.api import examples
from serve.api.endpoint import Endpoint
from serve.runtime import Runtime
from serve.schemas.csv import COLUMNS
from serve.schemas.faults import ROWS_OF_CHANGES
from serve.schemas.problems import PROBLEM_TYPE
from serve.schemas.requests import MOST_REASONS
from serve.schemas.responses import Problem

PROBLEMS = {
    400: "the request is at fault; `errors` names every fault of its body",
    401: "no valid key",
    404: "nothing there",
    408: "the request did not arrive in time",
    413: "too many bytes or rows",
    415: "an unknown Content-Encoding",
    500: "our fault",
    503: "too much is asked at once; try again",
}

PROBLEM_HEADERS = {401: ("WWW-Authenticate", "string"), 503: ("Retry-After", "integer")}


def describe(runtime: Runtime, endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The document for a model, of the endpoints that have a response."""
    documented = [one for one in endpoints if one.response is not None]
    requests = [one.request.schema(runtime.schemas) if one.request else None for one in documented]
    types = [Problem, *(kind for kind in requests if kind), *(one.response for one in documented if _is_json(one))]
    references, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    schema_of = dict(zip(map(id, types), references, strict=True))
    _name_fields(components, runtime)
    _explain(components, runtime)
    paths: dict[str, Any] = {}
    for one, request in zip(documented, requests, strict=True):
        schema = schema_of[id(one.response)] if _is_json(one) else {"type": "string"}
        content = {"application/json" if _is_json(one) else one.response: {"schema": schema}}
        body = schema_of[id(request)] if request else None
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(
            one, runtime, content, body, schema_of[id(Problem)]
        )
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": f"Credit scoring: {runtime.name.name}",
            "version": runtime.name.version,
            "description": "Probability of default, decision and reasons. null is a missing value; every error is "
            "application/problem+json (RFC 9457).",
        },
        "paths": paths,
        "components": {"schemas": components},
    }
    if runtime.has_keys:
        document["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
    return document


def _is_json(endpoint: Endpoint) -> bool:
    """Whether the response is a type, not a media type of its own."""
    return not isinstance(endpoint.response, str)


def _name_fields(components: dict[str, Any], runtime: Runtime) -> None:
    """Give the members of an applicant the names of the fields: some are none that a type's member may have."""
    applicant, names = components["Applicant"], {f"field_{n}": field.name for n, field in enumerate(runtime.fields)}
    applicant["properties"] = {names.get(name, name): schema for name, schema in applicant["properties"].items()}
    applicant["required"] = [names.get(name, name) for name in applicant["required"]]


def _explain(components: dict[str, Any], runtime: Runtime) -> None:
    """Say in the schemas what the types can't."""
    for schema in components.values():
        if "description" in schema:
            schema["description"] = cleandoc(schema["description"])
    for field in runtime.fields:
        schema = components["Applicant"]["properties"][field.name]
        ends = [
            f"{word} {plain_number(bound)}"
            for word, bound in (("from", field.minimum), ("to", field.maximum))
            if bound is not None
        ]
        bounds = f"documented {' '.join(ends)}; beyond, a warning" if ends else ""
        schema["description"] = "; ".join(part for part in (field.label, field.unit, bounds) if part)
    order = ", ".join(field.name for field in runtime.fields)
    note = f"rows of numbers in the order {order}; a category is the index of its level, a missing value null"
    components["PredictBody"]["properties"]["data"]["description"] = note
    options = components["ScoreBody"]["properties"]
    options["applicants"]["description"] = f"by name, or as a list of values in the order {order}"
    options["reasons"] |= {"default": MOST_REASONS, "description": "how many at most"}
    note = f"what would turn a refusal; each applicant then counts as {ROWS_OF_CHANGES} rows of the limit"
    options["what_would_change"] |= {"default": False, "description": note}
    components["ScoreBody"] |= {
        "if": {"properties": {"what_would_change": {"const": True}}, "required": ["what_would_change"]},
        "then": {"properties": {"applicants": {"maxItems": runtime.schemas.most_rows // ROWS_OF_CHANGES}}},
    }
    for name in ("Result", "Change"):
        components[name]["properties"]["decision"] = {"enum": list(DECISIONS)}
    names = ["applicants", *(field.name for field in runtime.fields)]
    components["Input"]["properties"]["name"]["enum"] = names
    cell = {"type": ["number", "string", "null"]}
    components["Input"]["properties"]["data"]["items"] = {"anyOf": [cell, {"type": "array", "items": cell}]}


def _operation(one: Endpoint, runtime: Runtime, content: dict[str, Any], request: Any, problem: Any) -> dict[str, Any]:
    problems = [400, 500] + [503] * (not one.is_health) + [408, 413, 415] * (one.request is not None)
    problems += [401] * (runtime.has_keys and not one.is_open) + [404] * ("{" in one.path)
    words = [part for part in one.path.replace(".", "/").replace("{", "").replace("}", "").split("/") if part]
    operation: dict[str, Any] = {
        "operationId": one.method.lower() + "".join(word.capitalize() for word in words),
        "summary": one.summary,
        "responses": {
            "200": {"description": "the answer", "headers": _headers(200), "content": content},
            **{
                str(code): {
                    "description": PROBLEMS[code],
                    "headers": _headers(code),
                    "content": {PROBLEM_TYPE: {"schema": problem}},
                }
                for code in sorted(problems)
            },
        },
    }
    known = {"name": runtime.name.name, "version": runtime.name.version}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "enum": [value]}}
        for name, value in known.items()
        if f"{{{name}}}" in one.path
    ]
    if parameters:
        operation["parameters"] = parameters
    if one.request:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": request, "example": one.request.example(runtime)}},
        }
    if one.path == "/score":
        operation["description"] = (
            "`text/csv` is taken as well: a header of field names, an applicant a line. The answer then is a table "
            f"with the columns {', '.join(COLUMNS)}, unless `Accept` is `application/json`."
        )
        table = {"schema": {"type": "string"}, "example": examples.table(runtime)}
        operation["requestBody"]["content"]["text/csv"] = table
        content["text/csv"] = {"schema": {"type": "string"}}
    if one.path.endswith("/infer"):
        operation["description"] = "With `Inference-Header-Content-Length`, tensors follow the JSON as raw bytes."
        content["application/octet-stream"] = {"schema": {"type": "string"}}
    if runtime.has_keys and not one.is_open:
        operation["security"] = [{"bearer": []}, {"header": []}]
    return operation


def _headers(code: int) -> dict[str, Any]:
    named = [("X-Request-ID", "string"), *([PROBLEM_HEADERS[code]] if code in PROBLEM_HEADERS else [])]
    return {name: {"required": True, "schema": {"type": kind}} for name, kind in named}
