"""Types of the API's JSON for decisions on record: the parts of /v1/decisions that the client uses.

What has been erased is None. Unknown attributes are ignored, so that a newer service may send more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from client.responses import Applicant, Decision, Model, Result

Recording = Literal["off", "forbidden", "on"]
"""Whether the service records its decisions; "forbidden" where it does, but the key has no right to read them."""


class CaseSummary(Struct, frozen=True):
    """One decision of a model; `time` is RFC 3339, `final_decision` that of the latest review."""

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


class CasePage(Struct, frozen=True):
    """GET /v1/decisions: newest first; `next` is the cursor of the next page, None on the last."""

    decisions: tuple[CaseSummary, ...]
    next: str | None


class CaseEvent(Struct, frozen=True):
    """What happened after the decision: a review by a person, or the outcome of the loan."""

    id: str
    time: str
    kind: Literal["review", "outcome"]
    decision: Decision | None = None
    reason: str | None = None
    note: str | None = None
    who: str | None = None
    date: str | None = None
    defaulted: bool | None = None
    amount_lost: float | None = None


class Case(Struct, frozen=True):
    """GET /v1/decisions/{id}: the record, its replay by the model that decided, and what happened since, oldest first.

    `result` is the replay; `is_identical` says whether it has the same probability, decision and points as the record.
    """

    decision: CaseSummary
    key: str | None
    inputs: Applicant | None
    result: Result | None
    is_identical: bool | None
    model: Model
    history: tuple[CaseEvent, ...]

    @property
    def review(self) -> CaseEvent | None:
        """The latest review, which is the final word."""
        return next((event for event in reversed(self.history) if event.kind == "review"), None)


class Review(Struct, frozen=True, omit_defaults=True):
    """POST /v1/decisions/{id}/review: the decision of a person."""

    decision: Decision
    reason: str
    who: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Search:
    """What to list: an applicant's id and the model's decision ('' = any), times in RFC 3339 (`end` exclusive, '' =
    any), and whether only cases whose last word is a review."""

    applicant: str = ""
    decision: str = ""
    start: str = ""
    end: str = ""
    is_open: bool = False
