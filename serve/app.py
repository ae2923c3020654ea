"""The service as an ASGI application, for any server: `uvicorn serve.app:create_app --factory`."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from model.contract import ContractError
from model.session import Model
from serve.api.routes import ENDPOINTS, make_routes
from serve.loading import load_runtime, make_runtime
from serve.logs import configure_own_logger
from serve.metrics.recorder import Metrics
from serve.middleware.problem_responses import handle_problem
from serve.middleware.request_middleware import RequestMiddleware
from serve.reload import FileStamp, read_file_stamp, watch_challenger, watch_model_file
from serve.runtime import Runtime
from serve.schemas.problems import HTTPProblem, not_recorded
from serve.settings import Settings, SettingsError, read_settings
from serve.state import AppState

GC_THRESHOLD = 10_000
"""Generation-0 threshold of the garbage collector; with Python's default of 700, decoding a large body would run it
repeatedly."""

logger = logging.getLogger("credit")


def create_app() -> Starlette:
    """The application, with its settings from the environment.

    Exits with one clear line, under any server, if a setting or the model can't be used.
    """
    try:
        settings = read_settings(os.environ)
        # Before the file is read, so that a replacement in the meantime is noticed.
        stamp = read_file_stamp(settings.model_path)
        configure_own_logger(settings.log_level)
        return _assemble(load_runtime(settings.model_path, settings), settings, stamp)
    except (SettingsError, ContractError) as error:
        sys.exit(f"can't serve: {error}")


def create_app_for_model(model: Model, settings: Settings | None = None) -> Starlette:
    """The application around a loaded model; raises ContractError if it can't be served."""
    settings = settings or Settings()
    return _assemble(make_runtime(model, settings), settings, read_file_stamp(settings.model_path))


def _assemble(runtime: Runtime, settings: Settings, stamp: FileStamp | None) -> Starlette:
    kept_paths = [endpoint.path for endpoint in ENDPOINTS if endpoint.scores and settings.decisions_url]
    state = AppState(runtime, settings, Metrics(kept_paths))
    public_paths = [endpoint.path for endpoint in ENDPOINTS if endpoint.is_public]
    health_paths = [endpoint.path for endpoint in ENDPOINTS if endpoint.is_health]
    app = Starlette(
        routes=make_routes(),
        middleware=[
            *_cors(settings),
            Middleware(RequestMiddleware, state=state, public_paths=public_paths, health_paths=health_paths),
        ],
        exception_handlers={HTTPProblem: handle_problem, HTTPException: handle_problem, **_recording_faults(settings)},
        lifespan=partial(_lifespan, stamp=stamp),
    )
    app.state.service = state
    # A redirect would lead to the host that the request names, which may be any.
    app.router.redirect_slashes = False
    return app


@asynccontextmanager
async def _lifespan(app: Starlette, stamp: FileStamp | None) -> AsyncIterator[None]:
    """While the server runs: reload a replaced model file, and run the periodic tasks."""
    state: AppState = app.state.service
    if state.recorder is not None:
        await state.recorder.start()
    if state.monitoring is not None:
        state.monitoring.start()
    tasks = [asyncio.create_task(watch_model_file(state, stamp)), asyncio.create_task(state.run_periodic_tasks())]
    if state.shadow is not None and state.settings.challenger_path is not None:
        state.shadow.start()
        tasks.append(asyncio.create_task(watch_challenger(state, state.shadow, state.settings.challenger_path)))
    # Exempts all loaded modules and the model from garbage collection.
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    gc.enable()
    yield
    for task in tasks:
        task.cancel()
    if state.shadow is not None:
        await state.shadow.stop()
    if state.decision_log is not None:
        await state.decision_log.stop()
    state.flush_metrics()
    if state.monitoring is not None:
        await state.run_blocking(state.monitoring.stop)


def _recording_faults(settings: Settings) -> dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]]:
    """The handler of what is raised where the database of decisions can't be used."""
    if not settings.decisions_url:
        return {}
    from decisions.recorder import NotRecorded
    from decisions.store import StoreError

    return dict.fromkeys((NotRecorded, StoreError), _handle_recording_fault)


async def _handle_recording_fault(request: Request, error: Exception) -> Response:
    """503; only the log says why, since the reason names the database."""
    logger.error("request %s: %s", request.scope["state"]["context"].request_id.decode(), error)
    return await handle_problem(request, not_recorded())


def _cors(settings: Settings) -> list[Middleware]:
    if not settings.cors_origins:
        return []
    from starlette.middleware.cors import CORSMiddleware

    return [
        Middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["authorization", "content-type", "x-api-key", "x-request-id"],
            expose_headers=["x-request-id", "x-decision-id"],
        )
    ]
