"""Types of the API's JSON: the parts of GET /model, POST /score and POST /applicants that the client uses.

CONTRACT_VERSION is the contract version that these structs were written for. Unknown attributes are ignored, so that
a newer service may send more; attributes without a default are required.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct, structs

CONTRACT_VERSION = 1

Value = float | str | None
"""Value of one field of an applicant: a number, a level of a category, or None where it is missing."""

Applicant = dict[str, Value]
"""Field name → value, for every field of the model."""

Decision = Literal["accept", "review", "refuse"]


class ContractVersion(Struct, frozen=True):
    """The contract version alone, checked before the rest of GET /model is decoded; None if absent."""

    contract_version: int | str | None = None


class Field(Struct, frozen=True):
    """One input field of the model."""

    name: str
    label: str
    kind: Literal["number", "category"]
    unit: str = ""
    levels: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = False
    changeable: bool = False
    missing: tuple[float, ...] = ()

    def is_missing(self, value: Value) -> bool:
        """Whether the service takes a value as missing: none, or a number that stands for that."""
        return value is None or value in self.missing


class ExposureField(Struct, frozen=True):
    """The field that an applicant's exposure is read from."""

    field: str


class Money(Struct, frozen=True):
    """Policy in money: each applicant has thresholds of its own, by its exposure; of all, if that is a number."""

    exposure: ExposureField | float


class Rule(Struct, frozen=True):
    """A rule of the lender; `when`: its condition, in which each input names its field."""

    name: str
    when: Any

    @property
    def fields(self) -> list[str]:
        """The names of the fields that the condition reads, each once, in its order."""
        return list(dict.fromkeys(_find_fields(self.when)))


def _find_fields(condition: Any) -> Iterator[str]:
    if isinstance(condition, list):
        yield from (field for part in condition for field in _find_fields(part))
    elif isinstance(condition, dict):
        if isinstance(condition.get("field"), str):
            yield condition["field"]
        yield from (field for part in condition.values() for field in _find_fields(part))


class Policy(Struct, frozen=True):
    """Decision thresholds: the probabilities of default from which an applicant is reviewed or refused.

    With `money` these are of the average applicant, and `cost_review` is an amount. `rules` make a decision stricter.
    """

    review_from: float
    refuse_from: float
    cost_review: float | None = None
    money: Money | None = None
    rules: tuple[Rule, ...] = ()


class Model(Struct, frozen=True):
    """GET /model.

    `base_points`: points at the base value of the contributions; None where those are not in log-odds, so that no
    points by field exist. `points_per_log_odds`: points that one unit of
    contribution takes away. `translations`: language code → {text of the dataset card: its translation}; empty if the
    model file has none.
    """

    name: str
    version: str
    sha256: str
    trained_at: str
    fields: tuple[Field, ...]
    policy: Policy
    base_points: int | None
    points_per_log_odds: float
    metrics: dict[str, float]
    translations: dict[str, dict[str, str]] = {}


class Reason(Struct, frozen=True):
    """A field that raised the risk, with its contribution, in the unit that GET /model tells.

    Of a rule that decided, `rule` is its name, and `value` tells the inputs that it reads; these reasons come first.
    """

    field: str
    label: str
    value: str
    contribution: float
    text: str
    rule: str | None = None


class FieldWarning(Struct, frozen=True):
    """A missing value, or one outside its documented bounds; the applicant is scored all the same."""

    field: str
    detail: str


class Change(Struct, frozen=True):
    """Counterfactual: one field changed from `value` to `to`, and the probability and decision that follow."""

    field: str
    label: str
    value: str
    to: str
    probability: float
    decision: Decision
    expected_loss: float | None = None
    expected_profit: float | None = None


class Result(Struct, frozen=True):
    """Result for one applicant; `further`: scalar attributes that this client doesn't show, columns of its tables.

    `expected_loss`, `expected_profit`: of accepting, None where the policy has no money or the exposure isn't known.
    `rules`: names of the rules that decided.
    """

    probability: float
    decision: Decision
    points: int
    reasons: tuple[Reason, ...]
    warnings: tuple[FieldWarning, ...]
    what_would_change: tuple[Change, ...] = ()
    expected_loss: float | None = None
    expected_profit: float | None = None
    rules: tuple[str, ...] = ()
    further: dict[str, float | str] = {}

    @property
    def decision_id(self) -> str:
        """The id of the decision on record; '' if the service doesn't record."""
        return str(self.further.get("decision_id", ""))


class ScoreResponse(Struct, frozen=True):
    """POST /score: results in the order of the applicants."""

    results: tuple[Result, ...]


class RawScoreResponse(Struct, frozen=True):
    """POST /score with all attributes of the results."""

    results: tuple[dict[str, Any], ...]


def add_further(result: Result, attributes: dict[str, Any]) -> Result:
    """The result with the scalars among the attributes that `Result` doesn't declare."""
    further = {
        name: value
        for name, value in attributes.items()
        if name not in ("id", *Result.__struct_fields__) and isinstance(value, float | int | str)
    }
    return structs.replace(result, further=further)


class Dialect(Struct, frozen=True):
    """How the service has read a text table; `decimal` is None where its numbers don't show the decimal mark."""

    separator: str
    decimal: str | None
    encoding: str


class RowFault(Struct, frozen=True):
    """Why a row can't be scored: a fault of one field, or of the whole row."""

    detail: str
    field: str | None = None


class TableRow(Struct, frozen=True):
    """One row of a table and the line that it begins in; a faulty value of the applicant is a text."""

    line: int
    id: str | None
    applicant: Applicant | None
    faults: tuple[RowFault, ...]


class TableResponse(Struct, frozen=True):
    """POST /applicants: every row of the table, in order."""

    dialect: Dialect
    rows: tuple[TableRow, ...]


class ErrorDetail(Struct, frozen=True):
    """One error in a request body: a JSON pointer, and what was expected there."""

    pointer: str
    detail: str


class Problem(Struct, frozen=True):
    """Error response (RFC 9457)."""

    detail: str
    errors: tuple[ErrorDetail, ...] = ()
    type: str = ""
