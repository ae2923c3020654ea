"""What the service answers, as the client reads it: the part of GET /model and POST /score that it uses.

CONTRACT_VERSION is the version of the contract these structs were written for. Unknown attributes are ignored, so
that a service may say more than this client knows; an attribute without a default must be there.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

CONTRACT_VERSION = 1

Value = float | str | None
"""One field of an applicant: a number, the text of a level, or None where it is not known."""

Applicant = dict[str, Value]
"""Field name → value, for every field of the model."""

Decision = Literal["accept", "review", "refuse"]


class Stamp(Struct, frozen=True):
    """The part of GET /model that is read first: which contract it speaks, None if it doesn't say."""

    contract_version: int | str | None = None


class Field(Struct, frozen=True):
    """One question to an applicant."""

    name: str
    label: str
    kind: Literal["number", "category"]
    unit: str = ""
    levels: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = False
    changeable: bool = False


class Points(Struct, frozen=True):
    """The scale of the points: `score` at odds of `odds`:1, `double` more to double the odds."""

    score: float
    odds: float
    double: float


class Policy(Struct, frozen=True):
    """The probabilities of default from which on an applicant is reviewed and refused."""

    review_from: float
    refuse_from: float
    points: Points


class Model(Struct, frozen=True):
    """GET /model.

    `translations`: language → the card's words → the same in that language; empty where the service gives none.
    """

    name: str
    version: str
    sha256: str
    trained_at: str
    fields: tuple[Field, ...]
    policy: Policy
    base_value: float
    metrics: dict[str, float]
    translations: dict[str, dict[str, str]] = {}


class Reason(Struct, frozen=True):
    """A field that raised the risk, with its contribution in log-odds."""

    field: str
    label: str
    value: str
    contribution: float
    text: str


class Remark(Struct, frozen=True):
    """What to know of an applicant that was scored all the same."""

    field: str
    detail: str


class Change(Struct, frozen=True):
    """One field changed, and the decision that follows."""

    field: str
    label: str
    value: str
    to: str
    probability: float
    decision: Decision


class Result(Struct, frozen=True):
    """The answer for one applicant."""

    probability: float
    decision: Decision
    points: int
    reasons: tuple[Reason, ...]
    warnings: tuple[Remark, ...]
    what_would_change: tuple[Change, ...] = ()


class ScoreAnswer(Struct, frozen=True):
    """POST /score, results in the order of the applicants."""

    results: tuple[Result, ...]


class Fault(Struct, frozen=True):
    """One thing wrong with a body: a JSON pointer and what was expected there."""

    pointer: str
    detail: str


class Problem(Struct, frozen=True):
    """An error answer (RFC 9457)."""

    detail: str
    errors: tuple[Fault, ...] = ()
