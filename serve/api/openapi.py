"""The OpenAPI 3.1 document of GET /openapi.json, from the table of routes and the types of its bodies.

Added here: what the types can't express, such as labels, bounds and defaults of the model's fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from inspect import cleandoc, isfunction
from typing import Any

import msgspec

from model.policy import DECISIONS
from model.reasons import plain_number
from serve.api import examples
from serve.api.endpoint import JSON_TYPE, Endpoint, RequestBody
from serve.runtime import Runtime
from serve.schemas.decisions import DECISION_ID
from serve.schemas.limits import CHANGE_SEARCH_ROWS, DEFAULT_REASONS
from serve.schemas.problems import PROBLEM_TYPE
from serve.schemas.responses import Problem
from serve.schemas.shapes import MEMBERS

PROBLEMS = {
    400: "the request is invalid; `errors` lists every fault of its body",
    401: "no valid API key",
    403: "the key has no right to read decisions",
    404: "no such path, model, version or decision",
    408: "the body did not arrive in time",
    409: "the data of the decision has been erased",
    413: "too many bytes or rows",
    415: "an unknown Content-Encoding",
    500: "internal error of the service",
    503: "too many requests at once, or decisions can't be recorded; try again",
}

TEXT = {"schema": {"type": "string"}}

PROBLEM_HEADERS = {401: {"WWW-Authenticate": {"type": "string"}}, 503: {"Retry-After": {"type": "integer"}}}


def describe(runtime: Runtime, endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The document for a model: the endpoints that have a `response`; those of decisions where they are recorded."""
    documented = [endpoint for endpoint in endpoints if endpoint.response is not None]
    if runtime.file is None:
        documented = [endpoint for endpoint in documented if not endpoint.needs_decisions_right]
    requests = [_json_type(endpoint.request, runtime) for endpoint in documented]
    responses = [_response_type(endpoint) for endpoint in documented if _has_json_response(endpoint)]
    shapes = runtime.schemas.predict_shapes
    types = [Problem, *(kind for kind in requests if kind), *responses, *shapes]
    references, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    schemas = dict(zip(map(id, types), references, strict=True))
    _add_predict_shapes(components, [schemas[id(shape)] for shape in shapes], runtime)
    _rename_members(components, runtime)
    _add_descriptions(components, runtime)
    paths: dict[str, Any] = {}
    for endpoint, request in zip(documented, requests, strict=True):
        operation = _operation(endpoint, runtime, schemas[id(Problem)])
        if _has_json_response(endpoint):
            content = {JSON_TYPE: {"schema": schemas[id(_response_type(endpoint))]}}
        else:
            content = {endpoint.response: TEXT}
        operation["responses"][str(endpoint.status)]["content"] = content | dict.fromkeys(
            endpoint.other_responses, TEXT
        )
        if endpoint.request:
            operation["requestBody"] = _request_body(endpoint.request, runtime, schemas.get(id(request)))
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": f"Credit scoring: {runtime.identity.name}",
            "version": runtime.identity.version,
            "description": "Probability of default, decision and reasons. null is a missing value; every error is "
            "application/problem+json (RFC 9457).",
        },
        "paths": paths,
        "components": {"schemas": components},
    }
    if any("security" in operation for methods in paths.values() for operation in methods.values()):
        document["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
    return document


def _json_type(request: RequestBody | None, runtime: Runtime) -> Any:
    return request.schema(runtime.schemas) if request and request.schema else None


def _response_type(endpoint: Endpoint) -> Any:
    return endpoint.response() if isfunction(endpoint.response) else endpoint.response


def _has_json_response(endpoint: Endpoint) -> bool:
    return not isinstance(endpoint.response, str)


def _add_predict_shapes(components: dict[str, Any], shapes: Sequence[Any], runtime: Runtime) -> None:
    """Add the types of POST /predict that are unions of objects, which msgspec can't express, and the examples."""
    components["PredictApplicants"] = {"anyOf": shapes, "description": "Applicants in any of these shapes."}
    content = {"$ref": "#/components/schemas/PredictApplicants"}
    components["PredictMember"] = {
        "type": "object",
        "description": "Applicants in one of these members.",
        "properties": dict.fromkeys(MEMBERS, content),
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
    for name, bodies in examples.predict_shapes(runtime).items():
        components[name]["examples"] = bodies


def _rename_members(components: dict[str, Any], runtime: Runtime) -> None:
    """Give the members of an applicant their names, not all of which msgspec allows as names of members."""
    names = runtime.schemas.names
    for kind in ("Applicant", "PredictRecord", "PredictColumns"):
        schema = components[kind]
        schema["properties"] = {names[member]: value for member, value in schema["properties"].items()}
        schema["required"] = [names[member] for member in schema["required"]]


def _add_descriptions(components: dict[str, Any], runtime: Runtime) -> None:
    """Add to the schemas what the types can't express: descriptions, defaults and the limit for changes."""
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
        bounds = f"documented {' '.join(ends)}; a value outside is scored with a warning" if ends else ""
        counts = "count" if len(field.missing) > 1 else "counts"
        codes = f"{', '.join(map(plain_number, field.missing))} {counts} as missing" if field.missing else ""
        schema["description"] = "; ".join(part for part in (field.label, field.unit, bounds, codes) if part)
    order = ", ".join(field.name for field in runtime.fields)
    note = f"rows of numbers in the order {order}; a category is the index of its level, a missing value null"
    components["PredictBody"]["properties"]["data"]["description"] = note
    components["PredictRecord"]["description"] = "Applicant, and true and false where a number is expected."
    components["PredictColumns"]["description"] = "The values of each field, as a list or by row; all of the same rows."
    components["PredictSplit"]["description"] = "pandas.DataFrame.to_dict(orient='split')."
    options = components["ScoreBody"]["properties"]
    options["applicants"]["description"] = f"by name, or as a list of values in the order {order}"
    options["reasons"] |= {"default": DEFAULT_REASONS, "description": "maximum number for each applicant"}
    note = f"which changes would turn a refusal; each applicant then counts as {CHANGE_SEARCH_ROWS} rows of the limit"
    options["what_would_change"] |= {"default": False, "description": note}
    components["ScoreBody"] |= {
        "if": {"properties": {"what_would_change": {"const": True}}, "required": ["what_would_change"]},
        "then": {"properties": {"applicants": {"maxItems": runtime.schemas.max_rows // CHANGE_SEARCH_ROWS}}},
    }
    for name in ("Result", "Change"):
        components[name]["properties"]["decision"] = {"enum": list(DECISIONS)}
    names = ["applicants", *(field.name for field in runtime.fields)]
    components["TensorInput"]["properties"]["name"]["enum"] = names
    cell = {"type": ["number", "string", "null"]}
    components["TensorInput"]["properties"]["data"]["items"] = {"anyOf": [cell, {"type": "array", "items": cell}]}


def _operation(endpoint: Endpoint, runtime: Runtime, problem: Any) -> dict[str, Any]:
    is_about_decisions = endpoint.needs_decisions_right
    needs_key = is_about_decisions or (runtime.has_keys and not endpoint.is_public)
    statuses = [400, 500] + [503] * (not endpoint.is_health) + [408, 413, 415] * (endpoint.request is not None)
    statuses += [401] * needs_key + [403] * is_about_decisions
    statuses += [404] * (is_about_decisions or "{" in endpoint.path) + [409] * (endpoint.status == 201)
    words = [word for word in re.split("[/.{}]", endpoint.path) if word]
    decision_id = {"X-Decision-Id": DECISION_ID} if endpoint.scores and runtime.file is not None else {}
    operation: dict[str, Any] = {
        "operationId": endpoint.method.lower() + "".join(word.capitalize() for word in words),
        "summary": endpoint.summary,
        "responses": {
            str(endpoint.status): {"description": "successful response", "headers": _headers(decision_id)},
            **{
                str(status): {
                    "description": PROBLEMS[status],
                    "headers": _headers(PROBLEM_HEADERS.get(status, {})),
                    "content": {PROBLEM_TYPE: {"schema": problem}},
                }
                for status in sorted(statuses)
            },
        },
    }
    if endpoint.description:
        operation["description"] = endpoint.description
    known = {"name": runtime.identity.name, "version": runtime.identity.version}
    in_path = {name: {"type": "string", "enum": [value]} for name, value in known.items()} | dict(endpoint.in_path)
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": schema}
        for name, schema in in_path.items()
        if f"{{{name}}}" in endpoint.path
    ]
    parameters += [{"name": name, "in": "query", "schema": schema} for name, schema in endpoint.query.items()]
    if parameters:
        operation["parameters"] = parameters
    if needs_key:
        operation["security"] = [{"bearer": []}, {"header": []}]
    return operation


def _request_body(body: RequestBody, runtime: Runtime, schema: Any) -> dict[str, Any]:
    if body.other_schemas:
        others = [{"$ref": f"#/components/schemas/{name}"} for name in body.other_schemas]
        schema = {"anyOf": [schema, *others]}
    content: dict[str, Any] = {JSON_TYPE: {"schema": schema, "example": body.example(runtime)}} if body.example else {}
    for media_type, example in body.other_examples.items():
        content[media_type] = TEXT | {"example": example(runtime)}
    return {"required": True, "content": content}


def _headers(others: Mapping[str, Any]) -> dict[str, Any]:
    """The headers of a response, each of which is always there: name → schema."""
    schemas = {"X-Request-ID": {"type": "string"}, **others}
    return {name: {"required": True, "schema": schema} for name, schema in schemas.items()}
