"""Bodies of the requests and responses about recorded decisions; those of outcomes are in decisions/outcomes.py.

Names here are the public contract of the API; renaming one breaks clients.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from model.policy import DECISIONS, Decision, Probability
from model.results import Result
from serve.schemas.responses import ModelResponse

NOT_BLANK, NO_NUL = r"^[^\x00]*[^\x00\s][^\x00]*$", r"^[^\x00]*$"
"""Patterns of texts; PostgreSQL's JSON functions don't take the character NUL."""

DEFAULT_PAGE, MAX_PAGE = 50, 500
"""Decisions of a page."""

MAX_OUTCOMES = 1_000
"""Outcomes of one body; each is looked up."""

EXAMPLE_ID = "0195a0c4-7d1b-7c3e-8f42-5b1d9a6e0c77"

DECISION_ID: dict[str, Any] = {"type": "string", "format": "uuid", "examples": [EXAMPLE_ID]}
"""Schema of the id in a path."""

_TIME = {
    "anyOf": [
        {"type": "string", "pattern": "^[12][0-9]{3}-(0[1-9]|1[0-2])$"},
        {"type": "string", "format": "date"},
        {"type": "string", "format": "date-time"},
    ]
}

LIST_QUERY: dict[str, dict[str, Any]] = {
    "applicant": {"type": "string", "minLength": 1, "examples": ["A-17"]},
    "from": _TIME | {"examples": ["2026-03-05T10:00:00Z"]},
    "to": _TIME | {"examples": ["2026-03"]},
    "decision": {"enum": list(DECISIONS)},
    "model": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
    "open": {"type": "boolean"},
    "limit": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE},
    "cursor": {"type": "string", "format": "uuid"},
}
"""Query parameters of GET /v1/decisions."""

ReviewReason = Annotated[str, Meta(min_length=1, max_length=500, pattern=NOT_BLANK)]
ReviewNote = Annotated[str, Meta(max_length=5_000, pattern=NO_NUL)]
Reviewer = Annotated[str, Meta(min_length=1, max_length=200, pattern=NOT_BLANK)]


class DecisionSummary(Struct, frozen=True):
    """A recorded decision. `time`: RFC 3339, UTC. `decision`: of the model; `final_decision`: of the latest review.

    `applicant`: the id as given, as text; null once it has been erased.
    """

    id: str
    time: str
    applicant: str | None
    model_name: str
    model_version: str
    model_sha256: str
    probability: Probability
    decision: Decision
    points: int
    final_decision: Decision | None
    is_erased: bool


class DecisionsResponse(Struct, frozen=True):
    """The response of GET /v1/decisions, the newest first. `next`: the `cursor` of the next page, null on the last."""

    decisions: list[DecisionSummary]
    next: str | None


class Review(Struct, frozen=True, tag_field="kind", tag="review"):
    """What a person decided, and why. `key`: name of the API key; `reason`, `note`, `who`: null once erased."""

    id: str
    time: str
    key: str | None
    decision: Decision
    reason: str | None
    note: str | None
    who: str | None


class KnownOutcome(Struct, frozen=True, tag_field="kind", tag="outcome"):
    """What became of a decision. `date`, `defaulted`: null once erased, as `amount_lost`, which only a default has."""

    id: str
    time: str
    key: str | None
    date: str | None
    defaulted: bool | None
    amount_lost: float | None


class CaseResponse(Struct, frozen=True):
    """The response of GET /v1/decisions/{id}: the record, and what follows from it by the model file that decided.

    `key`: name of the API key. `reasons`: how many were asked for. `chain`, `sequence`, `hash`: its place in the chains
    of records; `chain` is text, since it is a number beyond those of JavaScript. `inputs`: by field, null = missing.
    `result`: replayed, as POST /score gives it, with all reasons. `is_identical`: whether probability, decision and
    points are those on record, to the bit. These three are null once the data has been erased. `history`: the oldest
    first.
    """

    decision: DecisionSummary
    request_id: str | None
    key: str | None
    reasons: int
    chain: str
    sequence: int
    hash: str
    inputs: dict[str, float | str | None] | None
    result: Result | None
    is_identical: bool | None
    model: ModelResponse
    history: list[Review | KnownOutcome]


class ReviewBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST /v1/decisions/{id}/review: the final decision, why, and the name of who takes it."""

    decision: Decision
    reason: ReviewReason
    who: Reviewer
    note: ReviewNote = ""


class OutcomeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a decision, named by `decision_id` or by `applicant`: one of the two is given.

    `date`: the day on which it was known. `amount_lost`: only of a default.
    """

    date: Annotated[str, Meta(extra_json_schema={"format": "date"})]
    defaulted: bool
    amount_lost: Annotated[float, Meta(ge=0)] | None = None
    decision_id: Annotated[str, Meta(extra_json_schema={"format": "uuid"})] | None = None
    applicant: str | int | None = None


class OutcomesBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST /v1/outcomes."""

    outcomes: Annotated[list[OutcomeBody], Meta(min_length=1, max_length=MAX_OUTCOMES)]


class RecordedOutcome(Struct, frozen=True):
    """An outcome's id and its decision. `is_new`: false if it was on record before."""

    id: str
    decision_id: str
    is_new: bool


class OutcomesResponse(Struct, frozen=True):
    """The response of POST /v1/outcomes, in the order of the body."""

    outcomes: list[RecordedOutcome]
