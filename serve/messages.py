"""What travels over HTTP: the bodies the service reads and the answers it gives, as typed structs.

Names here are the public contract of the API; renaming one breaks clients.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from serve.contract import Bins, Contract, Field, Policy

Probability = Annotated[float, Meta(ge=0, le=1)]


class RawPredictBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /predict before its cells are checked (serve/forms.py has them typed), to name every fault at once."""

    data: list[Any]


class RawScoreBody(Struct, frozen=True, forbid_unknown_fields=True):
    """POST /score before its applicants are checked (serve/forms.py has them typed), to name every fault at once.

    `reasons`: how many at most; `what_would_change`: whether to look for changes that turn a refusal.
    """

    applicants: list[Any]
    reasons: Annotated[float, Meta(ge=0, le=1e100, multiple_of=1)] = 4
    what_would_change: bool = False


class Fault(Struct, frozen=True):
    """One thing wrong with a body: where (a JSON pointer, RFC 6901) and what was expected there."""

    pointer: str
    detail: str


class Remark(Struct, frozen=True):
    """Something a person should know about an applicant that was scored all the same."""

    field: str
    detail: str


class Reason(Struct, frozen=True):
    """A field that raised the risk: its value in words, its contribution to the log-odds, and what to tell."""

    field: str
    label: str
    value: str
    contribution: float
    text: str


class Change(Struct, frozen=True):
    """One field changed, all others as they are, and the decision that follows."""

    field: str
    label: str
    value: str
    to: str
    probability: Probability
    decision: str


class Result(Struct, frozen=True, omit_defaults=True):
    """The answer for one applicant; `id` as given, or null; `what_would_change` for a refusal, where asked for."""

    id: str | int | None
    probability: Probability
    decision: str
    points: int
    reasons: list[Reason]
    warnings: list[Remark]
    what_would_change: list[Change] | None = None


class ModelName(Struct, frozen=True):
    """Which model answered: the sha256 is of the file itself."""

    name: str
    version: str
    sha256: str


class ScoreAnswer(Struct, frozen=True):
    """The answer of POST /score, results in the order of the applicants."""

    results: list[Result]
    model: ModelName


class ModelAnswer(Struct, frozen=True):
    """The answer of GET /model: the contract without its golden rows; `bins` in the order of `fields`."""

    name: str
    version: str
    sha256: str
    contract_version: int
    trained_at: str
    fields: tuple[Field, ...]
    policy: Policy
    base_value: float
    metrics: dict[str, float]
    bins: tuple[Bins, ...]
    probability_bins: Bins | None


class Problem(Struct, frozen=True, omit_defaults=True):
    """An error as application/problem+json (RFC 9457), with `error` for clients that want one string."""

    type: str
    title: str
    status: int
    detail: str
    error: str
    errors: list[Fault] = []
    request_id: str = ""


class ReadyAnswer(Struct, frozen=True):
    """The answer of GET /readyz."""

    status: str
    model: ModelName


def describe_model(contract: Contract, sha256: str) -> ModelAnswer:
    """What GET /model tells of a loaded model."""
    return ModelAnswer(
        name=contract.name,
        version=contract.version,
        sha256=sha256,
        contract_version=contract.contract_version,
        trained_at=contract.trained_at,
        fields=contract.fields,
        policy=contract.policy,
        base_value=contract.base_value,
        metrics=contract.metrics,
        bins=contract.bins,
        probability_bins=contract.probability_bins,
    )
