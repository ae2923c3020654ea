"""What the service answers, as typed structs; the types of its requests are made from the contract (requests.py).

Names here are the public contract of the API; renaming one breaks clients.
"""

from __future__ import annotations

from msgspec import Struct

from model.bins import Bins
from model.changes import Change
from model.contract import Contract, Field
from model.policy import Policy, Probability
from model.reasons import Reason, Remark


class Fault(Struct, frozen=True):
    """One thing wrong with a body: where (a JSON pointer, RFC 6901) and what was expected there."""

    pointer: str
    detail: str


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
