"""What the service says of itself: the model, health, metrics."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from serve.schemas.responses import ReadyAnswer
from serve.state import AppState

JSON = "application/json"


async def show_model(request: Request) -> Response:
    """GET /model: the contract of the file, without its golden rows."""
    return Response(request.app.state.service.runtime.description, media_type=JSON)


async def show_openapi(request: Request) -> Response:
    """GET /openapi.json: the API of the model in service."""
    return Response(request.app.state.service.runtime.openapi, media_type=JSON)


async def show_live(request: Request) -> Response:
    """GET /livez: the process answers."""
    return Response(b'{"status":"alive"}', media_type=JSON)


async def show_ready(request: Request) -> Response:
    """GET /readyz: a model is loaded and proven; says which."""
    return Response(msgspec.json.encode(ReadyAnswer("ready", request.app.state.service.runtime.name)), media_type=JSON)


async def show_metrics(request: Request) -> Response:
    """GET /metrics, for Prometheus."""
    state: AppState = request.app.state.service
    from serve.metrics.exposition import CONTENT_TYPE, write_metrics

    state.metrics.flush(state.requests)
    text = await state.run_blocking(lambda: write_metrics(state.metrics.collectors.registry, state.runtime.name))
    return Response(text, media_type=CONTENT_TYPE)
