"""Lists by filter, page by page; a decision with its history; times as people write them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from time import sleep

import pytest
from msgspec.structs import replace

from decisions.chain import Chain
from decisions.outcomes import Outcome, make_review, prepare_outcomes
from decisions.reading import (
    DecisionFilter,
    find_case,
    find_records_of,
    list_decisions,
    read_time,
    select_in,
    summarize,
    write_time,
)
from decisions.record import make_decisions
from decisions.store import Store, open_store
from model.policy import Decision
from tests.decisions.samples import MODEL, NOW, make_answer, make_entries

DAY = 24 * 3600 * 1_000_000


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An open database that keeps MODEL and has no decision."""
    with closing(open_store(url)) as store:
        store.migrate()
        store.put_model(MODEL, NOW)
        yield store


def record(store: Store, *applicants: str | int | None, time: int = NOW, decision: str = "accept") -> list[str]:
    """Record decisions; returns their ids."""
    entries = make_decisions(make_answer(*applicants, time=time), None, None)
    return [one.id for one in Chain(store).append([replace(entry, decision=decision) for entry in entries])]


def review(store: Store, decision_id: str, decision: Decision) -> None:
    """Record a review."""
    case = find_case(store, decision_id)
    assert case is not None
    entry = make_review(case, decision=decision, reason="r", note="", who="Smith", key=None, request_id=None)
    Chain(store).append([entry])


def list_ids(store: Store, chosen: DecisionFilter) -> list[str]:
    """The ids of the first page."""
    return [decision.id for decision in list_decisions(store, chosen, None, 100).decisions]


def test_pages_hold_every_decision_once_the_newest_first(store: Store) -> None:
    """The last page has no cursor, also where it is full."""
    ids = record(store, *range(10))
    seen, cursor, sizes = [], None, []
    while True:
        page = list_decisions(store, DecisionFilter(), cursor, 5)
        seen += [decision.id for decision in page.decisions]
        sizes.append(len(page.decisions))
        cursor = page.next
        if cursor is None:
            break

    assert seen == ids[::-1]
    assert sizes == [5, 5]


def test_each_filter_chooses_by_its_own_value(store: Store) -> None:
    """The end of a period is exclusive; filters are combined."""
    old = record(store, "A", "B", time=NOW - DAY)
    # Ids of one millisecond that weren't reserved together are in no order.
    sleep(0.002)
    new = record(store, "A", time=NOW, decision="refuse")

    assert list_ids(store, DecisionFilter(applicant="A")) == [*new, old[0]]
    assert list_ids(store, DecisionFilter(decision="refuse")) == new
    assert list_ids(store, DecisionFilter(start=NOW)) == new
    assert list_ids(store, DecisionFilter(end=NOW)) == old[::-1]
    assert list_ids(store, DecisionFilter(model=MODEL.sha256)) == [*new, *old[::-1]]
    assert list_ids(store, DecisionFilter(model="other")) == []
    assert list_ids(store, DecisionFilter(applicant="A", end=NOW)) == [old[0]]


def test_open_decisions_are_those_whose_last_word_is_review(store: Store) -> None:
    """A review closes one and another review opens it again, also one that the model had accepted."""
    first, second, third = record(store, 1, 2, 3, decision="review")
    accepted, _ = record(store, 4, 5)
    review(store, first, "accept")
    review(store, second, "refuse")
    review(store, second, "review")
    review(store, accepted, "review")

    assert set(list_ids(store, DecisionFilter(is_open=True))) == {second, third, accepted}


def test_a_summary_has_the_latest_final_decision(store: Store) -> None:
    """Beside the model's own."""
    (decision_id,) = record(store, 7)
    review(store, decision_id, "review")
    review(store, decision_id, "refuse")
    (summary,) = list_decisions(store, DecisionFilter(), None, 9).decisions

    assert (summary.decision, summary.final_decision, summary.applicant) == ("accept", "refuse", "7")
    assert (summary.model_name, summary.model_version, summary.model_sha256) == ("test", "1", MODEL.sha256)
    assert (summary.time, summary.is_erased) == (write_time(NOW), False)


def test_a_case_has_the_history_of_its_decision_alone(store: Store) -> None:
    """The oldest first; an outcome that was given by applicant is in it too."""
    decision_id, other = record(store, "A", "B")
    review(store, decision_id, "accept")
    outcomes = [
        Outcome(write_time(NOW)[:10], True, 5.0, applicant="A"),
        Outcome(write_time(NOW)[:10], False, None, other),
    ]
    Chain(store).append(prepare_outcomes(store, outcomes, "key").entries)
    case = find_case(store, decision_id)

    assert case is not None
    assert case.decision.id == decision_id
    assert [(one.kind, one.subject, one.applicant) for one in case.history] == [
        ("review", decision_id, "A"),
        ("outcome", decision_id, "A"),
    ]
    assert summarize(store, case.decision).id == decision_id


def test_what_is_no_decision_has_no_case(store: Store) -> None:
    """An unknown id, and that of a review."""
    (decision_id,) = record(store, 1)
    review(store, decision_id, "accept")
    case = find_case(store, decision_id)

    assert case is not None
    assert find_case(store, case.history[0].id) is None
    assert find_case(store, "01a22195-7424-75f7-98c9-44af1295f043") is None


def test_long_ids_that_begin_alike_are_told_apart(store: Store) -> None:
    """Though both are searched by the same text."""
    first, second = "x" * 300, "x" * 299 + "y"
    chain = Chain(store)
    chain.append(make_entries(first, second, "z"))

    assert [one.payload and one.payload[7:307] for one in find_records_of(store, first)] == [first]
    assert [one.payload and one.payload[7:307] for one in find_records_of(store, second)] == [second]
    assert len(find_records_of(store, "z")) == 1
    assert find_records_of(store, "x" * 200) == []


def test_any_number_of_values_can_be_looked_up(store: Store) -> None:
    """More than the parameters of one statement; none gives none."""
    ids = record(store, *range(1_500))
    found = [id for (id,) in select_in(store, "SELECT id FROM records WHERE id IN", ids)]

    assert sorted(found) == ids
    assert list(select_in(store, "SELECT id FROM records WHERE id IN", [])) == []


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-02", "2026-02-01T00:00:00.000000Z", "2026-03-01T00:00:00.000000Z"),
        ("2026-12", "2026-12-01T00:00:00.000000Z", "2027-01-01T00:00:00.000000Z"),
        ("2024-02-29", "2024-02-29T00:00:00.000000Z", "2024-03-01T00:00:00.000000Z"),
        ("2026-03-05T10:00:00Z", "2026-03-05T10:00:00.000000Z", "2026-03-05T10:00:00.000000Z"),
        ("2026-03-05t10:00:00.25+02:00", "2026-03-05T08:00:00.250000Z", "2026-03-05T08:00:00.250000Z"),
        (" 1969-12-31 ", "1969-12-31T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z"),
    ],
)
def test_a_day_or_month_as_an_end_includes_it(text: str, start: str, end: str) -> None:
    """In UTC; a time is itself."""
    assert (write_time(read_time(text)), write_time(read_time(text, is_end=True))) == (start, end)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026",
        "2026-13",
        "2026-02-29",
        "20260305",
        "2026-W10-1",
        "2026-03-05T10:00:00",
        "2026-03-05T25:00:00Z",
        "٢٠٢٦-٠٣",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """With what was expected; a time without its zone could be any of two dozen."""
    with pytest.raises(ValueError, match="expected a month"):
        read_time(text)


def test_the_last_month_has_no_end() -> None:
    """Python's calendar ends with the year 9999."""
    with pytest.raises(ValueError, match="expected a month"):
        read_time("9999-12", is_end=True)
