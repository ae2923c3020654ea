"""`make soak`: what takes minutes to prove about the running service; prints its figures, fails if a bar doesn't hold.

A part alone: `python -m tests.soak raw`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import uvloop

from tests.soak import schema
from tests.soak.overload import APPLICANT, CROWD, MANY, overload, reloads, stop
from tests.soak.raw import AT_ONCE, PATIENT, answers, cases, send_mutants
from tests.soak.service import Service, running_service

REQUESTS = 20_000
EXPLORERS = 2
MUTANTS = 20_000
ROUNDS = 3
GROWTH_MEGABYTES = 20.0
"""What the service may hold more of after hostile bodies than after the same bodies before."""

SECONDS, LIMIT_MS = 60.0, 250.0
ASKED = 0.95
"""Share of the requests that are due in an overload which must have been made, or it was none."""

RELOADS, STOPS = 200, 5


def explore() -> list[str]:
    """Requests made of the document: none fails, none contradicts it."""
    with running_service(**schema.SETTINGS) as service:
        started = time.perf_counter()
        explorers = [schema.Explorer(service.base, seed) for seed in range(1, EXPLORERS + 1)]
        verdicts = [explorer.finish() for explorer in explorers]
        seconds = time.perf_counter() - started
        answered = served_by_status(service)
    made, failures = sum(one.requests for one in verdicts), sum(one.failures for one in verdicts)
    ours = sum(count for status, count in answered.items() if status >= 500)
    print(f"schemathesis: {made:,} requests in {seconds:.0f} s, {failures} failures, {ours} answers of 500 or more")
    print(f"  answers by status: {dict(sorted(answered.items()))}")
    faults = [one.text for one in verdicts if one.failures]
    if made < REQUESTS:
        faults.append(f"schemathesis made {made:,} requests, expected at least {REQUESTS:,}")
    if ours:
        faults.append(f"{ours} answers of 500 or more, expected none")
    return faults


def served_by_status(service: Service) -> Counter[int]:
    """How the service says it has answered so far."""
    found: Counter[int] = Counter()
    for line in httpx.get(f"{service.base}/metrics", trust_env=False).text.splitlines():
        if line.startswith("http_requests_total{"):
            labels, _, count = line.rpartition(" ")
            status = labels.partition('status="')[2].partition('"')[0]
            found[int(status) if status.isdigit() else 499] += int(float(count))
    return found


def fuzz() -> list[str]:
    """Hostile bytes: each gets its refusal, and the memory comes back."""
    faults: list[str] = []
    with running_service(**PATIENT) as service:
        model = httpx.get(f"{service.base}/model", trust_env=False).json()["name"]
        infer = f"/v2/models/{model}/infer"
        sizes = []
        seen: Counter[int] = Counter()
        for _ in range(ROUNDS):
            faults += uvloop.run(send_cases(service.port, infer, seen))
            sizes.append(service.resident_megabytes())
        body = json.dumps({"applicants": [APPLICANT, list(APPLICANT.values())], "reasons": 2}).encode()
        mutated = uvloop.run(send_mutants(service.port, "/score", [body], MUTANTS, seed=1))
        sizes.append(service.resident_megabytes())
        ready = httpx.get(f"{service.base}/readyz", trust_env=False).status_code
    held = ", ".join(f"{size:.0f}" for size in sizes)
    print(f"raw bytes: {seen.total():,} hostile requests, {dict(sorted(seen.items()))}; ready: {ready}")
    print(f"  {mutated.total():,} mutants of a valid body: {dict(sorted(mutated.items()))}")
    print(f"  resident after each round: {held} MB")
    if set(mutated) - {200, 400, 413}:
        faults.append(f"mutants were answered {dict(mutated)}, expected 200, 400 and 413")
    if max(sizes[1:]) > sizes[0] + GROWTH_MEGABYTES:
        faults.append(f"the service holds {held} MB, expected at most {GROWTH_MEGABYTES:g} MB more than at first")
    return faults


async def send_cases(port: int, infer: str, seen: Counter[int]) -> list[str]:
    """Every hostile request, some at once; returns those that were answered otherwise than they must be."""
    some = asyncio.Semaphore(AT_ONCE)

    async def ask(name: str, content: bytes, statuses: set[int]) -> str | None:
        async with some:
            given = [status for status, _ in await answers(port, content)]
        seen.update(given)
        return None if given and given[0] in statuses else f"{name}: {given}, expected one of {sorted(statuses)}"

    found = await asyncio.gather(*(ask(*case) for case in cases(infer)))
    return [fault for fault in found if fault]


def flood() -> list[str]:
    """Four times what the service can do."""
    with running_service() as service:
        result = uvloop.run(overload(service, SECONDS))
        ready = httpx.get(f"{service.base}/readyz", trust_env=False).status_code
    outcome = result.outcome
    refused = outcome.statuses.total() - len(outcome.accepted)
    made = outcome.statuses.total() / outcome.seconds
    print(
        f"overload: capacity {result.capacity:,.0f} requests of {CROWD} applicants a second; {made:,.0f} "
        f"for {SECONDS:g} s"
    )
    p50, p99, slowest = (outcome.quantile(share) for share in (0.5, 0.99, 1.0))
    print(f"  {outcome.rate:,.0f} a second accepted: p50 {p50:.0f} ms, p99 {p99:.0f} ms, slowest {slowest:.0f} ms")
    print(f"  {refused:,} refused, {outcome.skipped:,} due while all {MANY:,} connections waited")
    print(f"  {outcome.lost} lost, {outcome.hung} hung; ready: {ready}")
    faults = []
    if made < ASKED * result.rate:
        faults.append(f"{made:,.0f} requests a second were made, expected {result.rate:,.0f}: no overload was shown")
    if p99 >= LIMIT_MS:
        faults.append(f"p99 of accepted requests is {p99:.0f} ms, expected below {LIMIT_MS:g}")
    if outcome.lost or outcome.hung or set(outcome.statuses) - {200, 503}:
        faults.append(f"{outcome.lost} lost, {outcome.hung} hung, {dict(outcome.statuses)}, expected only 200 and 503")
    return faults


def signals() -> list[str]:
    """Reloads and the end under load, without a request that fails."""
    faults = []
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with running_service(log, LOG_LEVEL="info") as service:
            started = time.perf_counter()
            outcome = uvloop.run(reloads(service, log, RELOADS))
            seconds = time.perf_counter() - started
    print(
        f"reloads: {RELOADS} in {seconds:.0f} s under {outcome.rate:,.0f} requests a second: "
        f"{dict(outcome.statuses)}, p99 {outcome.quantile(0.99):.0f} ms, {outcome.lost} lost, {outcome.hung} hung"
    )
    if set(outcome.statuses) != {200} or outcome.lost or outcome.hung:
        faults.append("a request failed while the model was loaded again")
    for _ in range(STOPS):
        with running_service() as service:
            outcome, seconds = uvloop.run(stop(service, 1.0))
            code = service.process.returncode
        print(
            f"SIGTERM: {outcome.statuses.total():,} answers, {outcome.lost} lost; ended {seconds:.2f} s later ({code})"
        )
        if outcome.lost or outcome.hung or set(outcome.statuses) != {200}:
            faults.append(f"{outcome.lost} requests were lost at the end, {dict(outcome.statuses)}")
    return faults


PARTS: dict[str, Callable[[], list[str]]] = {"flood": flood, "signals": signals, "raw": fuzz, "schema": explore}


def main() -> int:
    """Run every part, or those named; 1 if a bar doesn't hold."""
    started = time.perf_counter()
    faults = [fault for name in sys.argv[1:] or PARTS for fault in PARTS[name]()]
    for fault in faults:
        print(f"FAILED: {fault}", file=sys.stderr)
    seconds, load = time.perf_counter() - started, os.getloadavg()[0]
    print(f"soak: {seconds:.0f} s on {os.cpu_count()} cores, whose load is {load:.1f} in the end")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
