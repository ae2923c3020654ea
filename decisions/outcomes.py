"""Outcomes and reviews: what became of a decision, checked before it is recorded.

An outcome belongs to a decision, or to an applicant's latest decision on or before its date. Its id is made of its
values (UUID version 8, RFC 9562, 5.8), so that the same outcome is recorded once, however often it is given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import msgspec
from msgspec import Struct

from decisions.chain import now
from decisions.ids import IdSource, is_id, write_id
from decisions.reading import EPOCH, MICROSECOND, Case, read_time, select_in
from decisions.record import MAX_SEARCH_KEY, Entry, OutcomePayload, ReviewPayload, search_key
from decisions.store import Store
from model.messages import quote_value
from model.policy import Decision

_encode = msgspec.json.Encoder().encode


class Outcome(Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a decision, or of an applicant: exactly one of `decision_id` and `applicant` is given.

    `date`: the day on which it was known, YYYY-MM-DD. `amount_lost`: of a default; 0 is taken without one too.
    """

    date: str
    defaulted: bool
    amount_lost: float | None = None
    decision_id: str | None = None
    applicant: str | int | None = None


class Recorded(Struct, frozen=True):
    """An outcome's id and its decision. `is_new`: whether it wasn't on record before."""

    id: str
    decision_id: str
    is_new: bool


class Prepared(Struct, frozen=True):
    """Outcomes ready to be recorded: the entries of the new ones, and one Recorded for each outcome that was given."""

    entries: list[Entry]
    recorded: list[Recorded]


class InvalidOutcomes(Exception):
    """Outcomes can't be recorded; `faults`: index and sentence of each one."""

    def __init__(self, faults: list[tuple[int, str]]) -> None:
        super().__init__("; ".join(f"outcome {index}: {fault}" for index, fault in faults[:3]))
        self.faults = faults


class ErasedDecision(Exception):
    """Nothing more is recorded about a decision whose data has been erased."""


class _Found(Struct, frozen=True):
    """A decision that an outcome can belong to. `applicant`: None once it has been erased."""

    id: str
    time: int
    applicant: str | None
    is_erased: bool


def prepare_outcomes(store: Store, outcomes: Sequence[Outcome], key: str | None) -> Prepared:
    """Check outcomes and find their decisions; `key`: name of the API key.

    Raises InvalidOutcomes if any has a fault, and StoreError.
    """
    time = now()
    by_id, by_applicant = _find_decisions(store, outcomes)
    faults: list[tuple[int, str]] = []
    entries: dict[str, Entry] = {}
    given: list[Entry] = []
    for index, outcome in enumerate(outcomes):
        try:
            _check(outcome, time)
            given.append(_make_outcome(outcome, _choose(outcome, by_id, by_applicant), time, key))
        except ValueError as error:
            faults.append((index, str(error)))
    if faults:
        raise InvalidOutcomes(faults)
    known = {id for (id,) in select_in(store, "SELECT id FROM records WHERE id IN", [entry.id for entry in given])}
    recorded = []
    for entry in given:
        is_new = entry.id not in known and entry.id not in entries
        recorded.append(Recorded(entry.id, entry.subject or "", is_new))
        if is_new:
            entries[entry.id] = entry
    return Prepared(list(entries.values()), recorded)


def make_review(
    case: Case, *, decision: Decision, reason: str, note: str, who: str, key: str | None, request_id: str | None
) -> Entry:
    """The entry of a review, the final word on a decision until the next review; raises ErasedDecision."""
    if case.decision.payload is None:
        raise ErasedDecision(f"the data of decision {case.decision.id} was erased: nothing more is recorded about it")
    return Entry(
        id=IdSource().reserve(1)[0],
        kind="review",
        time=now(),
        payload=_encode(ReviewPayload(who, reason, note)).decode(),
        request_id=request_id,
        key=key,
        subject=case.decision.id,
        applicant=case.decision.applicant,
        decision=decision,
    )


def _find_decisions(store: Store, outcomes: Sequence[Outcome]) -> tuple[dict[str, _Found], dict[str, list[_Found]]]:
    """The decisions that outcomes name by id, and those of the applicants that they name."""
    sql = "SELECT id, time, applicant, payload IS NULL FROM records WHERE kind = 'decision' AND {} IN"
    ids = {outcome.decision_id for outcome in outcomes if outcome.decision_id is not None}
    keys = {search_key(outcome.applicant) for outcome in outcomes if outcome.applicant is not None}
    by_id: dict[str, _Found] = {}
    by_applicant: dict[str, list[_Found]] = {}
    for row in select_in(store, sql.format("id"), [id for id in ids if is_id(id)]):
        by_id[row[0]] = _Found(*row)
    for row in select_in(store, sql.format("applicant"), list(keys)):
        by_applicant.setdefault(row[2], []).append(_Found(*row))
    return by_id, by_applicant


def _check(outcome: Outcome, time: int) -> None:
    """Raise ValueError unless the values of an outcome are possible in themselves."""
    day = _read_day(outcome.date)
    # Somewhere it is the next day already.
    if day > (EPOCH + time * MICROSECOND + timedelta(hours=14)).date():
        raise ValueError(f"the date is {outcome.date}, expected one that isn't in the future")
    amount = outcome.amount_lost
    if amount is not None and not (math.isfinite(amount) and amount >= 0):
        raise ValueError(f"the amount lost is {amount!r}, expected 0 or more")
    if amount and not outcome.defaulted:
        raise ValueError(f"the amount lost is {amount!r} without a default; leave it out, or set defaulted to true")
    if (outcome.decision_id is None) == (outcome.applicant is None):
        raise ValueError("expected either a decision_id or an applicant")


def _read_day(text: str) -> date:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(f"the date is {quote_value(text)}, expected a day such as 2026-03-05")


def _choose(outcome: Outcome, by_id: dict[str, _Found], by_applicant: dict[str, list[_Found]]) -> _Found:
    """The decision that an outcome belongs to; raises ValueError."""
    if outcome.decision_id is not None:
        found = by_id.get(outcome.decision_id)
        if found is None:
            raise ValueError(f"there is no decision {quote_value(outcome.decision_id)}; check the id")
        if found.is_erased:
            raise ValueError(f"the data of decision {found.id} was erased: nothing more is recorded about it")
        # A day earlier counts too: it may still be the day before where the outcome was noted.
        first = datetime.fromtimestamp(found.time // 1_000_000, UTC).date() - timedelta(days=1)
        if _read_day(outcome.date) < first:
            raise ValueError(f"the date is {outcome.date}, expected one after decision {found.id} was made")
        return found
    applicant = search_key(outcome.applicant) or ""
    if len(applicant) >= MAX_SEARCH_KEY:
        raise ValueError(f"an applicant's id of {MAX_SEARCH_KEY} characters can't be looked up; give the decision_id")
    end = read_time(outcome.date, is_end=True)
    before = [found for found in by_applicant.get(applicant, []) if found.time < end]
    if not before:
        raise ValueError(f"applicant {quote_value(outcome.applicant)} has no decision on or before {outcome.date}")
    return max(before, key=lambda found: (found.time, found.id))


def _make_outcome(outcome: Outcome, decision: _Found, time: int, key: str | None) -> Entry:
    # Nothing is lost without a default; −0 + 0 is 0.
    amount = None if outcome.amount_lost is None or not outcome.defaulted else float(outcome.amount_lost) + 0.0
    payload = OutcomePayload(outcome.date, outcome.defaulted, amount)
    return Entry(
        id=_make_id(decision.id, payload),
        kind="outcome",
        time=time,
        payload=_encode(payload).decode(),
        key=key,
        subject=decision.id,
        applicant=decision.applicant,
    )


def _make_id(subject: str, payload: OutcomePayload) -> str:
    digest = sha256(_encode((subject, payload.date, payload.defaulted, payload.amount_lost))).digest()
    number = int.from_bytes(digest[:16], "big")
    # Version 8 in bits 76 to 79, variant 2 in bits 62 and 63.
    return write_id(number & ~(0xF << 76 | 0x3 << 62) | 0x8 << 76 | 0x2 << 62)
