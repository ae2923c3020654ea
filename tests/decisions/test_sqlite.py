"""SQLite: what the tests of both stores can't show."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from decisions.record import chain_records, find_head, new_chain
from decisions.sqlite import SqliteStore
from decisions.store import InvalidRecords, StoreError
from tests.decisions.samples import MODEL, NOW, make_entries, read_records
from tests.serve.running import ROOT

BREAK_OFF = """
import os, signal, sys
from pathlib import Path
from decisions import sqlite
from decisions.schema import read_migrations

def break_off(dialect, version):
    for number, statements in read_migrations(dialect, version):
        yield number, Killing(statements)

class Killing(list):
    def __iter__(self):
        for count, statement in enumerate(super().__iter__()):
            if count == int(sys.argv[2]):
                os.kill(os.getpid(), signal.SIGKILL)
            yield statement

sqlite.read_migrations = break_off
sqlite.SqliteStore(Path(sys.argv[1]), create=True).migrate()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a database."""
    return tmp_path / "decisions.db"


def open_migrated(path: Path) -> SqliteStore:
    """A store with its schema and MODEL."""
    store = SqliteStore(path, create=True)
    store.migrate()
    store.put_model(MODEL, NOW)
    return store


@pytest.mark.parametrize("statements", [0, 1, 5])
def test_a_killed_migration_leaves_nothing(path: Path, statements: int) -> None:
    """After so many of its statements; the next start migrates."""
    command = [sys.executable, "-c", BREAK_OFF, str(path), str(statements)]
    killed = subprocess.run(command, cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()

    store = open_migrated(path)

    assert read_records(store) == []
    store.close()


def test_commits_are_synchronised(path: Path) -> None:
    """synchronous = FULL (2); NORMAL would lose the last ones when the machine loses power."""
    store = open_migrated(path)

    assert list(store.query("PRAGMA synchronous")) == [(2,)]
    assert list(store.query("PRAGMA journal_mode")) == [("wal",)]
    store.close()


def test_a_busy_database_is_a_store_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After waiting for the other process."""
    monkeypatch.setattr("decisions.sqlite.BUSY_SECONDS", 0.1)
    store = open_migrated(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    head = new_chain()

    with pytest.raises(StoreError, match="database is locked") as caught:
        store.append(chain_records(make_entries("a"), head), head)

    assert not isinstance(caught.value, InvalidRecords)
    other.close()
    store.close()


def test_a_full_disk_writes_nothing_of_a_transaction(path: Path) -> None:
    """The same records are written once there is space."""
    store, head = open_migrated(path), new_chain()
    store.open_chain(head, NOW, "host 1")
    first = chain_records(make_entries("a"), head)
    store.append(first, head)
    many = chain_records(make_entries(*range(5_000)), find_head(first))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = max(file.stat().st_size for file in path.parent.glob("decisions.db*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, limit[1]))
    try:
        with pytest.raises(StoreError, match="can't be used") as caught:
            store.append(many, find_head(first))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    store.close()

    assert not isinstance(caught.value, InvalidRecords)
    store = open_migrated(path)
    assert read_records(store) == first
    assert store.append(many, find_head(first))
    assert read_records(store) == first + many
    store.close()


def test_a_missing_file_is_an_error_for_readers(path: Path) -> None:
    """It isn't created."""
    with pytest.raises(StoreError, match="expected the database of the service"):
        SqliteStore(path, create=False)

    assert not path.exists()


@pytest.mark.parametrize("make", ["folder", "garbage", "no folder"])
def test_a_path_that_is_no_database_is_an_error(path: Path, make: str) -> None:
    """The message names it."""
    if make == "folder":
        path.mkdir()
    elif make == "garbage":
        path.write_bytes(os.urandom(8_192))
    else:
        path = path / "decisions.db"

    with pytest.raises(StoreError, match=r"decisions\.db( can't be used|, expected a file in a folder)"):
        open_migrated(path)


def test_a_record_that_breaks_the_schema_is_refused(path: Path) -> None:
    """By its constraints, not by the connection."""
    store, head = open_migrated(path), new_chain()
    store.open_chain(head, NOW, "host 1")
    (entry,) = make_entries("a")
    unstorable = [replace(entry, applicant="\ud800"), replace(entry, time=None)]

    for one in unstorable:
        with pytest.raises(InvalidRecords, match="refuses the records"):
            store.append(chain_records([one], head), head)

    assert read_records(store) == []
    store.close()
