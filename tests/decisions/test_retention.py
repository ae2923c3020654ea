"""Erasing an applicant's data, and deleting old records: both leave the chains whole, and say that they were done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from decisions.chain import Chain
from decisions.outcomes import Outcome, make_review, prepare_outcomes
from decisions.reading import find_case, find_records_of, read_time, write_time
from decisions.record import Entry, ErasurePayload, Record, make_decisions
from decisions.retention import erase, find_old, prune, read_age
from decisions.store import Store, open_store
from tests.decisions.filled import find_faults
from tests.decisions.samples import MODEL, NOW, make_answer, make_entries, read_records

HOUR = 3_600_000_000


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open database that keeps MODEL."""
    with closing(open_store(url)) as store:
        store.migrate()
        store.put_model(MODEL, NOW)
        yield store


def decide(*applicants: str | int, time: int) -> list[Entry]:
    """Decisions of this time."""
    return make_decisions(make_answer(*applicants, time=time), None, None)


def follow(store: Store, decision: Record) -> None:
    """Record a review and an outcome of a decision."""
    case = find_case(store, decision.id)
    assert case is not None
    review = make_review(case, decision="accept", reason="pay rise", note="", who="w", key=None, request_id=None)
    outcome = Outcome(write_time(NOW)[:10], True, 5.0, decision_id=decision.id)
    Chain(store).append([review, *prepare_outcomes(store, [outcome], None).entries])


def test_all_that_is_personal_is_gone(store: Store) -> None:
    """Of decisions, reviews and outcomes; the records of others stay as they were."""
    _, other, decision, _ = Chain(store).append(make_entries("A", "B", "A", "C"))
    follow(store, decision)
    records = find_records_of(store, "A")
    before = {record.id: record for record in read_records(store)}
    erase(store, records)
    after = {record.id: record for record in read_records(store)}

    assert sorted(record.kind for record in records) == ["decision", "decision", "outcome", "review"]
    for record in records:
        assert after[record.id] == replace(record, payload=None, salt=None, applicant=None)
    assert after[other.id] == before[other.id]
    assert find_records_of(store, "A") == []
    assert find_faults(store) == []


def test_an_erasure_is_recorded_with_what_it_erased(store: Store) -> None:
    """By the ids of the records, which say nothing of the applicant."""
    first, second = Chain(store).append(make_entries("A", "A"))
    erase(store, find_records_of(store, "A"))
    (erasure,) = [record for record in read_records(store) if record.kind == "erasure"]

    assert msgspec.json.decode(erasure.payload or "", type=ErasurePayload) == ErasurePayload([first.id, second.id])


def test_no_byte_of_the_applicant_is_left_in_the_file(tmp_path: Path) -> None:
    """Neither in pages that were split, nor in an index, nor in the write-ahead log."""
    path = tmp_path / "decisions.db"
    with closing(open_store(f"sqlite:///{path}")) as store:
        store.migrate()
        store.put_model(MODEL, NOW)
        chain = Chain(store)
        for number in range(40):
            names = [f"somebody {number} {place}" for place in range(25)]
            chain.append(make_entries(*names, "Ann Erased-Person"))
        (decision, *_) = find_records_of(store, "Ann Erased-Person")
        follow(store, decision)
        assert b"Ann Erased-Person" in path.read_bytes() + path.with_name("decisions.db-wal").read_bytes()
        erase(store, find_records_of(store, "Ann Erased-Person"))
        left = store.compact()
        files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

        assert left == ""
        assert find_faults(store) == []
    for name, content in files.items():
        assert b"Erased-Person" not in content, name
        assert b"pay rise" not in content, name
    assert b"somebody 39 24" in files["decisions.db"]


def test_compacting_says_what_is_left_to_do(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In PostgreSQL: backups. In SQLite: another process that is reading."""
    monkeypatch.setattr("decisions.sqlite.BUSY_SECONDS", 0.1)
    with closing(open_store(url)) as store, closing(open_store(url)) as other:
        store.migrate()
        Chain(store).append(make_entries(*range(3_000)))
        rows = other.query("SELECT id FROM records")
        if url.startswith("sqlite"):
            next(rows)
        left = store.compact()
        list(rows)

    assert ("run the command again" if url.startswith("sqlite") else "backups") in left


def test_each_chain_is_cut_before_its_first_younger_record(store: Store) -> None:
    """Also where the clock was set back since; what the other chains hold doesn't matter."""
    first, second = Chain(store), Chain(store)
    old = first.append(decide(1, 2, time=NOW))
    kept = first.append(decide(3, time=NOW + 2 * HOUR)) + first.append(decide(4, time=NOW))
    kept += second.append(decide(5, time=NOW + 2 * HOUR))
    (cut,) = find_old(store, NOW + HOUR)
    prune(store, [cut])
    records = read_records(store)

    assert (cut.chain, cut.sequence, cut.hash) == (old[0].chain, 2, old[1].hash)
    assert [(count.kind, count.records, count.first, count.last) for count in cut.counts] == [("decision", 2, NOW, NOW)]
    assert {record.id for record in records if record.kind != "deletion"} == {record.id for record in kept}
    assert find_faults(store) == []


def test_erasures_and_deletions_are_never_deleted(store: Store) -> None:
    """They explain what is missing; what was recorded before them in their chain goes."""
    Chain(store).append(decide("A", "B", time=NOW))
    erase(store, find_records_of(store, "A"))
    far = read_time("2100-01-01")
    prune(store, find_old(store, far))
    prune(store, find_old(store, far))

    assert sorted(record.kind for record in read_records(store)) == ["deletion", "erasure"]
    assert find_old(store, far) == []
    assert find_faults(store) == []


def test_a_chain_goes_on_after_it_was_cut(store: Store) -> None:
    """The service that appends to it notices nothing; it can be cut again."""
    chain = Chain(store)
    chain.append(decide(1, 2, time=NOW))
    prune(store, find_old(store, NOW + HOUR))
    chain.append(decide(3, 4, time=NOW + 2 * HOUR))
    assert find_faults(store) == []

    prune(store, find_old(store, NOW + 3 * HOUR))
    assert [record.kind for record in read_records(store)] == ["deletion", "deletion"]
    assert find_faults(store) == []


def test_a_record_of_the_moment_itself_is_kept(store: Store) -> None:
    """Older than means before."""
    Chain(store).append(decide(1, time=NOW))

    assert find_old(store, NOW) == []
    assert len(find_old(store, NOW + 1)) == 1


@pytest.mark.parametrize(
    ("age", "time", "expected"),
    [
        ("90d", "2026-05-30T10:00:00Z", "2026-03-01T10:00:00.000000Z"),
        ("26m", "2026-03-05T10:00:00Z", "2024-01-05T10:00:00.000000Z"),
        ("1m", "2026-03-31T10:00:00Z", "2026-02-28T10:00:00.000000Z"),
        ("12m", "2024-02-29T10:00:00Z", "2023-02-28T10:00:00.000000Z"),
        ("3y", "2026-01-01T00:00:00Z", "2023-01-01T00:00:00.000000Z"),
    ],
)
def test_ages_are_days_calendar_months_or_years(age: str, time: str, expected: str) -> None:
    """A month that has no such day counts from its last one."""
    assert write_time(read_age(age, read_time(time))) == expected


@pytest.mark.parametrize("age", ["", "26", "26 m", "-1d", "0d", "1w", "2.5y", "٣y", "99999y", "24325m", "999999d"])
def test_what_is_no_age_is_refused(age: str) -> None:
    """With what was expected."""
    with pytest.raises(ValueError, match=r"the age is .*, expected"):
        read_age(age, NOW)
