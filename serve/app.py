"""The ASGI application: made around a model, alive as long as the server, given another model on SIGHUP.

`create_app` is what uvicorn calls; a model that fails its self-test raises there, before the first request.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from serve.contract import ContractError
from serve.counters import DIRECTORY, Ledger
from serve.endpoint import Endpoint, Heavyweights
from serve.gate import Gate
from serve.model import Model, load_model
from serve.pages import PAGES
from serve.routes import DIRECT, INFER, ROUTES
from serve.served import Served
from serve.settings import Settings, read_settings
from serve.traffic import Traffic

if TYPE_CHECKING:
    from starlette.types import ASGIApp

SWEEP_SECONDS = 1.0

ALLOCATIONS = 10_000
"""So many lists, tuples and objects more than were freed, those of one body of 10,000 rows, make the garbage collector
look at them: at Python's own 700 it looks at the rows of a large body again and again while it is being read."""

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
    ledger = Ledger(counters)
    heavies = Heavyweights(settings.queue_bodies)
    endpoints = {path: Endpoint(path, answer, settings, heavies) for path, _, answer in ROUTES}
    gate = Gate(Served(model, settings, ledger), settings, PAGES, Traffic(tuple(endpoints), ledger))
    # CORS adds to every answer: then nothing goes past its middleware.
    direct = {path.encode(): endpoints[path] for path in DIRECT if not settings.cors_origins}
    if direct:
        direct[INFER.replace("{name}", model.contract.name).encode()] = endpoints[INFER]

    def route() -> ASGIApp:
        from serve.router import make_router

        return make_router(endpoints, settings)

    gate.stand_before(route, direct, lambda: _live(gate, ledger))
    return gate


@asynccontextmanager
async def _live(gate: Gate, ledger: Ledger) -> AsyncIterator[None]:
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
    gc.freeze()
    gc.set_threshold(ALLOCATIONS)
    gc.enable()
    yield
    sweeping.cancel()
    gate.sweep()


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
