"""The one table of routes: router, OpenAPI, docs page, metrics labels and keys come from it.

The public contract of the API: renaming a path breaks clients.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.routing import Route

from serve.api import examples, inference, information, pages
from serve.api.endpoint import Endpoint, RequestBody
from serve.api.score import predict, score
from serve.schemas.inference import InferAnswer, InferBody, ModelMetadata, ModelReady, ServerHealth, ServerMetadata
from serve.schemas.responses import ModelAnswer, ReadyAnswer, ScoreAnswer

MODEL, VERSION = "/v2/models/{name}", "/v2/models/{name}/versions/{version}"
V2 = "Open Inference Protocol"

SCORE = RequestBody(lambda schemas: schemas.score_body, examples.score)
PREDICT = RequestBody(lambda schemas: schemas.predict_body, examples.predict)
INFER = RequestBody(lambda schemas: InferBody, examples.infer)

_get, _post = partial(Endpoint, "GET"), partial(Endpoint, "POST")
_health = partial(_get, is_open=True, is_health=True)
_page = partial(_get, is_open=True)

ENDPOINTS = (
    _post("/predict", predict, "One probability of default a row", list[float], PREDICT),
    _post("/score", score, "Probability, decision, points and reasons for each applicant", ScoreAnswer, SCORE),
    _post(f"{MODEL}/infer", inference.infer, f"{V2}: inference", InferAnswer, INFER),
    _post(f"{VERSION}/infer", inference.infer, f"{V2}: inference by this version", InferAnswer, INFER),
    _get("/model", information.show_model, "What the model in service takes, decides and is worth", ModelAnswer),
    _health("/livez", information.show_live, "The process answers", dict[str, str]),
    _health("/readyz", information.show_ready, "A model is loaded and proven", ReadyAnswer),
    _get("/metrics", information.show_metrics, "Counters and histograms for Prometheus", "text/plain"),
    _get("/openapi.json", information.show_openapi, "This description", dict[str, Any]),
    _get("/v2", inference.show_server, f"{V2}: the server", ServerMetadata),
    _health("/v2/health/live", inference.show_health, f"{V2}: liveness", ServerHealth),
    _health("/v2/health/ready", inference.show_health, f"{V2}: readiness", ServerHealth),
    _get(MODEL, inference.show_model, f"{V2}: the model", ModelMetadata),
    _get(f"{MODEL}/ready", inference.show_model_ready, f"{V2}: is it ready", ModelReady),
    _get(VERSION, inference.show_model, f"{V2}: this version of the model", ModelMetadata),
    _get(f"{VERSION}/ready", inference.show_model_ready, f"{V2}: is this version ready", ModelReady),
    _page("/", pages.show_home),
    _page("/docs", pages.show_docs),
    *(_page(f"/{name}", pages.show_file) for name in pages.FILES),
)


def make_routes() -> list[Route]:
    """The table as Starlette takes it."""
    return [Route(endpoint.path, endpoint, methods=[endpoint.method]) for endpoint in ENDPOINTS]
