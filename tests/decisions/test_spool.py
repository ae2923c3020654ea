"""Spool: records that wait on the local disk, and reach the database in order and once."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from decisions.record import Head, Record, chain_records, find_head, new_chain
from decisions.spool import SHIPPED_AT_ONCE, Spool
from decisions.store import Store, StoreError, open_store
from tests.decisions.samples import MODEL, NOW, POISON, assert_whole, make_entries, read_records


@pytest.fixture
def target(url: str) -> Iterator[Store]:
    """The database that is back."""
    store = open_store(url)
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """DECISIONS_SPOOL, which doesn't exist yet."""
    return tmp_path / "a" / "spool"


def put(spool: Spool, head: Head, count: int) -> list[Record]:
    """Spool records that follow a head."""
    records = chain_records(make_entries(*range(count)), head)
    spool.append(records, head, [MODEL])
    return records


def ship_all(spool: Spool, target: Store) -> None:
    """Ship until nothing is left."""
    while not spool.ship(target):
        pass


def test_records_are_shipped_in_order(folder: Path, target: Store) -> None:
    """With model file and chain; then the spool is empty, and its file goes with the process."""
    spool = Spool(folder)
    first = put(spool, new_chain(), 3)
    rest = put(spool, find_head(first), SHIPPED_AT_ONCE + 5)
    assert spool.count == len(first + rest)

    ship_all(spool, target)

    assert read_records(target) == first + rest
    assert target.read_head(first[0].chain) == find_head(rest)
    assert [version for (version,) in target.query("SELECT version FROM models")] == ["1"]
    assert spool.count == 0
    spool.close()
    assert list(folder.iterdir()) == []


def test_every_value_reaches_the_database(folder: Path, target: Store) -> None:
    """Whatever ids a spool takes, the database takes too."""
    spool, head = Spool(folder), new_chain()
    records = chain_records(make_entries(*POISON), head)
    spool.append(records, head, [MODEL])

    ship_all(spool, target)

    assert read_records(target) == records
    spool.close()


def test_a_spool_is_used_again(folder: Path, target: Store) -> None:
    """After records went to the database directly, and in the chain of another outage."""
    spool, head = Spool(folder), new_chain()
    expected = []
    for _ in range(3):
        spooled = put(spool, head, 2)
        ship_all(spool, target)
        head = find_head(spooled)
        direct = chain_records(make_entries("direct"), head)
        assert target.append(direct, head)
        head = find_head(direct)
        expected += spooled + direct

    assert read_records(target) == expected
    assert_whole(expected)
    spool.close()


def test_what_the_database_has_already_is_not_shipped_again(folder: Path, target: Store) -> None:
    """It had committed the first records, whose answer was lost."""
    target.put_model(MODEL, NOW)
    spool, head = Spool(folder), new_chain()
    target.open_chain(head, NOW, "host 1")
    records = put(spool, head, 3)
    assert target.append(records[:2], head)

    ship_all(spool, target)

    assert read_records(target) == records
    spool.close()


class Breaking:
    """A database whose connection is lost after this many appends, the last of which it commits."""

    def __init__(self, store: Store, appends: int) -> None:
        self._store, self._left = store, appends

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def append(self, records: Sequence[Record], before: Head) -> bool:
        """Append, and lose the connection."""
        self._left -= 1
        is_written = self._store.append(records, before)
        if not self._left:
            raise StoreError("the connection was lost")
        return is_written


@pytest.mark.parametrize("appends", [1, 2, 3])
def test_shipping_goes_on_after_a_lost_connection(folder: Path, target: Store, appends: int) -> None:
    """Whichever portion was the last; what comes meanwhile follows."""
    spool = Spool(folder)
    records = put(spool, new_chain(), 2 * SHIPPED_AT_ONCE + 1)
    with pytest.raises(StoreError, match="lost"):
        ship_all(spool, Breaking(target, appends))  # type: ignore[arg-type]
    assert spool.count > 0
    records += put(spool, find_head(records), 1)

    ship_all(spool, target)

    assert read_records(target) == records
    assert spool.count == 0
    spool.close()


def test_shipping_pauses_so_that_requests_do_not_wait(
    folder: Path, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call ships something."""
    monkeypatch.setattr("decisions.spool.SHIP_SECONDS", 0.0)
    spool = Spool(folder)
    records = put(spool, new_chain(), 3 * SHIPPED_AT_ONCE)

    left = []
    while not spool.ship(target):
        left.append(spool.count)

    assert left == [2 * SHIPPED_AT_ONCE, SHIPPED_AT_ONCE]
    assert read_records(target) == records
    spool.close()


def test_a_full_disk_does_not_hold_up_shipping(
    folder: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has to be written to the local disk for it, and the file is removed."""
    monkeypatch.setattr("decisions.spool.SHIP_SECONDS", 0.0)
    target = open_store(postgresql_url)
    target.migrate()
    spool = Spool(folder)
    records = put(spool, new_chain(), SHIPPED_AT_ONCE + 1)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limit[1]))
    try:
        ship_all(spool, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    assert read_records(target) == records
    assert list(folder.iterdir()) == []
    target.close()


def test_the_spool_of_a_dead_process_is_shipped_by_another(
    folder: Path, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But not that of a living one; also in several portions."""
    monkeypatch.setattr("decisions.spool.SHIP_SECONDS", 0.0)
    dead, living = Spool(folder), Spool(folder)
    records = put(dead, new_chain(), SHIPPED_AT_ONCE + 1)
    put(living, new_chain(), 1)
    dead.close()
    assert len(list(folder.glob("*.db"))) == 2

    ship_all(Spool(folder), target)

    assert read_records(target) == records
    assert len(list(folder.glob("*.db"))) == 1
    living.close()


def test_a_spool_that_another_process_has_shipped_is_no_error(folder: Path, target: Store) -> None:
    """Its file was there when this process looked, and is gone when it has the lock."""
    dead = Spool(folder)
    put(dead, new_chain(), 1)
    dead.close()
    (path,) = folder.glob("*.db")
    path.unlink()
    path.symlink_to("gone")

    ship_all(Spool(folder), target)

    assert read_records(target) == []
    assert not path.is_symlink()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path, folder: Path, target: Store) -> None:
    """It names the setting; once it can be made, the same spool works."""
    (tmp_path / "a").write_text("a file")
    spool, head = Spool(folder), new_chain()
    with pytest.raises(StoreError, match="DECISIONS_SPOOL"):
        put(spool, head, 1)
    assert spool.ship(target)
    (tmp_path / "a").unlink()

    records = put(spool, head, 1)
    ship_all(spool, target)

    assert read_records(target) == records
    spool.close()


def test_a_spool_that_fails_to_open_is_opened_again(
    folder: Path, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as on a disk that was full."""
    spool, head = Spool(folder), new_chain()
    with monkeypatch.context() as patch:
        patch.setattr("decisions.sqlite.read_migrations", lambda *_: [(1, ["SELECT * FROM no_such_table"])])
        with pytest.raises(StoreError, match="no_such_table"):
            put(spool, head, 1)

    records = put(spool, head, 1)
    ship_all(spool, target)

    assert read_records(target) == records
    spool.close()


def test_a_database_that_lost_records_takes_none_of_their_successors(folder: Path, target: Store) -> None:
    """A chain with a gap would hide the loss; the spool keeps its records."""
    spool = Spool(folder)
    records = chain_records(make_entries("a", "b"), new_chain())
    spool.append(records[1:], find_head(records[:1]), [MODEL])

    with pytest.raises(StoreError, match="the database has lost records"):
        ship_all(spool, target)

    assert spool.count == 1
    assert read_records(target) == []
    spool.close()


def test_records_are_kept_where_the_database_has_others(folder: Path, target: Store) -> None:
    """In the same places of the chain: nothing is thrown away."""
    target.put_model(MODEL, NOW)
    spool, head = Spool(folder), new_chain()
    put(spool, head, 1)
    target.open_chain(head, NOW, "host 1")
    assert target.append(chain_records(make_entries("other"), head), head)

    with pytest.raises(StoreError, match="the database has other records"):
        ship_all(spool, target)

    assert spool.count == 1
    spool.close()


def test_a_damaged_spool_keeps_no_other_from_being_shipped(
    folder: Path, target: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """It stays where it is, and the log says so once."""
    folder.mkdir(parents=True)
    damaged = folder / "0.db"
    damaged.write_bytes(b"no database" * 1_000)
    dead, spool = Spool(folder), Spool(folder)
    records = put(dead, new_chain(), 1)
    dead.close()

    for _ in range(3):
        ship_all(spool, target)

    assert read_records(target) == records
    assert [message.partition(":")[0] for message in caplog.messages] == [
        f"the spool {damaged} can't be shipped, and is kept"
    ]
    assert damaged.is_file()


def test_a_lost_database_is_no_fault_of_an_abandoned_spool(folder: Path, target: Store, url: str) -> None:
    """It is shipped when the database is back."""
    dead, spool = Spool(folder), Spool(folder)
    records = put(dead, new_chain(), 1)
    dead.close()
    lost = open_store(url)
    lost.close()
    with pytest.raises(StoreError):
        ship_all(spool, lost)

    ship_all(spool, target)

    assert read_records(target) == records


def test_spooled_records_are_synchronised_to_disk(folder: Path) -> None:
    """In write-ahead mode, readable by any SQLite."""
    spool = Spool(folder)
    put(spool, new_chain(), 2)
    (path,) = folder.glob("*.db")
    connection = sqlite3.connect(path)

    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("SELECT count(*) FROM decisions").fetchone() == (2,)
    connection.close()
    spool.close()
