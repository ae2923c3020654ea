"""`make soak`: long tests of the running service (fuzzing, overload, memory, reloads, kills); fails beyond a limit.

A single part: `python -m tests.soak raw`.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import chain

import uvloop

from tests.differential.cases import KEY, score, vector
from tests.differential.compare import compare, running_servers
from tests.differential.streams import make_splits, make_streams
from tests.serve.running import Service
from tests.soak import attack, decisions, goodput, memory, restarts, schema
from tests.soak.raw import FUZZ_SETTINGS, MAX_CONCURRENT, answers, cases, send_mutants
from tests.soak.service import ARTIFACT, resident_megabytes, running_service

REQUESTS = 20_000
SCHEMATHESIS_PROCESSES = 2
MUTANTS = 20_000
ROUNDS = 3
GROWTH_MEGABYTES = 20.0
"""Maximum growth of the memory between two runs of the same hostile bodies."""

STREAMS, SEED = 4_000, 2

RELOADS, KILLS, STOPS = 30, 10, (1, 2, 1, 2)
"""Repetitions; the stops by number of workers."""

FILES = 8_192
"""Minimum limit of open connections."""


def check_schema() -> list[str]:
    """schemathesis: requests generated from the OpenAPI document."""
    with running_service(**schema.SETTINGS) as service:
        started = time.perf_counter()
        processes = [schema.Explorer(service.base, seed) for seed in range(1, SCHEMATHESIS_PROCESSES + 1)]
        verdicts = [process.finish() for process in processes]
        seconds = time.perf_counter() - started
        answered = count_by_status(service)
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


def count_by_status(service: Service) -> Counter[int]:
    """Status → number of answers, from GET /metrics."""
    found: Counter[int] = Counter()
    for line in service.ask("GET", "/metrics").text.splitlines():
        if line.startswith("http_requests_total{"):
            labels, _, count = line.rpartition(" ")
            found[int(labels.partition('status="')[2].partition('"')[0])] += int(float(count))
    return found


def check_raw_bytes() -> list[str]:
    """Hostile requests: each is refused as expected, and the memory is released."""
    faults: list[str] = []
    with running_service(**FUZZ_SETTINGS) as service:
        infer = f"/v2/models/{service.ask('GET', '/model').json()['name']}/infer"
        sizes = []
        seen: Counter[int] = Counter()
        for _ in range(ROUNDS):
            faults += uvloop.run(send_cases(service.port, infer, seen))
            sizes.append(resident_megabytes(service.process.pid))
        body = json.dumps({"applicants": [json.loads(score(1))["applicants"][0], vector(2)], "reasons": 2}).encode()
        mutated = uvloop.run(send_mutants(service.port, "/score", [body], MUTANTS, seed=1))
        sizes.append(resident_megabytes(service.process.pid))
        ready = service.ask("GET", "/readyz").status_code
    held = ", ".join(f"{size:.0f}" for size in sizes)
    print(f"raw bytes: {seen.total():,} hostile requests, {dict(sorted(seen.items()))}; ready: {ready}")
    print(f"  {mutated.total():,} mutants of a valid body: {dict(sorted(mutated.items()))}")
    print(f"  resident after each round: {held} MB")
    if set(mutated) - {200, 400, 413}:
        faults.append(f"mutants were answered {dict(mutated)}, expected 200, 400 and 413")
    if max(sizes[1:]) > sizes[0] + GROWTH_MEGABYTES:
        faults.append(f"the service holds {held} MB, expected at most {GROWTH_MEGABYTES:g} MB more than at first")
    if ready != 200:
        faults.append(f"after hostile requests /readyz answers {ready}, expected 200")
    return faults


async def send_cases(port: int, infer: str, seen: Counter[int]) -> list[str]:
    """Send every hostile request, at most MAX_CONCURRENT at a time; returns those with unexpected answers."""
    limit = asyncio.Semaphore(MAX_CONCURRENT)

    async def ask(name: str, content: bytes, statuses: set[int]) -> str | None:
        async with limit:
            given = [status for status, _ in await answers(port, content)]
        seen.update(given)
        return None if given and given[0] in statuses else f"{name}: {given}, expected one of {sorted(statuses)}"

    found = await asyncio.gather(*(ask(*case) for case in cases(infer)))
    return [fault for fault in found if fault]


def check_overload() -> list[str]:
    """Goodput with many connections."""
    result = goodput.measure()
    print(
        f"overload: {result.many:,.0f} answers of 200 a second with {goodput.MANY:,} connections, "
        f"{result.few:,.0f} with {goodput.FEW}: {result.many / result.few:.2f}"
    )
    return result.faults


def check_body_memory() -> list[str]:
    """Memory while more bodies arrive at once than fit into it."""
    faults = []
    for one in attack.ATTACKS:
        result = attack.run(one)
        print(
            f"bodies: {one.connections:,} of {one.name}: {dict(sorted(result.statuses.items()))}, "
            f"at most {result.megabytes:.0f} MB"
        )
        faults += result.faults
    return faults


def check_memory() -> list[str]:
    """Memory after requests to every endpoint."""
    logistic, faults = memory.measure(memory.train_logistic())
    shipped, more = memory.measure(ARTIFACT.read_bytes())
    print(
        f"memory after {memory.TIMES:,} requests to each endpoint: {logistic:.1f} MB, {shipped:.1f} MB with artifacts/"
    )
    if logistic > memory.MAX_MEGABYTES:
        faults.append(f"the service holds {logistic:.0f} MB, expected at most {memory.MAX_MEGABYTES:g}")
    return faults + more


def check_signals() -> list[str]:
    """Reloads, killed workers and shutdown under load."""
    faults = report_load(f"{RELOADS} reloads", restarts.reload(RELOADS))
    faults += report_load(f"{KILLS} kills", restarts.kill(KILLS))
    for workers in STOPS:
        faults += report_load(f"SIGTERM, {workers} workers", restarts.stop(workers))
    return faults


def report_load(name: str, run: restarts.Run) -> list[str]:
    """Print the outcome of a load; returns its faults."""
    outcome = run.outcome
    print(
        f"{name}: {dict(outcome.statuses)}, {len(outcome.lost)} lost, {len(outcome.hung)} hung, "
        f"{len(outcome.foreign)} wrong"
    )
    return [f"{name}: {fault}" for fault in run.faults]


def check_differential() -> list[str]:
    """Differential test against the plain application, with one worker and two."""
    return compare_with_plain(1, STREAMS, SEED) + compare_with_plain(2, STREAMS // 2, SEED + 1)


def compare_with_plain(workers: int, count: int, seed: int) -> list[str]:
    """Compare the answers of the service, with this many workers, with those of the plain application."""
    with running_servers(workers) as servers:
        started = time.perf_counter()
        drawn = make_streams(servers.cases, servers.known, count, seed)
        verdict = uvloop.run(compare(servers, chain(drawn, make_splits(servers.cases, servers.known))))
        seconds = time.perf_counter() - started
        after = servers.service.ask("POST", "/predict", {"data": [vector(1)]}, x_api_key=KEY).status_code
    print(
        f"differential, {workers} workers: {verdict.streams:,} streams in {seconds:.0f} s, "
        f"{verdict.answers:,} answers, {verdict.reloads} reloads, {len(verdict.faults)} differences; afterwards {after}"
    )
    return verdict.faults + ([] if after == 200 else [f"after all streams a POST is answered {after}, expected 200"])


PARTS: dict[str, Callable[[], list[str]]] = {
    "memory": check_memory,
    "overload": check_overload,
    "bodies": check_body_memory,
    "signals": check_signals,
    "decisions": decisions.run_trials,
    "differential": check_differential,
    "raw": check_raw_bytes,
    "schema": check_schema,
}


def main() -> int:
    """Run all parts, or those named; returns 1 if one fails."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files < FILES:
        # The service inherits the limit.
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES if most < 0 else min(FILES, most), most))
    started = time.perf_counter()
    faults = []
    for name in sys.argv[1:] or PARTS:
        began = time.perf_counter()
        faults += PARTS[name]()
        print(f"  {name}: {time.perf_counter() - began:.0f} s", flush=True)
    for fault in faults:
        print(f"FAILED: {fault}", file=sys.stderr)
    seconds, load = time.perf_counter() - started, os.getloadavg()[0]
    print(f"soak: {seconds:.0f} s on {os.cpu_count()} cores, whose load is {load:.1f} in the end")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
