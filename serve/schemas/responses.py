"""Response bodies of the service; `Result` is in model/results.py, request bodies are in requests.py.

Names here are the public contract of the API; renaming one breaks clients.
"""

from __future__ import annotations

from msgspec import Struct

from model.bins import Bins
from model.contract import Contract, Field, Unit
from model.policy import Policy
from model.results import Result
from model.scorecard import Scorecard


class Fault(Struct, frozen=True):
    """One fault of a request body: a JSON pointer (RFC 6901) and what was expected there."""

    pointer: str
    detail: str


class ModelIdentity(Struct, frozen=True):
    """The model that answered; `sha256` is of its file."""

    name: str
    version: str
    sha256: str


class ScoreResponse(Struct, frozen=True):
    """The response of POST /score, results in the order of the applicants."""

    results: list[Result]
    model: ModelIdentity


class TableDialect(Struct, frozen=True):
    """How a table is written; `decimal` is null where its numbers don't show the decimal mark."""

    separator: str
    decimal: str | None
    encoding: str


class RowFault(Struct, frozen=True):
    """Why a row can't be scored: a fault of one field, or of the whole row (null)."""

    field: str | None
    detail: str


class TableRow(Struct, frozen=True):
    """A row of a table, from this line on, and its applicant, as POST /score takes it, unless there are faults.

    A value with a fault is the text of its cell; a row with too few or too many cells has no applicant.
    """

    line: int
    id: str | None
    applicant: dict[str, float | str | None] | None
    faults: list[RowFault]


class TableResponse(Struct, frozen=True):
    """The response of POST /applicants: every row of the table, in order; `read_as`: its dialect in words."""

    read_as: str
    dialect: TableDialect
    rows: list[TableRow]


class ModelResponse(Struct, frozen=True):
    """The response of GET /model: the contract without its golden rows; `bins` in the order of `fields`.

    `attribution`: what contributions are, in words. `unit`: of contributions and `base_value`. `base_points`: the
    points at `base_value`; null where contributions aren't in log-odds. `points_per_log_odds`: how many points one
    unit of log-odds of default takes away; a contribution c in log-odds is −c · points_per_log_odds points.
    `scorecard`: the points table of a scorecard, null for other models.
    """

    name: str
    version: str
    sha256: str
    contract_version: int
    trained_at: str
    fields: tuple[Field, ...]
    policy: Policy
    scorecard: Scorecard | None
    base_value: float
    attribution: str
    unit: Unit
    base_points: int | None
    points_per_log_odds: float
    metrics: dict[str, float]
    bins: tuple[Bins, ...]
    probability_bins: Bins | None


class Problem(Struct, frozen=True, omit_defaults=True):
    """An error as application/problem+json (RFC 9457); `error` repeats `detail`."""

    type: str
    title: str
    status: int
    detail: str
    error: str
    errors: list[Fault] = []
    request_id: str = ""


class RecordingResponse(Struct, frozen=True):
    """How the recording of decisions goes: numbers of decisions that wait for the database, and in the local spool."""

    is_connected: bool
    waiting: int
    spooled: int


class ReadyResponse(Struct, frozen=True, omit_defaults=True):
    """The response of GET /readyz; `decisions` where decisions are recorded."""

    status: str
    model: ModelIdentity
    decisions: RecordingResponse | None = None


def describe_model(contract: Contract, sha256: str) -> ModelResponse:
    """The response of GET /model for a contract and the sha256 of its file."""
    points = contract.policy.points
    return ModelResponse(
        name=contract.name,
        version=contract.version,
        sha256=sha256,
        contract_version=contract.contract_version,
        trained_at=contract.trained_at,
        fields=contract.fields,
        policy=contract.policy,
        scorecard=contract.scorecard,
        base_value=contract.base_value,
        attribution=str(contract.attribution),
        unit=contract.attribution.unit,
        base_points=int(points.at_log_odds(-contract.base_value)) if contract.attribution.unit == "log-odds" else None,
        points_per_log_odds=points.factor,
        metrics=contract.metrics,
        bins=contract.bins,
        probability_bins=contract.probability_bins,
    )
