"""Reading of the requests about recorded decisions: query parameters, reviews and outcomes.

Every function raises InvalidRequest with all faults that it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from decisions.ids import is_id
from decisions.outcomes import Outcome
from decisions.reading import DecisionFilter, read_time
from decisions.record import search_key
from model.messages import quote_value
from model.policy import DECISIONS
from serve.schemas.applicants import escape_pointer
from serve.schemas.decisions import DEFAULT_PAGE, EXAMPLE_ID, MAX_OUTCOMES, MAX_PAGE, OutcomeBody, ReviewBody
from serve.schemas.json_body import Body, decode_body, has_bom
from serve.schemas.problems import InvalidApplicants, InvalidRequest, too_large
from serve.schemas.responses import Fault

T = TypeVar("T")

_review_decoder = msgspec.json.Decoder(ReviewBody)
_outcome_decoder = msgspec.json.Decoder(OutcomeBody)
_members_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_items_decoder = msgspec.json.Decoder(list[msgspec.Raw])


class ListQuery(Struct, frozen=True):
    """Which decisions to list, the cursor of the page, if it isn't the first, and how many at most."""

    chosen: DecisionFilter
    cursor: str | None
    limit: int


class GivenOutcomes(Struct, frozen=True):
    """The outcomes of a body, and the JSON pointer of each."""

    outcomes: list[Outcome]
    pointers: list[str]


def read_list_query(parameters: Iterable[tuple[str, str]]) -> ListQuery:
    """The query of GET /v1/decisions; every parameter may be there once."""
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for name, text in parameters:
        pointer = f"/query/{escape_pointer(name[:100])}"
        if name not in _READERS:
            faults.append(Fault(pointer, f"unknown parameter, expected one of: {', '.join(_READERS)}"))
        elif name in values:
            faults.append(Fault(pointer, "is there twice, expected once"))
        else:
            values[name] = None
            try:
                values[name] = _READERS[name](text)
            except ValueError as error:
                faults.append(Fault(pointer, str(error)))
    if faults:
        raise InvalidRequest(faults)
    chosen = DecisionFilter(
        applicant=values.get("applicant"),
        decision=values.get("decision"),
        start=values.get("from"),
        end=values.get("to"),
        model=values.get("model"),
        is_open=values.get("open", False),
    )
    return ListQuery(chosen, values.get("cursor"), values.get("limit", DEFAULT_PAGE))


def read_review(body: Body) -> ReviewBody:
    """The body of POST /v1/decisions/{id}/review."""
    return _decode(_review_decoder.decode, _skip_bom(body))


def read_outcomes(body: Body) -> GivenOutcomes:
    """The body of POST /v1/outcomes: one outcome, or several as `outcomes`; raises HTTPProblem (413) for too many."""
    body = _skip_bom(body)
    members = _decode(_members_decoder.decode, body)
    if "outcomes" not in members:
        return GivenOutcomes([_read_outcome(body, "")], [""])
    if others := members.keys() - {"outcomes"}:
        raise InvalidRequest([Fault("", f"unknown members beside outcomes: {quote_value(', '.join(sorted(others)))}")])
    items = _decode(_items_decoder.decode, bytes(members["outcomes"]), "/outcomes")
    if not items:
        raise InvalidRequest([Fault("/outcomes", "the list is empty, expected at least one outcome")])
    if len(items) > MAX_OUTCOMES:
        raise too_large("too many outcomes", f"{len(items):,}", f"{MAX_OUTCOMES:,}")
    pointers = [f"/outcomes/{number}" for number in range(len(items))]
    outcomes: list[Outcome] = []
    faults: list[Fault] = []
    for item, pointer in zip(items, pointers, strict=True):
        try:
            outcomes.append(_read_outcome(bytes(item), pointer))
        except InvalidRequest as error:
            faults += error.faults
    if faults:
        raise InvalidRequest(faults)
    return GivenOutcomes(outcomes, pointers)


def _read_outcome(body: Body, pointer: str) -> Outcome:
    return msgspec.convert(_decode(_outcome_decoder.decode, body, pointer), Outcome, from_attributes=True)


def _decode(decode: Callable[[Body], T], body: Body, pointer: str = "") -> T:
    """Decode the JSON that stands at a pointer of the body."""
    try:
        return decode_body(decode, body)
    except InvalidApplicants as error:
        faults = [Fault(pointer + fault.pointer, _explain(fault.detail)) for fault in error.faults]
        raise InvalidRequest(faults) from error


def _explain(message: str) -> str:
    """A message of msgspec, with what was expected where that isn't said in plain words."""
    if "matching regex" in message:
        return "expected text that isn't blank and has no NUL character"
    if message.startswith("Invalid enum value"):
        return f"{message}, expected one of: {', '.join(DECISIONS)}"
    return message


def _skip_bom(body: Body) -> Body:
    return body[3:] if has_bom(body) else body


def _read_applicant(text: str) -> str | None:
    if not text:
        raise ValueError("is empty, expected an applicant's id, such as A-17")
    return search_key(text)


def _read_limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MAX_PAGE):
        raise ValueError(
            f"got {quote_value(text)}, expected a whole number from 1 to {MAX_PAGE}, such as {DEFAULT_PAGE}"
        )
    return int(text)


def _read_cursor(text: str) -> str:
    if not is_id(text):
        raise ValueError(f"got {quote_value(text)}, expected `next` of the page before, such as {EXAMPLE_ID}")
    return text


def _read_sha256(text: str) -> str:
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise ValueError(f"got {quote_value(text)}, expected a SHA-256 of 64 digits, as GET /model has it")
    return text


def _read_word(text: str, words: dict[str, T]) -> T:
    if text not in words:
        raise ValueError(f"got {quote_value(text)}, expected one of: {', '.join(words)}")
    return words[text]


_READERS: dict[str, Callable[[str], Any]] = {
    "applicant": _read_applicant,
    "from": read_time,
    "to": partial(read_time, is_end=True),
    "decision": partial(_read_word, words={name: name for name in DECISIONS}),
    "model": _read_sha256,
    "open": partial(_read_word, words={"true": True, "false": False}),
    "limit": _read_limit,
    "cursor": _read_cursor,
}
"""Query parameter of GET /v1/decisions → function that reads it; raises ValueError with a sentence."""
