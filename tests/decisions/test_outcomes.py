"""Outcomes find their decision, are recorded once, and are refused all together if one is bad."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from decisions.chain import Chain, now
from decisions.outcomes import ErasedDecision, InvalidOutcomes, Outcome, make_review, prepare_outcomes
from decisions.reading import find_case, find_records_of, read_time
from decisions.record import OutcomePayload, make_decisions
from decisions.retention import erase
from decisions.store import InvalidRecords, Store, open_store
from tests.decisions.samples import make_answer, read_records

UNKNOWN = "01a22195-7424-75f7-98c9-44af1295f043"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open database without a decision."""
    with closing(open_store(url)) as store:
        store.migrate()
        yield store


def decide(store: Store, applicant: str | int | None, time: str) -> str:
    """Record a decision of this time; returns its id."""
    answer = make_answer(applicant, time=read_time(time))
    (record,) = Chain(store).append(make_decisions(answer, None, None))
    return record.id


def record(store: Store, *outcomes: Outcome) -> list[tuple[str, bool]]:
    """Record outcomes; for each the id of its decision and whether it is new."""
    prepared = prepare_outcomes(store, outcomes, "key")
    if prepared.entries:
        Chain(store).append(prepared.entries)
    return [(one.decision_id, one.is_new) for one in prepared.recorded]


def faults(store: Store, *outcomes: Outcome) -> list[tuple[int, str]]:
    """Why outcomes are refused."""
    with pytest.raises(InvalidOutcomes) as caught:
        prepare_outcomes(store, outcomes, None)
    return caught.value.faults


def test_an_outcome_belongs_to_the_decision_that_it_names(store: Store) -> None:
    """Its record has the decision's applicant, to be found and erased with it."""
    first = decide(store, "A", "2025-01-05")
    record(store, Outcome("2025-06-30", True, 1200.5, decision_id=first))
    (written,) = [one for one in read_records(store) if one.kind == "outcome"]

    assert (written.kind, written.subject, written.applicant, written.key) == ("outcome", first, "A", "key")
    assert msgspec.json.decode(written.payload or "", type=OutcomePayload) == OutcomePayload("2025-06-30", True, 1200.5)


@pytest.mark.parametrize(
    ("date", "expected"), [("2025-01-05", 0), ("2025-02-28", 0), ("2025-03-01", 1), ("2026-01-01", 1)]
)
def test_an_applicants_outcome_belongs_to_the_latest_decision_on_or_before_its_date(
    store: Store, date: str, expected: int
) -> None:
    """Whatever was decided on others, or later."""
    ids = [decide(store, 7, "2025-01-05T23:00:00Z"), decide(store, "7", "2025-03-01T10:00:00Z")]
    decide(store, "8", "2025-01-06")

    assert record(store, Outcome(date, False, applicant="7")) == [(ids[expected], True)]
    assert record(store, Outcome(date, False, applicant=7)) == [(ids[expected], False)]


def test_the_same_outcome_is_recorded_once(store: Store) -> None:
    """Given twice at once or twice in a row; one that differs in a value is another."""
    first = decide(store, "A", "2025-01-05")
    outcome = Outcome("2025-06-30", True, decision_id=first)

    assert record(store, outcome, outcome) == [(first, True), (first, False)]
    assert record(store, outcome) == [(first, False)]
    assert record(store, Outcome("2025-06-30", True, 0.0, decision_id=first)) == [(first, True)]
    assert record(store, Outcome("2025-06-30", False, decision_id=first)) == [(first, True)]
    assert record(store, Outcome("2025-07-01", True, decision_id=first)) == [(first, True)]


def test_the_id_of_an_outcome_is_made_of_its_values(store: Store) -> None:
    """A UUID of version 8; another service gives the same."""
    first = decide(store, "A", "2025-01-05")
    outcomes = [Outcome("2025-06-30", True, 5, decision_id=first), Outcome("2025-06-30", True, 5.0, applicant="A")]
    ids = [prepare_outcomes(store, [outcome], key).recorded[0].id for outcome, key in zip(outcomes, "ab", strict=True)]

    assert ids[0] == ids[1]
    assert (UUID(ids[0]).version, UUID(ids[0]).variant) == (8, "specified in RFC 4122")


def test_a_race_ends_in_invalid_records(store: Store) -> None:
    """Two services prepare the same outcome; the second one to record it prepares again."""
    first = decide(store, "A", "2025-01-05")
    prepared = prepare_outcomes(store, [Outcome("2025-06-30", True, decision_id=first)], None)
    Chain(store).append(prepared.entries)

    with pytest.raises(InvalidRecords):
        Chain(store).append(prepared.entries)


def test_nothing_is_lost_without_a_default(store: Store) -> None:
    """A table may have 0 there."""
    first = decide(store, "A", "2025-01-05")

    assert record(store, Outcome("2025-06-30", False, 0.0, decision_id=first)) == [(first, True)]
    assert record(store, Outcome("2025-06-30", False, None, decision_id=first)) == [(first, False)]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome("2025-6-30", True, applicant="A"), "expected a day"),
        (Outcome("2025-02-30", True, applicant="A"), "expected a day"),
        (Outcome("20250630", True, applicant="A"), "expected a day"),
        (Outcome("2025-06-30", True, -1.0, applicant="A"), "expected 0 or more"),
        (Outcome("2025-06-30", True, math.nan, applicant="A"), "expected 0 or more"),
        (Outcome("2025-06-30", True, math.inf, applicant="A"), "expected 0 or more"),
        (Outcome("2025-06-30", False, 5.0, applicant="A"), "without a default"),
        (Outcome("2025-06-30", True), "either a decision_id or an applicant"),
        (Outcome("2025-06-30", True, applicant="A", decision_id=UNKNOWN), "either a decision_id or an applicant"),
        (Outcome("2025-06-30", True, decision_id=UNKNOWN), "there is no decision"),
        (Outcome("2025-06-30", True, decision_id="x' OR 1=1"), "there is no decision"),
        (Outcome("2025-06-30", True, applicant="B"), "has no decision on or before"),
        (Outcome("2025-01-04", True, applicant="A"), "has no decision on or before"),
        (Outcome("2025-06-30", True, applicant="x" * 300), "give the decision_id"),
    ],
)
def test_what_cant_be_an_outcome_is_refused(store: Store, outcome: Outcome, expected: str) -> None:
    """With its place among the others, none of which is prepared."""
    decide(store, "A", "2025-01-05T12:00:00Z")
    good = Outcome("2025-06-30", True, applicant="A")
    ((index, fault),) = faults(store, good, outcome, good)

    assert index == 1
    assert expected in fault


def test_all_faults_are_told(store: Store) -> None:
    """At once."""
    found = faults(store, Outcome("x", True, applicant="A"), Outcome("2025-06-30", True))

    assert [index for index, _ in found] == [0, 1]


def test_an_outcome_comes_after_its_decision(store: Store) -> None:
    """A day before is the same day elsewhere."""
    first = decide(store, "A", "2025-01-05T00:30:00Z")

    assert record(store, Outcome("2025-01-04", True, decision_id=first)) == [(first, True)]
    ((_, fault),) = faults(store, Outcome("2025-01-03", True, decision_id=first))
    assert "expected one after decision" in fault


def test_an_outcome_lies_not_in_the_future(store: Store) -> None:
    """Tomorrow is today somewhere, at most; the day after isn't."""
    first = decide(store, "A", "2025-01-05")
    later = (datetime.fromtimestamp(now() // 1_000_000, UTC) + timedelta(days=2)).date().isoformat()
    ((_, fault),) = faults(store, Outcome(later, True, decision_id=first))

    assert "in the future" in fault


def test_nothing_more_is_recorded_of_what_was_erased(store: Store) -> None:
    """No outcome, no review."""
    first = decide(store, "A", "2025-01-05")
    erase(store, find_records_of(store, "A"))
    case = find_case(store, first)
    ((_, fault),) = faults(store, Outcome("2025-06-30", True, decision_id=first))

    assert "was erased" in fault
    assert case is not None
    with pytest.raises(ErasedDecision, match="was erased"):
        make_review(case, decision="accept", reason="r", note="", who="w", key=None, request_id=None)


def test_a_review_is_a_record_of_its_own(store: Store) -> None:
    """What a person wrote is in the payload, where it can be erased."""
    first = decide(store, "A", "2025-01-05")
    case = find_case(store, first)
    assert case is not None
    entry = make_review(case, decision="accept", reason="salary", note="n", who="Smith", key="k", request_id="r-1")

    assert (entry.kind, entry.subject, entry.applicant, entry.decision) == ("review", first, "A", "accept")
    assert (entry.key, entry.request_id) == ("k", "r-1")
    assert entry.payload == '{"who":"Smith","reason":"salary","note":"n"}'


def test_many_outcomes_are_looked_up_together(store: Store) -> None:
    """More than the parameters of one statement."""
    answer = make_answer(*range(1_500), time=read_time("2025-01-05"))
    Chain(store).append(make_decisions(answer, None, None))
    outcomes = [Outcome("2025-06-30", number % 2 == 0, applicant=number) for number in range(1_500)]

    assert record(store, *outcomes) == [(id, True) for id in answer.decision_ids]
    assert not any(is_new for _, is_new in record(store, *outcomes))
