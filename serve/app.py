"""The service as an ASGI application, for any server: `uvicorn serve.app:create_app --factory`."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from model.contract import ContractError
from model.session import Model
from serve.api.routes import ENDPOINTS, make_routes
from serve.loading import load, prepare
from serve.logs import configure_own_logger
from serve.metrics.recorder import Metrics
from serve.middleware.problems import on_problem
from serve.middleware.requests import RequestMiddleware
from serve.reload import Stamp, follow_file, read_stamp
from serve.runtime import Runtime
from serve.schemas.problems import HTTPProblem
from serve.settings import Settings, SettingsError, read_settings
from serve.state import AppState

ALLOCATIONS = 10_000
"""Generation-0 threshold of the garbage collector: a body of 10,000 rows does not start it again and again, as Python's
own 700 would while the body is being read."""


def create_app() -> Starlette:
    """The application for the settings in the environment.

    Exits with one clear line, under any server, if a setting or the model can't be used.
    """
    try:
        settings = read_settings(os.environ)
        # Before it is read: what changes from now on is another file.
        stamp = read_stamp(settings.model_path)
        configure_own_logger(settings.log_level)
        return _make_app(load(settings.model_path, settings), settings, stamp)
    except (SettingsError, ContractError) as error:
        sys.exit(f"can't serve: {error}")


def make_app(model: Model, settings: Settings | None = None) -> Starlette:
    """The application around a loaded model; raises ContractError if it can't be served."""
    settings = settings or Settings()
    return _make_app(prepare(model, settings), settings, read_stamp(settings.model_path))


def _make_app(runtime: Runtime, settings: Settings, stamp: Stamp | None) -> Starlette:
    state = AppState(runtime, settings, Metrics())
    open_paths = [endpoint.path for endpoint in ENDPOINTS if endpoint.is_open]
    health_paths = [endpoint.path for endpoint in ENDPOINTS if endpoint.is_health]
    app = Starlette(
        routes=make_routes(),
        middleware=[
            *_cors(settings),
            Middleware(RequestMiddleware, state=state, open_paths=open_paths, health_paths=health_paths),
        ],
        exception_handlers={HTTPProblem: on_problem, HTTPException: on_problem},
        lifespan=partial(_lifespan, stamp=stamp),
    )
    app.state.service = state
    # A redirect would go to whatever the request calls its host.
    app.router.redirect_slashes = False
    return app


@asynccontextmanager
async def _lifespan(app: Starlette, stamp: Stamp | None) -> AsyncIterator[None]:
    """While the server runs: take another model when its file is replaced, and keep the state up to date."""
    state: AppState = app.state.service
    tasks = [asyncio.create_task(follow_file(state, stamp)), asyncio.create_task(state.run_periodic_tasks())]
    # What was loaded stays: the garbage collector need not look at it again and again.
    gc.freeze()
    gc.set_threshold(ALLOCATIONS)
    gc.enable()
    yield
    for task in tasks:
        task.cancel()
    state.metrics.flush(state.requests)


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
            expose_headers=["x-request-id"],
        )
    ]
