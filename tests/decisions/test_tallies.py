"""The tables of counts, in both stores: one transaction for the position and the counts, and an older database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from decisions.chain import Chain, now
from decisions.record import Record
from decisions.retention import erase, find_old, prune
from decisions.schema import SCHEMA_VERSION, read_migrations
from decisions.store import RECOUNTS, Store, StoreError, TallyKey, open_store
from decisions.verify import verify
from tests.decisions.samples import MODEL, NOW, make_entries, read_records

KEY, REQUESTS = TallyKey("decisions a", 600, 1_200), TallyKey("requests", 600, 1_200)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open, migrated database with three decisions."""
    with closing(open_store(url)) as opened:
        opened.migrate()
        opened.put_model(MODEL, NOW)
        Chain(opened).append(make_entries("a", "b", "c"))
        yield opened


def join(one: bytes, other: bytes) -> bytes:
    """Counts that show what was added to what."""
    return one + b"+" + other


def read_tallies(store: Store) -> dict[TallyKey, bytes]:
    """All counts."""
    return {TallyKey(*key): counts for *key, counts in store.query("SELECT series, width, start, counts FROM tallies")}


def read_tallied(store: Store) -> dict[int, int]:
    """Up to which record each chain is counted."""
    return dict(store.query("SELECT chain, sequence FROM tallied"))


def test_counts_are_added_to_those_that_are_there(store: Store) -> None:
    """A row that isn't there yet is written; others stay."""
    other = TallyKey("decisions a", 600, 1_800)

    assert store.add_tallies({1: (0, 3)}, {KEY: b"1"}, join)
    assert store.add_tallies({1: (3, 5), 2: (0, 1)}, {KEY: b"2", other: b"3"}, join)
    assert store.add_tallies({}, {}, join)

    assert read_tallies(store) == {KEY: b"1+2", other: b"3"}
    assert read_tallied(store) == {1: 5, 2: 1}


@pytest.mark.parametrize("moved", [{1: (0, 5)}, {1: (2, 5)}, {1: (3, 5), 2: (1, 2)}])
def test_nothing_is_written_if_another_has_counted(store: Store, moved: dict[int, tuple[int, int]]) -> None:
    """Whichever chain isn't counted up to where it was."""
    store.add_tallies({1: (0, 3)}, {KEY: b"1"}, join)

    assert not store.add_tallies(moved, {KEY: b"2"}, join)

    assert read_tallies(store) == {KEY: b"1"}
    assert read_tallied(store) == {1: 3}


def test_a_sum_that_fails_leaves_everything(store: Store) -> None:
    """Counts and positions."""
    store.add_tallies({1: (0, 3)}, {KEY: b"1"}, join)

    def fail(one: bytes, other: bytes) -> bytes:
        raise StoreError("damaged")

    with pytest.raises(StoreError, match="damaged"):
        store.add_tallies({1: (3, 5)}, {KEY: b"2"}, fail)

    assert read_tallies(store) == {KEY: b"1"}
    assert read_tallied(store) == {1: 3}


def test_old_tallies_are_deleted_by_width(store: Store) -> None:
    """Those of other widths stay."""
    keys = [TallyKey("a", width, start) for width in (600, 86_400) for start in (0, 600, 1_200)]
    store.add_tallies({}, dict.fromkeys(keys, b"1"), join)

    store.add_tallies({}, {}, join, {600: 600})

    assert set(read_tallies(store)) == set(keys[1:])


def erase_first(store: Store) -> None:
    erase(store, read_records(store)[:1])


def prune_all(store: Store) -> None:
    prune(store, find_old(store, now()))


@pytest.mark.parametrize("change", [erase_first, prune_all])
def test_after_an_erasure_or_a_deletion_all_is_counted_again(store: Store, change: object) -> None:
    """Only the requests stay, which are no records. A counter that has read before it can't add what it has read."""
    assert callable(change)
    store.add_tallies({1: (0, 3), RECOUNTS: (0, 0)}, {KEY: b"1", REQUESTS: b"2"}, join)

    change(store)

    assert read_tallies(store) == {REQUESTS: b"2"}
    assert read_tallied(store) == {RECOUNTS: 1}
    assert not store.add_tallies({1: (0, 3), RECOUNTS: (0, 0)}, {KEY: b"1"}, join)
    assert store.add_tallies({1: (0, 3), RECOUNTS: (1, 1)}, {KEY: b"1"}, join)


def test_counters_at_once_lose_nothing(store: Store, url: str) -> None:
    """Each of four connections adds twenty times, as others do and while records are written."""
    faults: list[StoreError] = []

    def count() -> None:
        with closing(open_store(url)) as opened:
            try:
                for _ in range(20):
                    opened.add_tallies({}, {KEY: b"\x01"}, lambda one, other: bytes([one[0] + other[0]]))
            except StoreError as error:
                faults.append(error)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    chain = Chain(store)
    for _ in range(20):
        chain.append(make_entries("d"))
    for thread in threads:
        thread.join()

    assert faults == []
    assert read_tallies(store) == {KEY: bytes([80])}


def test_a_database_of_version_1_is_migrated_with_its_records(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They stay as they are, and can be counted."""
    written = make_version_1(url, monkeypatch)
    with closing(open_store(url)) as store:
        assert store.read_version() == 1

        store.migrate()

        assert store.read_version() == SCHEMA_VERSION
        assert read_records(store) == written
        assert [fault for fault in verify(store, None, lambda _: None).faults if "model file" not in fault] == []
        assert store.add_tallies({written[0].chain: (0, 2)}, {KEY: b"1"}, join)


def make_version_1(url: str, monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """A database as version 1 of the schema made it, with two decisions."""

    def read_first(dialect: str, version: int) -> Iterator[tuple[int, list[str]]]:
        return ((number, script) for number, script in read_migrations(dialect, version) if number == 1)

    with monkeypatch.context() as patched, closing(open_store(url)) as store:
        for name in ("sqlite", "postgresql"):
            patched.setattr(f"decisions.{name}.read_migrations", read_first)
        store.migrate()
        store.put_model(MODEL, NOW)
        return Chain(store).append(make_entries("a", "b"))
