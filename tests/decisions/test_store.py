"""Both stores: what is written is read back exactly, all or nothing, and only at the end of its chain."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from decisions.record import Entry, Head, Record, chain_records, find_head, new_chain
from decisions.schema import SCHEMA_VERSION, read_migrations
from decisions.store import InvalidRecords, Store, StoreError, open_store
from tests.decisions.samples import MODEL, NOW, POISON, assert_whole, ids, make_entries, read_records


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open, migrated database that keeps MODEL."""
    opened = open_store(url)
    opened.migrate()
    opened.put_model(MODEL, NOW)
    yield opened
    opened.close()


def open_chain(store: Store) -> Head:
    """The head of a new, registered chain."""
    head = new_chain()
    store.open_chain(head, NOW, "host 1")
    return head


def append(store: Store, *applicants: str | int | None) -> list[Record]:
    """Append decisions to a new chain."""
    head = open_chain(store)
    records = chain_records(make_entries(*applicants), head)
    assert store.append(records, head)
    return records


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 127, 200])
def test_records_are_read_as_they_were_written(store: Store, url: str, count: int) -> None:
    """Any number of them, by another connection."""
    written = append(store, *range(count))
    other = open_store(url, create=False)

    assert read_records(other) == written
    assert other.read_head(written[0].chain) == find_head(written)
    other.close()


def test_values_are_kept_exactly(store: Store) -> None:
    """Ids of any kind in one batch, extreme probabilities, and what is None."""
    entries = make_entries(*POISON)
    extreme = [5e-324, 0.1 + 0.2, 1.0, 0.0, 1 - 2**-53]
    entries[:5] = [replace(entry, probability=value) for entry, value in zip(entries[:5], extreme, strict=True)]
    entries += [Entry(ids.reserve(1)[0], "deletion", NOW, "{}")]
    head = open_chain(store)
    records = chain_records(entries, head)
    store.append(records, head)

    read = read_records(store)

    assert read == records
    assert [repr(record.probability) for record in read[:5]] == [repr(value) for value in extreme]
    assert assert_whole(read) == store.read_head(head.chain)


def test_the_view_of_decisions_shows_every_applicant(store: Store) -> None:
    """With the inputs by field name, a category as its level; whatever the ids are."""
    append(store, *POISON)

    rows = list(store.query("SELECT applicant, inputs, is_erased, model_name FROM decisions ORDER BY points DESC"))

    assert len(rows) == len(POISON)
    for number, (_, inputs, is_erased, name) in enumerate(rows):
        read = json.loads(inputs) if isinstance(inputs, str) else inputs
        assert read == {"Amount": number + 0.1, "Home": ["own", "rent"][number % 2]}
        assert (bool(is_erased), name) == (False, "test")


def test_the_view_of_decisions_shows_missing_values(store: Store) -> None:
    """As null, of a number and of a category."""
    (entry,) = make_entries("a")
    head = open_chain(store)
    store.append(chain_records([replace(entry, payload='{"id":"a","inputs":[null,null]}')], head), head)

    ((inputs,),) = store.query("SELECT inputs FROM decisions")

    assert (json.loads(inputs) if isinstance(inputs, str) else inputs) == {"Amount": None, "Home": None}


def test_the_views_of_reviews_and_outcomes_can_be_read(store: Store) -> None:
    """Also with a character that JSON of PostgreSQL refuses."""
    note = {"who": "J. Officer", "reason": "a\0b", "note": "é😀\0"}
    outcome = {"date": "2026-03-05", "defaulted": True, "amount_lost": 12.5}
    (decision,) = append(store, "a")
    entries = [
        Entry(ids.reserve(1)[0], "review", NOW, json.dumps(note), subject=decision.id, decision="accept"),
        Entry(ids.reserve(1)[0], "outcome", NOW, json.dumps(outcome), subject=decision.id),
    ]
    head = open_chain(store)
    store.append(chain_records(entries, head), head)

    reviews = list(store.query("SELECT decision_id, final_decision, who, reason, note FROM reviews"))
    outcomes = list(store.query("SELECT decision_id, date, defaulted, amount_lost FROM outcomes"))

    assert reviews == [(decision.id, "accept", "J. Officer", "a\ufffdb", "é😀\ufffd")]
    ((decision_id, date, defaulted, lost),) = outcomes
    assert (decision_id, str(date), bool(defaulted), lost) == (decision.id, "2026-03-05", True, 12.5)


def test_the_time_of_a_view_is_that_of_the_record(store: Store) -> None:
    """In UTC; to the millisecond at least."""
    append(store, "a")

    ((time,),) = store.query("SELECT time FROM decisions")

    assert (time if isinstance(time, str) else time.isoformat()).replace("+00:00", "Z")[:19] == "2026-05-28T20:26:40"


def test_records_are_taken_only_at_the_end_of_their_chain(store: Store) -> None:
    """Twice, before or behind it, or after another record: nothing is written."""
    written = append(store, "a", "b")
    head = find_head(written)
    start = new_chain()
    late = chain_records(make_entries("c"), head)
    wrong = [replace(head, sequence=1), replace(head, hash=b"x"), replace(head, chain=start.chain), start]

    assert [store.append(late, one) for one in wrong] == [False] * 4
    assert read_records(store) == written
    assert store.append(late, head)
    assert not store.append(late, head)
    assert read_records(store) == written + late


def test_refused_records_are_written_not_even_in_part(store: Store) -> None:
    """An id that is on record already: InvalidRecords; the connection and the chain go on."""
    written = append(store, "a")
    head = open_chain(store)
    twice = [*make_entries("b"), replace(make_entries("c")[0], id=written[0].id)]

    with pytest.raises(InvalidRecords, match="refuses the records"):
        store.append(chain_records(twice, head), head)

    assert read_records(store) == written
    assert store.read_head(head.chain) == head
    assert store.append(chain_records(make_entries("d"), head), head)


def test_no_message_has_a_value_of_an_applicant(store: Store) -> None:
    """Although the database would quote it."""
    head = open_chain(store)
    entry = replace(make_entries("SECRET")[0], applicant="SECRET\0", payload="SECRET", points=2**40)
    written = append(store, "a")

    with pytest.raises(InvalidRecords) as caught:
        store.append(chain_records([replace(entry, id=written[0].id)], head), head)

    assert "SECRET" not in str(caught.value)


def test_an_erasure_takes_personal_data_away(store: Store) -> None:
    """Of these records only, with the record about it; all hashes stay, and the view says so."""
    written = append(store, "a", "b", "c")
    head = open_chain(store)
    about = chain_records([Entry(ids.reserve(1)[0], "erasure", NOW, "{}")], head)

    assert not store.erase([written[0].id], about, replace(head, sequence=5))
    assert store.erase([written[0].id, written[2].id], about, head)

    erased = [replace(record, applicant=None, payload=None, salt=None) for record in written]
    expected = {record.id: record for record in (erased[0], written[1], erased[2], *about)}
    assert {record.id: record for record in read_records(store)} == expected
    rows = store.query("SELECT inputs IS NULL, is_erased FROM decisions ORDER BY points DESC")
    assert [(bool(is_null), bool(is_erased)) for is_null, is_erased in rows] == [
        (True, True),
        (False, False),
        (True, True),
    ]


def test_a_deletion_removes_the_beginning_of_a_chain(store: Store) -> None:
    """And no other chain's, with the record about it."""
    written, other = append(store, "a", "b", "c"), append(store, "d")
    head = open_chain(store)
    about = chain_records([Entry(ids.reserve(1)[0], "deletion", NOW, "{}")], head)

    assert not store.delete(written[0].chain, 2, about, replace(head, sequence=5))
    assert store.delete(written[0].chain, 2, about, head)

    assert {record.id for record in read_records(store)} == {written[2].id, other[0].id, about[0].id}
    assert store.read_head(written[0].chain) == find_head(written)


def test_a_model_file_is_kept_once(store: Store) -> None:
    """The first of its hash stays."""
    store.put_model(replace(MODEL, version="other"), NOW + 1)

    rows = list(store.query("SELECT sha256, name, version, fields, content, first_used FROM models"))

    assert rows == [(MODEL.sha256, MODEL.name, MODEL.version, MODEL.fields, MODEL.content, NOW)]


def test_a_chain_is_registered_once(store: Store) -> None:
    """Registering it again changes nothing; others are unknown."""
    (record,) = append(store, "a")
    store.open_chain(Head(record.chain, 0, b""), NOW, "other")

    assert store.read_head(record.chain) == find_head([record])
    assert store.read_head(record.chain ^ 1) is None


def test_queries_have_named_parameters(store: Store) -> None:
    """Also beside casts, percent signs and texts."""
    append(store, *range(2_500))
    sql = "SELECT applicant FROM records WHERE CAST(points AS TEXT) LIKE '59%' AND reasons = :reasons AND id > :id"

    found = [applicant for (applicant,) in store.query(sql, {"reasons": 4, "id": ""})]

    assert found[:10] == [str(number) for number in range(1, 11)]
    assert len(list(store.query("SELECT id FROM records"))) == 2_500


def test_a_wrong_query_is_a_store_error(store: Store) -> None:
    with pytest.raises(StoreError, match="no_such_table"):
        list(store.query("SELECT * FROM no_such_table"))


def test_migrating_again_changes_nothing(store: Store, url: str) -> None:
    """Neither in this process nor in another."""
    written = append(store, "a")
    store.migrate()
    other = open_store(url)
    other.migrate()

    assert read_records(other) == written
    other.close()


def test_several_processes_may_migrate_at_once(url: str) -> None:
    """All succeed, and the schema is there once."""
    faults: list[Exception] = []

    def migrate() -> None:
        try:
            opened = open_store(url)
            opened.migrate()
            opened.close()
        except StoreError as error:
            faults.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []
    opened = open_store(url)
    append(opened, "a")
    opened.close()


def test_an_interrupted_migration_leaves_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that fails, as the last of many; the next start migrates."""

    def break_off(dialect: str, version: int) -> Iterator[tuple[int, list[str]]]:
        for number, statements in read_migrations(dialect, version):
            yield number, [*statements, "SELECT * FROM no_such_table"]

    for name in ("sqlite", "postgresql"):
        monkeypatch.setattr(f"decisions.{name}.read_migrations", break_off)
    opened = open_store(url)
    with pytest.raises(StoreError, match="no_such_table"):
        opened.migrate()
    opened.close()
    monkeypatch.undo()
    opened = open_store(url)
    with pytest.raises(StoreError, match="records"):
        list(opened.query("SELECT * FROM records"))
    opened.close()

    opened = open_store(url)
    opened.migrate()
    append(opened, "a")
    opened.close()


def test_a_newer_schema_is_refused(store: Store, url: str) -> None:
    """The message says what to run."""
    raise_version(store, SCHEMA_VERSION + 1)
    opened = open_store(url)

    with pytest.raises(StoreError, match=f"schema version {SCHEMA_VERSION + 1}, expected at most {SCHEMA_VERSION}"):
        opened.migrate()
    opened.close()


def raise_version(store: Store, version: int) -> None:
    """Let the database have another schema version."""
    connection: Any = store._connection  # type: ignore[attr-defined]
    if type(store).__name__ == "SqliteStore":
        connection.execute(f"PRAGMA user_version = {version}")
    else:
        connection.execute("INSERT INTO schema_version VALUES (%s)", (version,))


def test_an_interrupted_call_raises_soon(store: Store) -> None:
    """From another thread; a closed store may be interrupted too."""
    sql = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    timer = threading.Timer(0.2, store.interrupt)
    timer.start()

    with pytest.raises(StoreError, match="can't be used"):
        list(store.query(sql))

    timer.join()
    store.close()
    store.interrupt()
