"""More than the service can do: overload, reloads and the end under load, and what became of every request."""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.soak.load import Load, Outcome, post
from tests.soak.service import Service

APPLICANT: dict[str, Any] = {
    "Seniority": 5,
    "Home": "rent",
    "Time": 48,
    "Records": "no",
    "Job": "fixed",
    "Expenses": 60,
    "Income": 140,
    "Assets": 0,
    "Debt": 0,
    "Amount": 1300,
    "Price": 1700,
}

REQUEST = post("/score", {"applicants": [APPLICANT]})
"""What nearly every client asks: one applicant, with reasons."""

CROWD = 30
CROWDED = post("/score", {"applicants": [APPLICANT] * CROWD})
"""What overloads the service: so much that one core can ask for four times what another answers."""

FEW, MANY = 32, 1000
"""Connections that keep the service busy without a queue worth the name; connections of an overload."""

TIMES = 4

CAPACITY_SECONDS = 5.0

RELOADED = b'is in service"'


@dataclass(frozen=True, slots=True)
class Overload:
    """Accepted requests a second with a few connections, the rate that was asked for, and what became of it."""

    capacity: float
    rate: float
    outcome: Outcome


async def overload(service: Service, seconds: float) -> Overload:
    """Measure what the service can do, then ask for TIMES as much."""
    load = Load(service.port, CROWDED)
    await load.connect(FEW)
    await load.run(1.0)
    capacity = (await load.run(CAPACITY_SECONDS)).rate
    await load.connect(MANY - FEW)
    # What this process would look through for garbage is what it measures with.
    gc.collect()
    gc.freeze()
    outcome = await load.run(seconds, TIMES * capacity)
    await load.close()
    return Overload(capacity, TIMES * capacity, outcome)


async def reloads(service: Service, log: Path, times: int) -> Outcome:
    """Make the service load its model so many times while it is asked; `log` is its standard output."""
    load = Load(service.port, REQUEST)
    await load.connect(FEW)
    is_over = False

    async def reload() -> None:
        nonlocal is_over
        with log.open("rb") as lines:
            for _ in range(times):
                service.process.send_signal(signal.SIGHUP)
                while RELOADED not in lines.read():
                    await asyncio.sleep(0.005)
        is_over = True

    reloading = asyncio.create_task(reload())
    outcome = await load.run(600.0, until=lambda: is_over)
    await reloading
    await load.close()
    return outcome


async def stop(service: Service, seconds: float) -> tuple[Outcome, float]:
    """End the service while it is asked; returns what became of the requests, and after how many seconds it ended."""
    load = Load(service.port, REQUEST)
    await load.connect(FEW)
    ended = 0.0

    async def end() -> None:
        nonlocal ended
        await asyncio.sleep(seconds)
        started = time.perf_counter()
        service.process.send_signal(signal.SIGTERM)
        while service.process.poll() is None:
            await asyncio.sleep(0.005)
        ended = time.perf_counter() - started

    ending = asyncio.create_task(end())
    outcome = await load.run(60.0, until=ending.done)
    await ending
    return outcome, ended
