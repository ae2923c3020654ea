"""The table of routes. Router, OpenAPI document, docs page, metrics and authentication all follow from it.

The paths are the public contract of the API: renaming one breaks clients.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from importlib import import_module
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from model.results import MONEY, SCALARS
from serve.api import examples, inference, information, pages
from serve.api.endpoint import Endpoint, RequestBody
from serve.api.score import predict, score
from serve.api.tables import read_table
from serve.schemas.decisions import (
    DECISION_ID,
    LIST_QUERY,
    CaseResponse,
    DecisionsResponse,
    OutcomesBody,
    OutcomesResponse,
    Review,
    ReviewBody,
)
from serve.schemas.open_inference import (
    InferBody,
    InferResponse,
    ModelMetadata,
    ModelReady,
    ServerHealth,
    ServerMetadata,
)
from serve.schemas.responses import ModelResponse, ReadyResponse, ScoreResponse, TableResponse

MODEL, VERSION = "/v2/models/{name}", "/v2/models/{name}/versions/{version}"
V2 = "Open Inference Protocol"

SCORE = RequestBody(lambda schemas: schemas.score_body, examples.score, {"text/csv": examples.table})
PREDICT = RequestBody(
    lambda schemas: schemas.predict_body, examples.predict, other_schemas=("PredictApplicants", "PredictMember")
)
TABLE = RequestBody(None, None, {"text/csv": examples.table})
INFER = RequestBody(lambda schemas: InferBody, examples.infer)
REVIEW = RequestBody(lambda schemas: ReviewBody, examples.review)
OUTCOMES = RequestBody(lambda schemas: OutcomesBody, examples.outcomes, other_schemas=("OutcomeBody",))

TABLE_NOTE = (
    "A header of field names, then one applicant per line; other columns are ignored. Separator, decimal mark and "
    "encoding are found from the table, unless `?separator=`, `?decimal=` or the charset of `Content-Type` say them."
)
CSV_NOTE = (
    f"`text/csv` is accepted too. {TABLE_NOTE} The response then is a table with the columns id, {', '.join(SCALARS)}, "
    f"reasons, warnings, model_version, and after points {', '.join(MONEY)} of a policy in money and rules of one with "
    "rules, unless `Accept` is `application/json`."
)
PREDICT_NOTE = (
    "Beside rows of numbers it takes the bodies of other services: a list of records or rows, one flat object, "
    "columns, pandas' split orient; alone, or in a member of `PredictMember`. The response is always a list."
)
BINARY_NOTE = "With `Inference-Header-Content-Length`, tensors follow the JSON as raw bytes."
LIST_NOTE = (
    "By applicant, time (`from` and `to` take a month, a day or a moment; a day or a month belongs to the period), "
    "decision of the model, or SHA-256 of its file; `open=true`: those whose last word is review. `next` is the "
    "`cursor` of the next page."
)
REVIEW_NOTE = "Several reviews may follow each other; the last one is the final word. Nothing is changed, all are kept."
OUTCOMES_NOTE = (
    "One outcome, or many as `outcomes`: all are recorded or none. Each names a decision, or an applicant: then it "
    "belongs to the latest decision on or before its date. An outcome that is on record already changes nothing."
)
MONITOR_NOTE = (
    "`windows` are of the model in service and end now; `days` and `weeks` are of all models, in UTC. `waiting` "
    "records are not counted yet. With `Accept: text/html` the content of the page GET /monitor."
)


def _recorded(module: str, name: str) -> Callable[[Request], Awaitable[Response]]:
    """A handler of a module of serve/api/ that is imported only where decisions are recorded."""

    async def handle(request: Request) -> Response:
        response: Response = await getattr(import_module(f"serve.api.{module}"), name)(request)
        return response

    return handle


_decisions = partial(_recorded, "decisions")


def _monitor() -> Any:
    return import_module("monitor.summary").Monitor


_get, _post = partial(Endpoint, "GET"), partial(Endpoint, "POST")
_health = partial(_get, is_public=True, is_health=True)
_page = partial(_get, is_public=True)
_record = partial(Endpoint, needs_decisions_right=True)
_infer = partial(
    _post,
    handler=inference.infer,
    response=InferResponse,
    request=INFER,
    description=BINARY_NOTE,
    other_responses=(inference.BINARY_TYPE,),
    scores=True,
)

ENDPOINTS = (
    _post(
        "/predict",
        predict,
        "One probability of default a row",
        list[float],
        PREDICT,
        description=PREDICT_NOTE,
        scores=True,
    ),
    _post(
        "/score",
        score,
        "Probability, decision, points and reasons for each applicant",
        ScoreResponse,
        SCORE,
        description=CSV_NOTE,
        other_responses=("text/csv",),
        scores=True,
    ),
    _post(
        "/applicants",
        read_table,
        "The rows of a table as applicants, or why they can't be scored; nothing is scored",
        TableResponse,
        TABLE,
        description=TABLE_NOTE,
        query={
            "separator": {"type": "string", "pattern": r"^([!#-&(-\-/:-@\[-^`{-~]|tab)$"},
            "decimal": {"enum": [".", ","]},
        },
    ),
    _infer(f"{MODEL}/infer", summary=f"{V2}: inference"),
    _infer(f"{VERSION}/infer", summary=f"{V2}: inference by this version"),
    _record(
        "GET",
        "/v1/decisions",
        _decisions("list_decisions"),
        "Recorded decisions, the newest first",
        DecisionsResponse,
        description=LIST_NOTE,
        query=LIST_QUERY,
    ),
    _record(
        "GET",
        "/v1/decisions/{id}",
        _decisions("show_decision"),
        "A recorded decision, answered again by the model file that made it",
        CaseResponse,
        in_path={"id": DECISION_ID},
    ),
    _record(
        "POST",
        "/v1/decisions/{id}/review",
        _decisions("review_decision"),
        "Record what a person decided",
        Review,
        REVIEW,
        description=REVIEW_NOTE,
        in_path={"id": DECISION_ID},
        status=201,
    ),
    _record(
        "POST",
        "/v1/outcomes",
        _decisions("add_outcomes"),
        "Record what became of decisions",
        OutcomesResponse,
        OUTCOMES,
        description=OUTCOMES_NOTE,
    ),
    _record(
        "GET",
        "/v1/monitor",
        _recorded("monitor", "show_monitor"),
        "Decisions by hour, day and week: volume, drift, overrides, latency, challenger",
        _monitor,
        description=MONITOR_NOTE,
        other_responses=("text/html",),
    ),
    _get("/model", information.show_model, "Contract of the model in service: fields, policy, metrics", ModelResponse),
    _health("/livez", information.show_live, "Liveness: the process responds", dict[str, str]),
    _health("/readyz", information.show_ready, "Readiness: a model has passed its self-test", ReadyResponse),
    _get("/metrics", information.show_metrics, "Metrics for Prometheus", "text/plain"),
    _get("/openapi.json", information.show_openapi, "OpenAPI document of the model in service", dict[str, Any]),
    _get("/v2", inference.show_server, f"{V2}: the server", ServerMetadata),
    _health("/v2/health/live", inference.show_health, f"{V2}: liveness", ServerHealth),
    _health("/v2/health/ready", inference.show_health, f"{V2}: readiness", ServerHealth),
    _get(MODEL, inference.show_model, f"{V2}: the model", ModelMetadata),
    _get(f"{MODEL}/ready", inference.show_model_ready, f"{V2}: readiness of the model", ModelReady),
    _get(VERSION, inference.show_model, f"{V2}: this version of the model", ModelMetadata),
    _get(f"{VERSION}/ready", inference.show_model_ready, f"{V2}: readiness of this version", ModelReady),
    _page("/", pages.show_home),
    _page("/docs", pages.show_docs),
    _page("/monitor", pages.show_monitor),
    *(_page(f"/{name}", pages.show_file) for name in pages.FILES),
)


def make_routes() -> list[Route]:
    """The table as routes of Starlette."""
    return [Route(endpoint.path, endpoint, methods=[endpoint.method]) for endpoint in ENDPOINTS]
