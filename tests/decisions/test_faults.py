"""Faults under load, with the service as a real process; `make soak` repeats them many times (part `decisions`).

Every answer that a client got is on record exactly once, and nothing else is.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.postgres_server import PostgresServer, find_programs
from tests.soak import databases, decisions
from tests.tools import skip_without


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, is_postgresql: bool) -> str:
    """The DECISIONS_URL of an empty PostgreSQL database, or "" for a SQLite file of the trial."""
    found: str = request.getfixturevalue("postgresql_url") if is_postgresql else ""
    return found


@pytest.fixture(autouse=True)
def short_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """A moment of load before and after each fault."""
    monkeypatch.setattr("tests.soak.trial.LOAD_SECONDS", 0.2)


both_stores = pytest.mark.parametrize("is_postgresql", [False, True], ids=["sqlite", "postgresql"])


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL server that the test may kill."""
    try:
        find_programs()
    except FileNotFoundError:
        skip_without("PostgreSQL server")
    with PostgresServer() as started:
        yield started


@both_stores
def test_a_killed_service_loses_no_answer(content: bytes, empty_url: str) -> None:
    """kill -9 of both workers; another service goes on with the same store."""
    assert decisions.kill_service(content, empty_url, 2, workers=2).faults == []


def test_two_services_record_into_one_store(content: bytes) -> None:
    """Two workers each; SIGTERM under load loses nothing."""
    assert decisions.run_two_services(content, "").faults == []


def test_a_killed_database_loses_no_answer(content: bytes, server: PostgresServer) -> None:
    """503 until it is back, then 200 by itself."""
    assert databases.kill_postgresql(content, server, 1).faults == []


def test_a_spool_bridges_a_killed_database(content: bytes, server: PostgresServer) -> None:
    """200 all the time; what waited in the spool is shipped."""
    assert databases.spool(content, server, 1).faults == []


def test_a_full_disk_refuses_answers(content: bytes) -> None:
    """503 until there is space again."""
    assert databases.fill_disk(content).faults == []


def test_a_clock_that_is_set_back_harms_no_record(content: bytes) -> None:
    """Neither order nor ids."""
    assert decisions.set_clock_back(content, "").faults == []
