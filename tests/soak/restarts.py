"""Reloads, killed workers and shutdown under load, with the outcome of every request."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.differential.cases import score
from tests.serve.running import WAIT_SECONDS, Service, wait_until
from tests.soak.load import Load, Outcome
from tests.soak.service import ARTIFACT, rename_model, running_service

PATH, BODY = "/score", score(1, 3)

CONNECTIONS = 50

WARM_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Run:
    """The outcome of the requests of a load, and faults."""

    outcome: Outcome
    faults: list[str]


def reload(times: int) -> Run:
    """Replace the model file this many times: every request is answered by a model that was in place."""
    with running_service() as service:
        contents = (rename_model(ARTIFACT.read_bytes()), ARTIFACT.read_bytes())
        models = [(content, _take(service, content)) for content in contents]
        load = Load(service.port, PATH, BODY, frozenset([models[-1][1]]))

        async def replace() -> None:
            for turn in range(times):
                content, right = models[turn % 2]
                # Both models may answer, until the new one does.
                load.right = frozenset(body for _, body in models)
                await asyncio.to_thread(_take, service, content)
                load.right = frozenset([right])

        outcome = asyncio.run(_run(load, replace))
    return Run(outcome, outcome.find_faults())


def kill(times: int) -> Run:
    """Kill one of two workers this many times: only its own requests are lost, and it is replaced."""
    with running_service(WEB_CONCURRENCY="2", LOG_LEVEL="info") as service:
        load = Load(service.port, PATH, BODY, frozenset([_ask(service)]))

        async def kill_workers() -> None:
            for turn in range(times):
                # The oldest worker.
                os.kill(service.workers()[turn], signal.SIGKILL)
                await asyncio.to_thread(wait_until, partial(_has_started, service, 2 + turn + 1))

        outcome = asyncio.run(_run(load, kill_workers))
        faults = outcome.find_faults(may_lose=True)
        if len(outcome.lost) > times * CONNECTIONS:
            faults.append(f"{len(outcome.lost)} requests lost, expected at most {CONNECTIONS} with each worker")
        answered = len(outcome.answered)
        load.outcome = Outcome()
        after = asyncio.run(_run(load, lambda: asyncio.sleep(WARM_SECONDS)))
        faults += [f"afterwards: {fault}" for fault in after.find_faults()]
        # A killed worker loses its buffered counts; counts in files stay.
        counted = service.metrics()["credit_applicants_total"]
    if not 3 * len(after.answered) <= counted <= 3 * (answered + len(after.answered) + len(outcome.lost) + 1):
        faults.append(
            f"{counted:,.0f} applicants were counted, {answered + len(after.answered):,} requests of 3 answered"
        )
    return Run(outcome, faults)


def stop(workers: int) -> Run:
    """Stop the service: no request is lost whose headers were read."""
    with running_service(WEB_CONCURRENCY=str(workers), LOG_LEVEL="info") as service:
        load = Load(service.port, PATH, BODY, frozenset([_ask(service)]))

        async def end() -> None:
            await asyncio.sleep(WARM_SECONDS)
            service.process.terminate()
            await asyncio.to_thread(service.process.wait, WAIT_SECONDS)

        outcome = asyncio.run(_run(load, end))
        code = service.process.returncode
        read = {line.get("request_id") for line in service.lines()}
    faults = outcome.find_faults(may_lose=True)
    if outcome.lost & read:
        faults.append(f"{len(outcome.lost & read)} requests were lost whose head was read")
    if not outcome.answered <= read:
        faults.append(f"{len(outcome.answered - read)} requests were answered of which the log knows nothing")
    if code:
        faults.append(f"the service ended with code {code}, expected 0")
    return Run(outcome, faults)


async def _run(load: Load, meanwhile: Callable[[], Coroutine[Any, Any, None]]) -> Outcome:
    """The outcome of a load that starts a moment before an event and ends with it."""
    over = asyncio.Event()
    running = asyncio.create_task(load.run(CONNECTIONS, over))
    await asyncio.sleep(WARM_SECONDS)
    try:
        await meanwhile()
    finally:
        over.set()
        outcome = await running
    return outcome


def _take(service: Service, content: bytes) -> bytes:
    """Replace the model file; returns the new model's answer once it is in service."""
    before = _ask(service)
    service.replace_model(content)
    wait_until(lambda: _ask(service) != before)
    return _ask(service)


def _has_started(service: Service, workers: int) -> bool:
    return len(service.said("Application startup complete")) >= workers


def _ask(service: Service) -> bytes:
    return service.ask("POST", PATH, json.loads(BODY)).content
