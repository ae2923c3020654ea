"""Whatever is recorded, erased and deleted leaves the chains whole; whatever else is done to a record is found."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from decisions.chain import Chain
from decisions.outcomes import Outcome, make_review, prepare_outcomes
from decisions.reading import find_case, find_records_of, write_time
from decisions.record import COLUMNS, Entry, Head, Record, chain_records, find_head, make_decisions, start_head
from decisions.retention import erase, find_old, prune
from decisions.store import Store, open_store
from decisions.verify import Seal, make_seal, verify
from tests.decisions.filled import COUNT, fill_url, find_faults, read_url, tamper
from tests.decisions.samples import MODEL, NOW, make_answer, read_records

HOUR = 3_600_000_000


@pytest.fixture
def store(url: str, content: bytes) -> Iterator[Store]:
    """An open database with COUNT decisions of the small model, in one chain."""
    fill_url(url, content)
    with closing(open_store(url, create=False)) as store:
        yield store


def nothing(units: int) -> None:
    """No progress bar."""


def test_a_whole_database_has_no_fault(store: Store) -> None:
    """Everything is counted; progress adds up."""
    done: list[int] = []
    report = verify(store, None, done.append)

    assert (report.records, report.chains, report.models, report.faults) == (COUNT, 1, 1, [])
    assert sum(done) == COUNT


def test_an_empty_database_has_no_fault(url: str) -> None:
    """Neither has one whose chain has no record yet."""
    with closing(open_store(url)) as store:
        store.migrate()
        assert verify(store, make_seal(store), nothing).faults == []
        Chain(store)
        report = verify(store, make_seal(store), nothing)

    assert (report.records, report.chains, report.faults) == (0, 0, [])


def test_others_may_record_erase_and_delete_meanwhile(url: str) -> None:
    """What is read is of one moment."""
    with closing(open_store(url)) as store:
        store.migrate()
        store.put_model(MODEL, NOW)

    def work() -> None:
        with closing(open_store(url)) as other:
            for hour in range(40):
                chain = Chain(other)
                for _ in range(5):
                    chain.append(make_decisions(make_answer(*range(20), time=NOW + hour * HOUR), None, None))
                if hour % 5 == 0:
                    erase(other, find_records_of(other, str(hour % 20)))
                if hour % 7 == 0:
                    prune(other, find_old(other, NOW + hour * HOUR))

    with ThreadPoolExecutor() as pool, closing(open_store(url)) as store:
        working = pool.submit(work)
        faults, seal = [], make_seal(store)
        while not working.done():
            faults += verify(store, seal, nothing).faults
            seal = make_seal(store)
        working.result()

    assert faults == []


def test_a_changed_payload_is_named(store: Store, url: str) -> None:
    """With chain, number and id."""
    record = read_records(store)[6]
    payload = (record.payload or "").replace("applicant 6", "applicant 7")
    tamper(url, "UPDATE records SET payload = :payload WHERE id = :id", payload=payload, id=record.id)

    assert find_faults(store) == [
        f"chain {record.chain}, record 7, {record.id}: changed: its payload isn't the one that was recorded"
    ]


def test_a_rewritten_record_is_named_by_its_successor(store: Store, url: str) -> None:
    """Its own hash fits again; that of the record after it doesn't."""
    before, record, after = read_records(store)[5:8]
    (forged,) = forge([replace(record, points=(record.points or 0) + 1)], find_head([before]))
    tamper(
        url,
        "UPDATE records SET points = :points, salt = :salt, payload_hash = :payload, hash = :hash WHERE id = :id",
        points=forged.points,
        salt=forged.salt,
        payload=forged.payload_hash,
        hash=forged.hash,
        id=record.id,
    )
    (fault,) = find_faults(store)

    assert fault.startswith(f"chain {record.chain}, record 8, {after.id}: changed")
    assert record.id in fault


def forge(records: Sequence[Record], head: Head) -> list[Record]:
    """Records made anew as the next ones of a chain."""
    return chain_records(
        [Entry(**{name: getattr(one, name) for name in Entry.__struct_fields__}) for one in records], head
    )


def test_a_removed_record_is_named_by_its_number(store: Store, url: str) -> None:
    """In the middle, at the beginning and at the end."""
    records = read_records(store)
    for record in (records[0], records[6], records[-1]):
        tamper(url, "DELETE FROM records WHERE id = :id", id=record.id)
    chain = records[0].chain

    assert find_faults(store) == [
        f"chain {chain}, record 8, {records[7].id}: missing: records 7 to 7 before it",
        f"chain {chain}, record 2, {records[1].id}: missing: records 1 to 1 before it",
        f"chain {chain}, record {COUNT}: missing: the table chains names it",
    ]


def test_exchanged_records_are_named_with_their_places(store: Store, url: str) -> None:
    """Only the two, not those after them."""
    records = read_records(store)
    exchange(url, records[3], records[8])

    assert find_faults(store) == [
        f"chain {records[0].chain}, record 4, {records[8].id}: reordered: it was recorded as number 9",
        f"chain {records[0].chain}, record 9, {records[3].id}: reordered: it was recorded as number 4",
    ]


def exchange(url: str, first: Record, second: Record) -> None:
    """Let two records change places."""
    move = "UPDATE records SET chain = :chain, sequence = :sequence WHERE id = :id"
    tamper(url, move, chain=first.chain, sequence=-1, id=first.id)
    tamper(url, move, chain=first.chain, sequence=first.sequence, id=second.id)
    tamper(url, move, chain=second.chain, sequence=second.sequence, id=first.id)


def test_a_doubled_record_is_named_with_its_original(store: Store, url: str) -> None:
    """It needs another id and another number."""
    record = read_records(store)[3]
    columns = ", ".join(COLUMNS)
    values = columns.replace("id,", ":id,", 1).replace(" sequence,", " :sequence,")
    id = "01a22195-7424-75f7-98c9-44af1295f043"
    sql = f"INSERT INTO records ({columns}) SELECT {values} FROM records WHERE id = :original"  # noqa: S608
    tamper(url, sql, id=id, sequence=COUNT + 1, original=record.id)
    faults = find_faults(store)

    name = f"chain {record.chain}, record {COUNT + 1}, {id}"
    assert faults == [
        f"{name}: changed: the table chains ends the chain before it",
        f"{name}: doubled: record 4 of chain {record.chain}, {record.id}, is the same",
    ]


def test_a_number_that_is_given_twice_is_named(tmp_path: Path, content: bytes) -> None:
    """Which takes another table than ours."""
    url = f"sqlite:///{tmp_path}/decisions.db"
    records = fill_url(url, content)
    tamper(url, "CREATE TABLE copies AS SELECT * FROM records")
    for view in ("decisions", "shadows", "reviews", "outcomes"):
        tamper(url, f"DROP VIEW {view}")
    tamper(url, "DROP TABLE records")
    tamper(url, "ALTER TABLE copies RENAME TO records")
    tamper(url, "INSERT INTO records SELECT * FROM records WHERE id = :id", id=records[4].id)
    with closing(open_store(url)) as store:
        faults = find_faults(store)

    assert faults[0].startswith(f"chain {records[0].chain}, record 5, {records[4].id}: doubled")


def test_many_records_out_of_place_are_all_named(store: Store, url: str) -> None:
    """One was removed, and those after it were numbered anew."""
    records = read_records(store)
    tamper(url, "DELETE FROM records WHERE id = :id", id=records[4].id)
    for record in records[5:]:
        tamper(url, "UPDATE records SET sequence = sequence - 1 WHERE id = :id", id=record.id)
    faults = find_faults(store)

    assert [record.id for record in records[5:] if not any(record.id in fault for fault in faults)] == []


def test_a_chain_that_is_not_registered_is_named(store: Store, url: str) -> None:
    """Its row of the table chains was removed."""
    last = read_records(store)[-1]
    drop = "DROP CONSTRAINT records_chain_fkey" if url.startswith("postgresql") else ""
    if drop:
        tamper(url, f"ALTER TABLE records {drop}")
    tamper(url, "DELETE FROM chains")

    assert find_faults(store) == [f"chain {last.chain}, record {COUNT}, {last.id}: changed: no chain in table chains"]


def test_a_moved_head_is_named(store: Store, url: str) -> None:
    """Its number, and its hash."""
    last = read_records(store)[-1]
    name = f"chain {last.chain}, record {COUNT}"
    tamper(url, "UPDATE chains SET hash = :hash", hash=b"x" * 32)
    assert find_faults(store) == [f"{name}, {last.id}: changed: the table chains names another hash"]

    tamper(url, "UPDATE chains SET hash = :hash, sequence = sequence + 1", hash=last.hash)
    assert find_faults(store) == [f"chain {last.chain}, record {COUNT + 1}: missing: the table chains names it"]


def test_an_erased_payload_needs_its_erasure(store: Store, url: str) -> None:
    """Who takes a payload away by hand is found, also if it's half done."""
    first, second = read_records(store)[:2]
    tamper(url, "UPDATE records SET payload = NULL, salt = NULL, applicant = NULL WHERE id = :id", id=first.id)
    tamper(url, "UPDATE records SET payload = NULL, salt = NULL WHERE id = :id", id=second.id)

    assert find_faults(store) == [
        f"chain {second.chain}, record 2, {second.id}: changed: its payload alone is gone",
        f"record {min(first.id, second.id)}: changed: its payload is gone, and no erasure names it",
        f"record {max(first.id, second.id)}: changed: its payload is gone, and no erasure names it",
    ]


def test_another_applicant_is_found(store: Store, url: str) -> None:
    """Of a decision by its payload, of a review by its decision: no hash covers the column."""
    decision = read_records(store)[4]
    case = find_case(store, decision.id)
    assert case is not None
    entry = make_review(case, decision="accept", reason="r", note="", who="w", key=None, request_id=None)
    Chain(store).append([entry])
    tamper(url, "UPDATE records SET applicant = 'x' WHERE id = :id", id=entry.id)
    (fault,) = find_faults(store)
    assert fault.endswith(f"{entry.id}: changed: its applicant isn't the one of its decision")

    tamper(url, "UPDATE records SET applicant = 'x' WHERE id = :id", id=decision.id)
    (fault,) = find_faults(store)
    assert fault.endswith(f"{decision.id}: changed: its applicant isn't the one of its payload")


def test_a_forged_model_is_named(store: Store, url: str, content: bytes) -> None:
    """By its content, or by what is said of it."""
    tamper(url, "UPDATE models SET version = 'x'")
    (fault,) = find_faults(store)
    assert fault.endswith("changed: its name, version or fields aren't those of its file")

    tamper(url, "UPDATE models SET content = :content", content=zlib.compress(content[:-1]))
    (fault,) = find_faults(store)
    assert "is forged" in fault


def test_a_missing_model_is_named(store: Store, url: str) -> None:
    """With the number of its decisions."""
    tamper(url, "DELETE FROM models")
    (fault,) = find_faults(store)

    assert f"missing: {COUNT} records were made by it" in fault


def test_a_seal_finds_a_chain_that_was_rebuilt_cut_or_removed(store: Store, url: str) -> None:
    """Each of which leaves a whole database behind."""
    seal, records = make_seal(store), read_records(store)
    chain = records[0].chain
    name = f"chain {chain}, record {COUNT}"
    Chain(store).append(make_decisions(make_answer("later"), None, None))
    store.put_model(MODEL, NOW)
    assert verify(store, seal, nothing).faults == []

    start = start_head(chain)
    rebuilt = forge(records, start)
    reset = "UPDATE chains SET sequence = 0, hash = :hash WHERE chain = :chain"
    tamper(url, "DELETE FROM records WHERE chain = :chain", chain=chain)
    tamper(url, reset, hash=start.hash, chain=chain)
    assert store.append(rebuilt[:-1], start)
    assert find_faults(store) == []
    assert verify(store, seal, nothing).faults == [f"{name}: missing: the seal names it"]

    assert store.append(rebuilt[-1:], find_head(rebuilt[:-1]))
    assert find_faults(store) == []
    assert verify(store, seal, nothing).faults == [f"{name}, {records[-1].id}: changed: the seal names another hash"]

    tamper(url, "DELETE FROM records WHERE chain = :chain", chain=chain)
    tamper(url, "DELETE FROM chains WHERE chain = :chain", chain=chain)
    assert find_faults(store) == []
    assert verify(store, seal, nothing).faults == [f"{name}: missing: the seal names it"]


def test_a_seal_survives_deletion_by_age(store: Store) -> None:
    """The records that it names are gone, and on record as deleted."""
    seal = make_seal(store)
    prune(store, find_old(store, NOW + HOUR))

    report = verify(store, seal, nothing)

    assert (report.records, report.deletions, report.faults) == (1, 1, [])
    assert msgspec.json.decode(msgspec.json.encode(seal), type=Seal) == seal


def test_a_wrong_deletion_record_is_no_excuse(store: Store) -> None:
    """It must have the hash of the last record that was deleted."""
    (old,) = find_old(store, NOW + HOUR)
    half = replace(old, sequence=old.sequence - 1, hash=b"x" * 32)
    prune(store, [half])
    (last,) = [record for record in read_records(store) if record.sequence == COUNT]
    (fault,) = find_faults(store)

    assert fault.startswith(f"chain {last.chain}, record {COUNT}, {last.id}: changed")


def test_a_flipped_byte_is_found_wherever_it_is(tmp_path: Path, content: bytes) -> None:
    """In the file itself: in a payload, in a text that isn't text any more, in a hash, in an index."""
    path = tmp_path / "decisions.db"
    records = fill_url(f"sqlite:///{path}", content)
    whole = path.read_bytes()
    record = records[9]
    needles = [(record.payload or "").encode(), record.hash, record.payload_hash, record.id.encode(), b"applicant 9"]
    for needle in needles:
        for place in find_all(whole, needle):
            for flipped in (0x01, 0x80):
                damaged = bytearray(whole)
                damaged[place + len(needle) // 2] ^= flipped
                path.write_bytes(damaged)
                with closing(open_store(f"sqlite:///{path}")) as store:
                    assert find_faults(store) != [], (needle, place)
    path.write_bytes(whole)
    with closing(open_store(f"sqlite:///{path}")) as store:
        assert find_faults(store) == []


def find_all(text: bytes, part: bytes) -> list[int]:
    """Where a part begins, each time."""
    places, place = [], text.find(part)
    while place >= 0:
        places.append(place)
        place = text.find(part, place + 1)
    return places


OPERATIONS = st.one_of(
    st.tuples(st.just("append"), st.integers(0, 2), st.lists(st.integers(0, 3), min_size=1, max_size=4)),
    st.tuples(st.just("review"), st.integers(0, 2), st.integers(0, 20)),
    st.tuples(st.just("outcome"), st.integers(0, 2), st.integers(0, 3)),
    st.tuples(st.just("erase"), st.integers(0, 3)),
    st.tuples(st.just("prune"), st.integers(0, 20)),
)


@contextmanager
def empty_store() -> Iterator[tuple[str, Store]]:
    """A new SQLite database for one example."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/decisions.db"
        with closing(open_store(url)) as store:
            store.migrate()
            store.put_model(MODEL, NOW)
            yield url, store


def apply(store: Store, operations: list[tuple[object, ...]]) -> None:
    """Do what several services and commands may do, an hour after each other."""
    chains: dict[int, Chain] = {}
    for hour, (name, *values) in enumerate(operations):
        time = NOW + hour * HOUR
        match name, *values:
            case "append", int(number), list(applicants):
                chain = chains.setdefault(number, Chain(store))
                chain.append(make_decisions(make_answer(*applicants, time=time), None, None))
            case "review", int(number), int(place):
                decided = [one for one in read_records(store) if one.kind == "decision" and one.payload is not None]
                if decided and (case := find_case(store, decided[place % len(decided)].id)):
                    texts = {"reason": "r", "note": "", "who": "w", "key": None, "request_id": None}
                    entry = make_review(case, decision="accept", **texts)  # type: ignore[arg-type]
                    chains.setdefault(number, Chain(store)).append([replace(entry, time=time)])
            case "outcome", int(number), int(applicant):
                if any(one.kind == "decision" for one in find_records_of(store, str(applicant))):
                    outcome = Outcome(write_time(NOW + 48 * HOUR)[:10], True, applicant=applicant)
                    entries = prepare_outcomes(store, [outcome], None).entries
                    if entries:
                        chains.setdefault(number, Chain(store)).append([replace(one, time=time) for one in entries])
            case "erase", int(applicant):
                if records := find_records_of(store, str(applicant)):
                    erase(store, records)
            case "prune", int(hours):
                prune(store, find_old(store, NOW + hours * HOUR))


@given(st.lists(OPERATIONS, max_size=14))
@settings(max_examples=60)
def test_whatever_is_done_by_the_rules_has_no_fault(operations: list[tuple[object, ...]]) -> None:
    """Also against a seal from the middle of it."""
    with empty_store() as (_, store):
        apply(store, operations[: len(operations) // 2])
        seal = make_seal(store)
        apply(store, operations[len(operations) // 2 :])

        assert verify(store, seal, nothing).faults == []


HISTORY: list[tuple[object, ...]] = [
    ("append", 0, [0, 1, 2]),
    ("append", 1, [1, 3]),
    ("prune", 1),
    ("append", 0, [2, 2]),
    ("review", 1, 2),
    ("outcome", 0, 3),
    ("append", 1, [0, 3]),
    ("erase", 2),
]
"""Two chains of services and two of commands, one record of each kind at least."""


@pytest.fixture(scope="module")
def history() -> Iterator[Path]:
    """The file of a database with HISTORY."""
    with empty_store() as (url, store):
        apply(store, HISTORY)
        assert find_faults(store) == []
        store.compact()
        yield Path(url.removeprefix("sqlite:///"))


@given(data=st.data())
@settings(max_examples=100)
def test_whatever_is_done_to_one_record_is_found_and_named(history: Path, data: st.DataObject) -> None:
    """One record is changed in one column, removed, doubled or exchanged with another."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{shutil.copy(history, folder)}"
        records = read_url(url)
        record = data.draw(st.sampled_from(records))
        others = [one for one in records if one.id != record.id]
        change = data.draw(st.sampled_from(["remove", "double", "exchange", *COLUMNS]))
        names = {record.id}
        if change == "remove":
            names = name_missing(record)
            tamper(url, "DELETE FROM records WHERE id = :id", id=record.id)
        elif change == "double":
            names = {f"doubled: record {record.sequence} of chain {record.chain}, {record.id}"}
            last = max(one.sequence for one in records if one.chain == record.chain)
            values = ", ".join({"id": "'copy'", "sequence": str(last + 1)}.get(name, name) for name in COLUMNS)
            tamper(url, f"INSERT INTO records SELECT {values} FROM records WHERE id = :id", id=record.id)  # noqa: S608
        elif change == "exchange":
            exchange(url, record, data.draw(st.sampled_from(others)))
        else:
            value = data.draw(st.sampled_from(find_other_values(change, getattr(record, change))))
            if change == "id":
                names = {f"chain {record.chain}, record {record.sequence}, {value}"}
            try:
                tamper(url, f"UPDATE records SET {change} = :value WHERE id = :id", value=value, id=record.id)  # noqa: S608
            except sqlite3.IntegrityError:
                reject()
        with closing(open_store(url)) as store:
            faults = find_faults(store)

        assert any(name in fault for name in names for fault in faults), faults


def name_missing(record: Record) -> set[str]:
    """What names a record that is gone: its number, or what an erasure doesn't explain any more."""
    number = record.sequence
    names = {f"chain {record.chain}, record {number}: missing", f"missing: records {number} to {number} before it"}
    payload = msgspec.json.decode(record.payload or "{}")
    names |= {f"record {id}: changed: its payload is gone" for id in payload.get("records", [])}
    return names


def find_other_values(column: str, value: object) -> list[object]:
    """Values that a column could be changed to."""
    others: list[object] = ["", "x", 0, 1, 2.5, b"x", "accept"]
    if column not in ("id", "chain", "sequence", "kind", "time", "payload_hash", "hash"):
        others.append(None)
    if isinstance(value, int | float):
        others += [value + 1, -value, f"{value}x"]
    if isinstance(value, str):
        others += [value + " ", value[:-1], value.upper(), value.encode()]
    if isinstance(value, bytes):
        others += [value[::-1], value[:-1], value.hex()]
    # SQLite stores 1 as "1" in a column of texts, and the other way round.
    return [other for other in others if other != value and str(other) != str(value)]
