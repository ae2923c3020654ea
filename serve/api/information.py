"""GET /model, /openapi.json, /livez, /readyz and /metrics."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from serve.api.endpoint import JSON_TYPE, json_response
from serve.schemas.problems import not_recorded
from serve.schemas.responses import ReadyResponse, RecordingResponse
from serve.state import AppState


async def show_model(request: Request) -> Response:
    """GET /model: the contract of the file, without its golden rows."""
    return Response(request.app.state.service.runtime.model_json, media_type=JSON_TYPE)


async def show_openapi(request: Request) -> Response:
    """GET /openapi.json: the API of the model in service."""
    return Response(request.app.state.service.runtime.openapi_json, media_type=JSON_TYPE)


async def show_live(request: Request) -> Response:
    """GET /livez: the process responds."""
    return Response(b'{"status":"alive"}', media_type=JSON_TYPE)


async def show_ready(request: Request) -> Response:
    """GET /readyz: which model is loaded and has passed its self-test; 503 while a decision can't be recorded."""
    state: AppState = request.app.state.service
    if not state.is_ready:
        raise not_recorded()
    return json_response(ReadyResponse("ready", state.runtime.identity, _describe_recording(state)))


def _describe_recording(state: AppState) -> RecordingResponse | None:
    if state.recorder is None:
        return None
    status = state.recorder.status
    return RecordingResponse(status.is_connected, status.waiting, status.spooled)


async def show_metrics(request: Request) -> Response:
    """GET /metrics: the metrics of all workers, for Prometheus."""
    state: AppState = request.app.state.service
    from serve.metrics.exposition import CONTENT_TYPE, write_metrics
    from serve.metrics.gauges import describe_monitor, describe_reference

    def write() -> bytes:
        runtime, monitor = state.runtime, state.metrics.monitor
        gauges = [*describe_reference(runtime.model.contract, by_bin=state.recorder is None)]
        gauges += describe_monitor(monitor) if monitor else ()
        return write_metrics(state.metrics.collectors.registry, runtime.identity, gauges)

    state.flush_metrics()
    return Response(await state.run_blocking(write), media_type=CONTENT_TYPE)
