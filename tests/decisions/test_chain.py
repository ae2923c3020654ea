"""Chain: what the commands append, erase and delete is one chain of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from decisions.chain import Chain, describe_process, now
from decisions.record import Entry, Kind, Record, chain_records
from decisions.store import Store, StoreError, open_store
from tests.decisions.samples import MODEL, NOW, assert_whole, ids, make_entries, read_records


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open, migrated database."""
    opened = open_store(url)
    opened.migrate()
    opened.put_model(MODEL, NOW)
    yield opened
    opened.close()


def about(kind: Kind) -> Entry:
    """The entry about an erasure or a deletion."""
    return Entry(ids.reserve(1)[0], kind, now(), "{}")


def test_entries_follow_each_other(store: Store) -> None:
    """Of several calls, in one chain that says which process wrote it."""
    chain = Chain(store)
    written = chain.append(make_entries("a", "b")) + chain.append(make_entries("c"))

    assert read_records(store) == written
    assert assert_whole(written) == store.read_head(written[0].chain)
    assert list(store.query("SELECT writer FROM chains")) == [(describe_process(),)]


def test_an_erasure_and_a_deletion_are_recorded(store: Store) -> None:
    """After what was done before, in the same chain."""
    chain = Chain(store)
    kept = Chain(store).append(make_entries("a", "b"))
    erased, deleted = append_alone(store), append_alone(store)
    chain.erase([erased.id], about("erasure"))
    chain.delete(deleted.chain, 1, about("deletion"))

    records = {record.id: record for record in read_records(store)}
    assert deleted.id not in records
    assert records[erased.id] == replace(erased, applicant=None, payload=None, salt=None)
    assert [records[record.id] for record in kept] == kept
    assert sorted(record.kind for record in records.values() if record.kind != "decision") == ["deletion", "erasure"]


def append_alone(store: Store) -> Record:
    """A record in a chain of its own."""
    (record,) = Chain(store).append(make_entries("x"))
    return record


def test_a_chain_that_another_process_continued_is_an_error(store: Store, url: str) -> None:
    """Nothing is written."""
    chain = Chain(store)
    written = chain.append(make_entries("a"))
    other = open_store(url)
    head = store.read_head(written[0].chain)
    assert head is not None
    intruder = chain_records(make_entries("intruder"), head)
    assert other.append(intruder, head)
    other.close()

    with pytest.raises(StoreError, match="was changed by another process; run the command again"):
        chain.append(make_entries("b"))

    assert read_records(store) == written + intruder
