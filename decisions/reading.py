"""Reading decisions: lists by filter, a page at a time, and all that is recorded about one decision."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from string import ascii_lowercase
from typing import Any, Literal

import msgspec
from msgspec import Struct

from decisions.record import COLUMNS, MAX_SEARCH_KEY, SCORED, DecisionPayload, Kind, Record, search_key
from decisions.store import Store, Value
from model.messages import quote_value
from model.policy import Decision

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

FINAL_DECISION = """
(
    SELECT review.decision FROM records AS review
    WHERE review.subject = records.id AND review.kind = 'review'
    ORDER BY review.time DESC, review.id DESC LIMIT 1
)
"""
"""SQL of the decision of the latest review, NULL if there is none, in a SELECT from `records`."""

# The first condition finds the candidates by index; a model's decision counts as long as there is no review.
_IS_OPEN = f"""
records.id IN (
    SELECT id FROM records AS decided WHERE decided.kind = 'decision' AND decided.decision = 'review'
    UNION ALL
    SELECT subject FROM records AS review
    WHERE review.kind = 'review' AND review.decision = 'review' AND review.subject IS NOT NULL
)
AND coalesce({FINAL_DECISION}, records.decision) = 'review'
"""  # noqa: S608

_NAMES = tuple(f"value_{first}{second}" for first, second in product(ascii_lowercase, repeat=2))


class DecisionFilter(Struct, frozen=True):
    """Which decisions to list; None stands for all.

    `applicant`: id as text. `decision`: of the model. `start`, `end`: microseconds since 1970, the end is exclusive.
    `model`: SHA-256 of its file. `is_open`: only those whose last word, the latest review or else the model's decision,
    is "review".
    """

    applicant: str | None = None
    decision: str | None = None
    start: int | None = None
    end: int | None = None
    model: str | None = None
    is_open: bool = False


class DecisionSummary(Struct, frozen=True):
    """A decision in a list. `time`: RFC 3339, UTC. `final_decision`: of the latest review."""

    id: str
    time: str
    applicant: str | None
    model_name: str
    model_version: str
    model_sha256: str
    probability: float
    decision: Decision
    points: int
    final_decision: Decision | None
    is_erased: bool


class Page(Struct, frozen=True):
    """Decisions, the newest first. `next`: the cursor of the next page; None on the last one."""

    decisions: list[DecisionSummary]
    next: str | None


class Case(Struct, frozen=True):
    """A decision, and its reviews and outcomes, the oldest first."""

    decision: Record
    history: list[Record]


def list_decisions(store: Store, chosen: DecisionFilter, cursor: str | None, limit: int) -> Page:
    """The decisions before the cursor, at most `limit`; raises StoreError."""
    conditions, parameters = _write_conditions(chosen)
    if cursor is not None:
        conditions.append("records.id < :cursor")
        parameters["cursor"] = cursor
    decisions = list(_select_summaries(store, conditions, {**parameters, "limit": limit + 1}))
    is_last = len(decisions) <= limit
    return Page(decisions[:limit], None if is_last else decisions[limit - 1].id)


def find_case(store: Store, decision_id: str) -> Case | None:
    """A decision and its history, without what a challenger would have decided; raises StoreError."""
    found = read_records(store, "id = :id AND kind = 'decision'", {"id": decision_id})
    decision = next(iter(list(found)), None)
    if decision is None:
        return None
    return Case(decision, list(read_records(store, "subject = :id AND kind <> 'shadow'", {"id": decision_id})))


def summarize(store: Store, decision: Record) -> DecisionSummary:
    """A decision as it stands in a list; raises StoreError."""
    (summary,) = list(_select_summaries(store, ["records.id = :id"], {"id": decision.id, "limit": 1}))
    return summary


def read_records(store: Store, condition: str, parameters: dict[str, Value]) -> Iterator[Record]:
    """Whole records that fulfil a condition in SQL, the oldest first; raises StoreError."""
    sql = f"SELECT {', '.join(COLUMNS)} FROM records WHERE {condition} ORDER BY time, id"  # noqa: S608
    return (Record(*row) for row in store.query(sql, parameters))


def find_records_of(store: Store, applicant: str) -> list[Record]:
    """All decisions, shadows, reviews and outcomes of an applicant's id, the oldest first; raises StoreError."""
    key = search_key(applicant) or ""
    found = list(read_records(store, "applicant = :applicant", {"applicant": key}))
    if len(key) == MAX_SEARCH_KEY:
        # Longer ids share a key.
        others = {record.id for record in found if record.kind in SCORED and _read_id(record) != applicant}
        found = [record for record in found if not {record.id, record.subject} & others]
    return found


def select_in(store: Store, sql: str, values: Sequence[Value]) -> Iterator[tuple[Any, ...]]:
    """The rows of a SELECT that ends in `IN`, for any number of values; raises StoreError."""
    for start in range(0, len(values), len(_NAMES)):
        parameters = dict(zip(_NAMES, values[start : start + len(_NAMES)], strict=False))
        yield from store.query(f"{sql} ({', '.join(f':{name}' for name in parameters)})", parameters)


def count_decisions(store: Store, start: int | None, end: int | None, kind: Kind = "decision") -> int:
    """How many decisions were made from `start` to before `end`, microseconds since 1970; raises StoreError."""
    where, parameters = write_period(start, end, kind)
    ((count,),) = list(store.query(f"SELECT count(*) FROM records WHERE {where}", parameters))  # noqa: S608
    return int(count)


def write_period(start: int | None, end: int | None, kind: Kind = "decision") -> tuple[str, dict[str, Value]]:
    """The condition that chooses the decisions of a period, or another kind, from `records`, and its parameters."""
    conditions, parameters = _write_conditions(DecisionFilter(start=start, end=end))
    return " AND ".join([f"records.kind = '{kind}'", *conditions]), parameters


def read_time(text: str, *, is_end: bool = False) -> int:
    """A month, a day or an RFC 3339 time as microseconds since 1970; days and months are those of UTC.

    `is_end`: a day or a month stands for its end, the first moment after it. Raises ValueError.
    """
    try:
        moment = _read_moment(text.strip(), is_end)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise ValueError(
            f"the time is {quote_value(text)}, expected a month (2026-03), a day (2026-03-05) or a time with its zone "
            "(2026-03-05T10:00:00Z)"
        )
    return (moment - EPOCH) // MICROSECOND


def _read_moment(text: str, is_end: bool) -> datetime | None:
    if re.fullmatch(r"\d{4}-\d{2}", text, re.ASCII):
        first = datetime.fromisoformat(f"{text}-01").replace(tzinfo=UTC)
        return (first + timedelta(days=31)).replace(day=1) if is_end else first
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(days=int(is_end))
    if re.fullmatch(r"[\d-]{10}[Tt ][\d:]{8}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", text, re.ASCII):
        return datetime.fromisoformat(text.upper())
    return None


def write_time(time: int) -> str:
    """Microseconds since 1970 in RFC 3339, UTC."""
    return (EPOCH + time * MICROSECOND).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _read_id(decision: Record) -> str:
    return str(msgspec.json.decode(decision.payload or "", type=DecisionPayload).id)


def _write_conditions(chosen: DecisionFilter) -> tuple[list[str], dict[str, Value]]:
    """Conditions of a SELECT from `records`, and their parameters."""
    comparisons: dict[Literal["applicant", "decision", "model", "start", "end"], str] = {
        "applicant": "records.applicant = :applicant",
        "decision": "records.decision = :decision",
        "model": "records.model = :model",
        "start": "records.time >= :start",
        "end": "records.time < :end",
    }
    parameters: dict[str, Value] = {name: value for name in comparisons if (value := getattr(chosen, name)) is not None}
    conditions = [sql for name, sql in comparisons.items() if name in parameters]
    return [*conditions, _IS_OPEN] if chosen.is_open else conditions, parameters


def _select_summaries(
    store: Store, conditions: Sequence[str], parameters: dict[str, Value]
) -> Iterator[DecisionSummary]:
    where = " AND ".join(["records.kind = 'decision'", *conditions])
    sql = f"""
        SELECT
            records.id, records.time, records.applicant, models.name, models.version, records.model,
            records.probability, records.decision, records.points, {FINAL_DECISION}, records.payload IS NULL
        FROM records LEFT JOIN models ON models.sha256 = records.model
        WHERE {where} ORDER BY records.id DESC LIMIT :limit
    """  # noqa: S608
    for row in store.query(sql, parameters):
        id, time, applicant, name, version, sha256, probability, decision, points, final_decision, is_erased = row
        yield DecisionSummary(
            id=id,
            time=write_time(time),
            applicant=applicant,
            model_name=name or "",
            model_version=version or "",
            model_sha256=sha256,
            probability=probability,
            decision=decision,
            points=points,
            final_decision=final_decision,
            is_erased=bool(is_erased),
        )
