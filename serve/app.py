"""The ASGI application: which path is answered by what.

`create_app` is what uvicorn calls; a model that fails its self-test raises there, before the first
request. Paths and bodies are the public contract of the service.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from shutil import rmtree
from tempfile import mkdtemp
from weakref import finalize

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serve.contract import ContractError
from serve.counters import DIRECTORY, Ledger
from serve.endpoint import Endpoint, Heavyweights
from serve.gate import PROBLEM, Gate, Visit
from serve.model import Model, load_model
from serve.pages import PAGES
from serve.problems import Refusal, not_found, wrong_method
from serve.routes import DIRECT, INFER, ROUTES
from serve.served import Served
from serve.settings import Settings, read_settings
from serve.traffic import Traffic

SWEEP_SECONDS = 1.0

logger = logging.getLogger("credit")


def create_app() -> Gate:
    """The application for the settings in the environment.

    Raises SettingsError or ContractError: nothing is served with a wrong setting or an unproven model.
    """
    settings = read_settings(os.environ)
    return make_app(load_model(settings.model_path), settings, os.environ.get(DIRECTORY))


def make_app(model: Model, settings: Settings | None = None, counters: str | None = None) -> Gate:
    """The application around a loaded model; `counters` is the folder that the workers of one service share."""
    settings = settings or Settings()
    ledger = Ledger(counters or mkdtemp(prefix="credit-"))
    heavies = Heavyweights(settings.queue_bodies)
    endpoints = {path: Endpoint(path, answer, settings, heavies) for path, _, answer in ROUTES}
    traffic = Traffic(tuple(endpoints), ledger)
    gate = Gate(Served(model, settings, ledger), settings, PAGES, traffic)
    # A service of one process has a folder of its own, which goes with it.
    forget = finalize(gate, lambda: None) if counters else finalize(gate, rmtree, ledger.directory, ignore_errors=True)
    app = Starlette(
        routes=[Route(path, endpoints[path], methods=[method]) for path, method, _ in ROUTES],
        exception_handlers={HTTPException: _on_http_error},
        middleware=_cors(settings),
        lifespan=lambda _: _live(gate, ledger, forget),
    )
    # A redirect would go to whatever the request calls its host.
    app.router.redirect_slashes = False
    # CORS adds to every answer: then nothing goes past its middleware.
    direct = {path.encode(): endpoints[path] for path in DIRECT if not settings.cors_origins}
    if direct:
        direct[INFER.replace("{name}", model.contract.name).encode()] = endpoints[INFER]
    gate.stand_before(app, direct)
    return gate


@asynccontextmanager
async def _live(gate: Gate, ledger: Ledger, forget: Callable[[], object]) -> AsyncIterator[None]:
    """While the service runs: sweep every second, and take another model on SIGHUP."""
    loop = asyncio.get_running_loop()
    one_at_a_time = asyncio.Lock()

    async def follow() -> None:
        async with one_at_a_time:  # the file of the last signal wins
            await reload(gate, ledger)

    async def sweep() -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            gate.sweep()

    with suppress(NotImplementedError, RuntimeError, ValueError):  # not in a thread, not on Windows
        loop.add_signal_handler(signal.SIGHUP, lambda: loop.create_task(follow()))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    sweeping = loop.create_task(sweep())
    # What was loaded stays: the garbage collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    yield
    sweeping.cancel()
    gate.sweep()
    forget()


async def reload(gate: Gate, ledger: Ledger) -> None:
    """Put the model file as it is now in service, or keep the present one if that fails its self-test."""
    path = gate.settings.model_path
    try:
        model = await asyncio.to_thread(load_model, path)
    except ContractError as error:
        # A trace would only show our own check: the message says what is wrong with the file.
        logger.error("kept model %s: %s", gate.served.name.version, error)  # noqa: TRY400
        return
    gate.put_in_service(Served(model, gate.settings, ledger))
    logger.info("model %s is in service", gate.served.name.version)


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


async def _on_http_error(request: Request, error: Exception) -> Response:
    """Starlette's own refusals: unknown path, wrong method."""
    if not isinstance(error, HTTPException):
        raise error
    visit: Visit = request.scope["visit"]
    method, path = request.method, request.url.path
    refusal: Refusal = not_found(path)
    if error.status_code == 405:
        refusal = wrong_method(method, path, (error.headers or {}).get("Allow", "another"))
    headers = {name.decode(): value.decode() for name, value in refusal.headers}
    return Response(refusal.body(visit.request_id.decode()), refusal.status, headers, media_type=PROBLEM.decode())
