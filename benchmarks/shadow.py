"""`make bench-shadow`: what a challenger in the shadow costs the service, on SQLite and PostgreSQL.

Two services of one worker, one with a challenger and one without, both record and are asked in turns; ratios are of the
same round.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import httpx
from msgspec import Struct
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.decisions import Load, make_body, run_service
from benchmarks.serve.machine import describe_machine, pin_to_load_core
from benchmarks.serve.protocols import Request
from benchmarks.serve.wrk import LoadResult, find_wrk, run_wrk
from decisions.store import SQLITE_PREFIX, open_store
from model.loading import load_model
from serve.shadow import GATHER_SECONDS
from tests.postgres_server import PostgresServer

LOADS = (
    Load("1 connection", "/score", 1, 1),
    Load("16 connections", "/score", 1, 16),
    Load("/predict, 1,000 rows", "/predict", 1_000, 4),
)


class Pair(Struct, frozen=True):
    """A workload without and with a challenger."""

    off: LoadResult
    on: LoadResult


def main() -> None:
    """Measure each challenger on both stores, and print a line for each workload."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shadow", description=__doc__.partition("\n")[0])
    parser.add_argument("challengers", nargs="+", type=Path, help="model files other than artifacts/model.onnx")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    options = parser.parse_args()
    print(describe_machine())
    wrk = find_wrk()
    cores = pin_to_load_core()
    with tempfile.TemporaryDirectory() as folder, PostgresServer() as server:
        for number, challenger in enumerate(options.challengers):
            files = [f"{SQLITE_PREFIX}{folder}/{kind}-{number}.db" for kind in ("off", "on")]
            for store, urls in (("SQLite", files), ("PostgreSQL", [server.create_database() for _ in range(2)])):
                settings = {"CHALLENGER_PATH": str(challenger.resolve())}
                with (
                    run_service(cores.server, {"DECISIONS_URL": urls[0]}) as off,
                    run_service(cores.server, {"DECISIONS_URL": urls[1]} | settings) as on,
                ):
                    rounds = [_measure(wrk, off, on, urls, options.seconds) for _ in range(options.rounds)]
                print(f"{store}, {load_model(challenger).contract.training.estimator} as challenger, {challenger}")
                _report(rounds)
                print(f"  {_count_scored(urls[1])}")


def _measure(wrk: str, off: str, on: str, urls: Sequence[str], seconds: float) -> dict[str, Pair]:
    results: dict[str, Pair] = {}
    for load in LOADS:
        requests = [Request(make_body(load))]
        without, beside = (run_wrk(wrk, base + load.path, requests, load.connections, seconds) for base in (off, on))
        results[load.name] = Pair(without, beside)
        _wait_until_scored(on)
        for url in urls:
            _wait_until_counted(url)
    return results


def _wait_until_scored(base: str) -> None:
    """Return when nothing waits for the challenger, so that it takes no time from the next measurement."""
    before = -1.0
    while (counted := _read_counters(base)) != before:
        before = counted
        time.sleep(2 * GATHER_SECONDS)


def _wait_until_counted(url: str) -> None:
    """Return when the monitor has counted all that is on record, which takes longer the more there is."""
    sql = "SELECT sum(chains.sequence) - coalesce(sum(tallied.sequence), 0) FROM chains LEFT JOIN tallied USING (chain)"
    with closing(open_store(url, create=False)) as store:
        while any(waiting for (waiting,) in store.query(sql)):
            time.sleep(GATHER_SECONDS)


def _read_counters(base: str) -> float:
    families = text_string_to_metric_families(httpx.get(f"{base}/metrics", trust_env=False).text)
    samples = [sample for family in families for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name.startswith("credit_challenger_"))


def _report(rounds: list[dict[str, Pair]]) -> None:
    for load in LOADS:
        pairs = [each[load.name] for each in rounds]
        p50, p99, speed = (
            statistics.median(getattr(pair.on, name) / getattr(pair.off, name) for pair in pairs)
            for name in ("p50_ms", "p99_ms", "per_second")
        )
        off, on = (statistics.median(getattr(pair, kind).per_second for pair in pairs) for kind in ("off", "on"))
        print(
            f"  {load.name}: p50 {p50:.3f} × (bar at 1 connection: 1.05), p99 {p99:.2f} ×, throughput {speed:.2f} × "
            f"(bar at 16: 0.6), {on:,.0f} of {off:,.0f} requests a second"
        )


def _count_scored(url: str) -> str:
    """How many decisions the challenger scored; what it skipped, it was too slow for."""
    store = open_store(url, create=False)
    counts = dict(store.query("SELECT kind, count(*) FROM records GROUP BY kind"))
    store.close()
    return f"{counts['shadow']:,} of {counts['decision']:,} decisions scored by the challenger"


if __name__ == "__main__":
    main()
