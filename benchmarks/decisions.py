"""`make bench-decisions`: what recording decisions costs the service, on SQLite and PostgreSQL.

Two services of one worker, one that records and one that doesn't, are asked in turns; ratios are of the same round. The
bars are set by the time of one bare commit in the same store, measured in the same round.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from msgspec import Struct
from msgspec.structs import astuple, replace

from benchmarks.serve.machine import describe_machine, pin_to_load_core
from benchmarks.serve.protocols import Request
from benchmarks.serve.wrk import LoadResult, find_wrk, run_wrk
from decisions.chain import now
from decisions.ids import IdSource
from decisions.record import COLUMNS, Answer, Entry, chain_records, make_decisions, new_chain
from decisions.store import SQLITE_PREFIX, Store, open_store
from decisions.writer import Writer
from deploy.dyno import free_port, wait_until_ready
from model.loading import load_model
from tests.postgres_server import PostgresServer

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "artifacts" / "model.onnx"

COMMITS = 200
"""Bare commits of one row in each round."""

TEXT = "x" * 400
"""About as long as a record."""

RATE, RATE_BATCH = 10_000, 500
"""Decisions a second, and in one transaction, when the writer's share of a core is measured."""


class Load(Struct, frozen=True):
    """A workload: name, path, rows of a body, connections."""

    name: str
    path: str
    rows: int
    connections: int


LOADS = (
    Load("1 connection", "/score", 1, 1),
    Load("16 connections", "/score", 1, 16),
    Load("256 connections", "/score", 1, 256),
    Load("/score, 1,000 rows", "/score", 1_000, 4),
    Load("/predict, 1,000 rows", "/predict", 1_000, 4),
)


class Commit(Struct, frozen=True):
    """Seconds of one bare commit: of a row of two columns, and of one record in the table of records."""

    plain: float
    record: float


class Round(Struct, frozen=True):
    """The figures of a round: bare commits; name of the workload → result without and with recording."""

    commit: Commit
    off: dict[str, LoadResult]
    on: dict[str, LoadResult]


def main() -> None:
    """Measure both stores and print a line for each bar."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decisions", description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    options = parser.parse_args()
    print(describe_machine())
    wrk = find_wrk()
    cores = pin_to_load_core()
    with tempfile.TemporaryDirectory() as folder, PostgresServer() as server:
        path = Path(folder) / "decisions.db"
        bare = Path(folder) / "bare.db", server.create_database()
        stores = (
            ("SQLite", f"{SQLITE_PREFIX}{path}", _sqlite_commits(bare[0])),
            ("PostgreSQL", server.create_database(), _postgresql_commits(bare[1])),
        )
        for name, url, commit in stores:
            with (
                run_service(cores.server, {}) as off,
                run_service(cores.server, {"DECISIONS_URL": url}) as on,
                commit as time_commit,
            ):
                rounds = [_measure(wrk, off, on, time_commit, options.seconds) for _ in range(options.rounds)]
            _report(name, rounds)
            print(f"{name}: {RATE:,} decisions a second take {_measure_writer(url):.0%} of a core (bar: 50 %)")


def _measure(wrk: str, off: str, on: str, time_commit: Callable[[], Commit], seconds: float) -> Round:
    results: dict[str, dict[str, LoadResult]] = {off: {}, on: {}}
    for load in LOADS:
        for base in (off, on):
            requests = [Request(make_body(load))]
            results[base][load.name] = run_wrk(wrk, base + load.path, requests, load.connections, seconds)
    return Round(time_commit(), results[off], results[on])


def _report(store: str, rounds: list[Round]) -> None:
    print(f"{store}, medians of {len(rounds)} rounds")
    for kind, row in (("plain", "a row of two columns"), ("record", "a record")):
        commit = statistics.median(getattr(each.commit, kind) for each in rounds)
        extra = statistics.median(
            (each.on["1 connection"].p50_ms - each.off["1 connection"].p50_ms) / 1e3 / getattr(each.commit, kind)
            for each in rounds
        )
        allowed = statistics.median(
            each.on["16 connections"].per_second
            / (16 / (getattr(each.commit, kind) + 16 / each.off["16 connections"].per_second))
            for each in rounds
        )
        print(f"  one bare commit of {row}: {commit * 1e6:.0f} µs")
        print(f"    1 connection: p50 = off + {extra:.2f} × one commit (bar: 1.5)")
        print(f"    16 connections: {allowed:.2f} × what 16 requests a commit allow (bar: 0.7)")
    for load in LOADS:
        ratio = statistics.median(each.on[load.name].per_second / each.off[load.name].per_second for each in rounds)
        off, on = (
            statistics.median(getattr(each, kind)[load.name].per_second for each in rounds) for kind in ("off", "on")
        )
        print(f"  {load.name}: {on:,.0f} of {off:,.0f} requests a second, {ratio:.2f} × (bar from 256: 0.5)")


def make_body(load: Load) -> bytes:
    """The JSON of a request with the first golden row of MODEL, again and again."""
    fields = load_model(MODEL).contract.fields
    golden = load_model(MODEL).contract.golden.applicants[0]
    if load.path == "/predict":
        return msgspec.json.encode({"data": [golden] * load.rows})
    applicant = {
        field.name: field.levels[int(value)] if field.kind == "category" and value is not None else value
        for field, value in zip(fields, golden, strict=True)
    }
    return msgspec.json.encode({"applicants": [{"id": "A-17"} | applicant] * load.rows, "reasons": 4})


@contextmanager
def run_service(core: int, settings: dict[str, str]) -> Iterator[str]:
    """A service of one worker on this core with these settings; yields its URL."""
    port = free_port()
    environment = os.environ | {"PORT": str(port), "LOG_LEVEL": "error", "MODEL_PATH": str(MODEL)} | settings
    command = ["taskset", "--cpu-list", str(core), sys.executable, "-m", "serve"]
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", process, time.monotonic())
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@contextmanager
def _bare_commits(
    store: Store, connection: sqlite3.Connection | psycopg.Connection, mark: str
) -> Iterator[Callable[[], Commit]]:
    """Time commits on a connection of its own, in an empty database with the tables of records."""
    store.migrate()
    head = new_chain()
    store.open_chain(head, now(), "benchmark")
    connection.execute("CREATE TABLE bare (id BIGINT, text TEXT)")
    insert = f"INSERT INTO records VALUES ({', '.join([mark] * len(COLUMNS))})"  # noqa: S608
    ids, numbers = IdSource(), count(1)

    def make_row() -> tuple[Any, ...]:
        (record,) = chain_records(_make_decisions(ids, 1), head)
        return astuple(replace(record, sequence=next(numbers)))

    plain = f"INSERT INTO bare VALUES ({mark}, {mark})"  # noqa: S608

    def measure() -> Commit:
        seconds = _time_commits(lambda: connection.execute(plain, (1, TEXT)))
        return Commit(seconds, _time_commits(lambda: connection.execute(insert, make_row())))

    yield measure
    connection.close()
    store.close()


def _sqlite_commits(path: Path) -> AbstractContextManager[Callable[[], Commit]]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return _bare_commits(open_store(f"{SQLITE_PREFIX}{path}"), connection, "?")


def _postgresql_commits(url: str) -> AbstractContextManager[Callable[[], Commit]]:
    return _bare_commits(open_store(url), psycopg.connect(url, autocommit=True), "%s")


def _time_commits(commit: Callable[[], object]) -> float:
    """Seconds of one commit, the median of many."""
    seconds = []
    for _ in range(COMMITS):
        began = time.perf_counter()
        commit()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def _make_decisions(ids: IdSource, rows: int) -> list[Entry]:
    """Decisions about applicants with 23 fields."""
    answer = Answer(
        decision_ids=ids.reserve(rows),
        time=now(),
        model="0" * 64,
        ids=[f"A-{number}" for number in range(rows)],
        inputs=[[float(number) + 0.123456789 for number in range(23)]] * rows,
        probability=[0.123456789] * rows,
        decision=["accept"] * rows,
        points=[600] * rows,
        reasons=4,
    )
    return make_decisions(answer, "benchmark", None)


def _measure_writer(url: str, seconds: float = 5.0) -> float:
    """The share of a core that this process needs to write RATE decisions a second of 23 fields."""
    writer = Writer(url, None)
    writer.connect()
    writer.maintain()
    ids = IdSource()
    began, used, written = time.perf_counter(), time.process_time(), 0
    while (elapsed := time.perf_counter() - began) < seconds:
        if written > elapsed * RATE:
            time.sleep(0.001)
            continue
        writer.write(_make_decisions(ids, RATE_BATCH))
        written += RATE_BATCH
    share = (time.process_time() - used) / seconds
    writer.close()
    if written < 0.98 * RATE * seconds:
        print(f"  only {written / seconds:,.0f} a second were written")
    return share


if __name__ == "__main__":
    main()
