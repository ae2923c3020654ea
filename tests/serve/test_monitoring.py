"""Counting in the background: until nothing is new, again after a fault, and without a request that waits for it."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from benchmarks.decisions_store import fill
from decisions.chain import now
from decisions.store import StoreError, TallyKey, open_store
from model.session import Model
from monitor.summary import Monitor
from monitor.tally import DAY, LATENCY_BOUNDS, REQUESTS, SLOT, add_counts, write_counts
from serve import monitoring
from serve.metrics.recorder import Metrics
from serve.monitoring import Monitored, Monitoring, tally_requests
from tests.serve.running import wait_until

COUNT = 1_200
"""Decisions on record: more than one portion."""

HOUR = timedelta(hours=1) // timedelta(microseconds=1)


Start = Callable[[str], AbstractContextManager[tuple[Monitoring, Metrics]]]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, content: bytes) -> str:
    """The DECISIONS_URL of a database with decisions of the last hour."""
    empty = f"sqlite:///{tmp_path}/decisions.db"
    if request.param == "postgresql":
        empty = request.getfixturevalue("postgresql_url")
    with closing(open_store(empty)) as store:
        fill(store, content, COUNT, start=now() - HOUR // 2)
    return empty


@pytest.fixture
def start(model: Model, monkeypatch: pytest.MonkeyPatch) -> Start:
    """A function that counts in a database during a block, without pauses."""
    monkeypatch.setattr(monitoring, "COUNT_SECONDS", 0.02)
    monkeypatch.setattr(monitoring, "METRICS_SECONDS", 0.0)

    @contextmanager
    def run(url: str) -> Iterator[tuple[Monitoring, Metrics]]:
        metrics = Metrics()
        counting = Monitoring(url, metrics, lambda: Monitored(model, None))
        counting.start()
        yield counting, metrics
        counting.stop()

    return run


@contextmanager
def read_only(url: str) -> Iterator[None]:
    """Keep a database from being written to during a block."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    with psycopg.connect(url, autocommit=True) as other:
        name = sql.Identifier(other.info.dbname)
        other.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
        yield
        other.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))


def counted(metrics: Metrics) -> int:
    """The records that the last summary has counted."""
    return 0 if metrics.monitor is None else metrics.monitor.counted


def read(counting: Monitoring, url: str) -> Monitor:
    """A summary, by a connection of its own."""
    with closing(open_store(url, create=False)) as store:
        return counting.read(store)


def test_all_that_is_on_record_is_counted(start: Start, url: str, content: bytes) -> None:
    """And what is recorded later."""
    with start(url) as (_, metrics):
        wait_until(lambda: counted(metrics) == COUNT)
        with closing(open_store(url)) as store:
            fill(store, content, 3)
        wait_until(lambda: counted(metrics) == COUNT + 3)

        assert metrics.monitor is not None
        assert (metrics.monitor.waiting, metrics.monitor.windows[0].decisions) == (0, COUNT + 3)


def test_two_processes_count_each_record_once(start: Start, url: str) -> None:
    """Whoever is first."""
    with start(url) as (_, one), start(url) as (_, other):
        wait_until(lambda: counted(one) == counted(other) == COUNT)

        assert one.monitor is not None
        assert one.monitor.windows[0].decisions == COUNT


def test_a_summary_counts_what_is_new_by_itself(model: Model, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the thread gets to it, for a moment; `waiting` says how many are left."""
    counting = Monitoring(url, Metrics(), lambda: Monitored(model, None))
    monkeypatch.setattr(monitoring, "CATCH_UP_SECONDS", 0.0)
    before = read(counting, url)
    monkeypatch.setattr(monitoring, "CATCH_UP_SECONDS", 30.0)
    after = read(counting, url)

    assert [(one.counted, one.waiting) for one in (before, after)] == [(0, COUNT), (COUNT, 0)]


def test_latencies_and_errors_of_requests_are_kept(start: Start, url: str) -> None:
    """Those that came last are added when the service stops."""
    with start(url) as (counting, metrics):
        counting.add_requests([(200, 0.0015)] * 3)
        wait_until(lambda: metrics.monitor is not None and metrics.monitor.days[-1].latency_p50 is not None)
        counting.add_requests([(503, 0.0015)])

    today = read(counting, url).days[-1]

    assert today.errors == 1
    assert today.latency_p50 == pytest.approx(0.0015)


def test_old_slots_of_requests_are_dropped(start: Start, tmp_path: Path) -> None:
    """Also where nothing is decided; days are kept."""
    url, old = f"sqlite:///{tmp_path}/empty.db", int(time.time()) // DAY * DAY - 20 * DAY
    counts = write_counts(tally_requests([(200, 0.001)]))
    with closing(open_store(url)) as store:
        store.migrate()
        store.add_tallies({}, {TallyKey(REQUESTS, width, old): counts for width in (SLOT, DAY)}, add_counts)
        with start(url) as (counting, _):
            counting.add_requests([(200, 0.001)])

        kept = list(store.query("SELECT width, start > :old FROM tallies ORDER BY width, start", {"old": old}))

    assert kept == [(SLOT, True), (DAY, False), (DAY, True)]


def test_a_database_that_is_away_is_logged_once_and_counted_when_it_is_back(
    start: Start, tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """However often it was tried."""
    caplog.set_level(logging.INFO, "credit")
    url, later = f"sqlite:///{tmp_path}/decisions.db", f"sqlite:///{tmp_path}/later.db"
    with closing(open_store(later)) as store:
        fill(store, content, 5)
    with start(url) as (counting, metrics):
        wait_until(lambda: bool(caplog.messages))
        for _ in range(10):
            counting.add_requests([(200, 0.001), (500, 0.001)])
        (tmp_path / "later.db").rename(tmp_path / "decisions.db")
        wait_until(lambda: counted(metrics) == 5)

    assert [message.split(":")[0] for message in caplog.messages] == [
        "decisions can't be monitored, trying again",
        "decisions are monitored",
    ]
    assert read(counting, url).days[-1].errors == 10


def test_a_summary_can_be_read_where_nothing_can_be_counted(
    start: Start, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As in a copy that can only be read; it is counted when it can be written to."""
    with read_only(url), start(url) as (counting, _):
        wait_until(lambda: bool(caplog.messages))
        assert read(counting, url).waiting == COUNT
    with start(url) as (_, metrics):
        wait_until(lambda: counted(metrics) == COUNT)


def test_a_fault_while_a_summary_is_read_is_reported(model: Model, url: str) -> None:
    """The next one is read without counting."""
    counting = Monitoring(url, Metrics(), lambda: Monitored(model, None))
    with closing(open_store(url, create=False)) as store:
        store.interrupt()
        store.close()
        with pytest.raises(StoreError):
            counting.read(store)

    assert read(counting, url).waiting == COUNT


@given(st.lists(st.tuples(st.sampled_from([200, 400, 499, 500, 503]), st.floats(0, 20)), min_size=1))
def test_requests_are_counted_by_latency_and_error(requests: list[tuple[int, float]]) -> None:
    """A bound belongs to its bucket, as in Prometheus."""
    *latencies, errors = tally_requests(requests).tolist()

    bounds = [-1.0, *LATENCY_BOUNDS, float("inf")]
    expected = [sum(low < seconds <= high for _, seconds in requests) for low, high in pairwise(bounds)]
    assert (latencies, errors) == (expected, sum(status >= 500 for status, _ in requests))
