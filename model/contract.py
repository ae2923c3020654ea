"""The contract inside model.onnx: everything about a model except its graph.

Written by train/export, read by everything that serves or scores. Each attribute of `Contract` is
one entry of the file's metadata_props, as JSON.

Raise CONTRACT_VERSION whenever older code could misread a new file, or newer code an old file: an attribute
is removed, renamed or gets another meaning; an input or output of the graph changes. A new attribute with a
default does not need a new version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from model.bins import Bins
from model.policy import Policy
from model.scorecard import Scorecard

CONTRACT_VERSION = 1

MAX_MAGNITUDE = 1e100
"""Numbers beyond ± this are refused: nothing measurable is so large, and the graph could overflow."""


EXPORT_AGAIN = "export it again: python -m train CARD.toml, or python -m train import"
"""Next step in the message of a ContractError."""


class ContractError(Exception):
    """A model file can't be served; the message says what was found, what was expected and what to do."""


class Field(Struct, frozen=True):
    """One input of the model: one column of the graph's `applicants`.

    A number travels as itself, a category as the index of its level, a missing value as NaN. `minimum` and `maximum`
    are the documented bounds: a number beyond is scored with a warning. `lowest` and `highest`: a number beyond has no
    answer and is refused, such as one without a logarithm; None where only MAX_MAGNITUDE is a limit. `missing`: numbers
    that the graph takes as missing.
    """

    name: str
    label: str
    unit: str
    kind: Literal["number", "category"]
    levels: tuple[str, ...]
    minimum: float | None
    maximum: float | None
    nullable: bool
    reason: str
    changeable: bool = False
    lowest: float | None = None
    highest: float | None = None
    missing: tuple[float, ...] = ()

    @property
    def is_limited(self) -> bool:
        """Whether it refuses numbers within ±MAX_MAGNITUDE."""
        return self.lowest is not None or self.highest is not None

    @property
    def limits(self) -> tuple[float, float]:
        """The lowest and the highest number that is taken."""
        return (
            -MAX_MAGNITUDE if self.lowest is None else self.lowest,
            MAX_MAGNITUDE if self.highest is None else self.highest,
        )

    def takes(self, number: float) -> bool:
        """Whether a number is within the limits; faster than to compare it with `limits`."""
        return (
            abs(number) <= MAX_MAGNITUDE
            and (self.lowest is None or number >= self.lowest)
            and (self.highest is None or number <= self.highest)
        )


class Training(Struct, frozen=True):
    """Provenance of the model: everything needed to train it again.

    `data_sha256`: the SHA-256 of the training table, or of the imported files. `settings`: the tuned hyperparameters
    of the estimator. An imported model has no rows, no default rate and no settings. `time`, `time_format`, `group`:
    columns of the table that the hold-out was chosen by, '' if it has none; `since`: the first day of the hold-out, ISO
    8601, '' if it is random; `holdout_share`: of a random one. `correction`: intercept and slope of a line through the
    estimator's log-odds that is part of the graph, fitted across the folds; None if there is none. `target`, `default`:
    the column of the outcome, and its text that means default; '' in an imported model and in older files.
    `accepted`, `accepted_value`: the column that says who was accepted, and its text that means so, where the table has
    other applicants too; '' if it hasn't.
    """

    estimator: str
    rows: int
    holdout_rows: int
    default_rate: float | None
    seed: int
    data_sha256: str
    card_sha256: str
    commit: str
    libraries: dict[str, str]
    settings: dict[str, int | float] = {}
    time: str = ""
    time_format: str = ""
    since: str = ""
    group: str = ""
    holdout_share: float = 0.2
    correction: tuple[float, float] | None = None
    target: str = ""
    default: str = ""
    accepted: str = ""
    accepted_value: str = ""


Unit = Literal["log-odds", "probability", "uncalibrated log-odds", "uncalibrated probability"]
"""The unit of a model's score: the log-odds or the probability of default, or, where a calibration or an average of
several classifiers stands between them and the probability, what they give before it."""

Definition = Literal["interventional", "path-dependent"]
"""What an absent field is in the definition of the Shapley values: a reference applicant's value, or an average over
the branches of each tree, weighted by the training rows that followed them."""


class Attribution(Struct, frozen=True):
    """What the contributions are: exact Shapley values of the score, in its unit."""

    unit: Unit = "log-odds"
    definition: Definition = "interventional"

    def __str__(self) -> str:
        unit = {
            "log-odds": "the log-odds of default",
            "probability": "the probability of default",
            "uncalibrated log-odds": "the log-odds of default before calibration",
            "uncalibrated probability": "the probability of default before calibration",
        }[self.unit]
        if self.definition == "interventional":
            return f"Contributions are exact Shapley values of {unit}, relative to a reference population."
        return (
            f"Contributions are exact path-dependent Shapley values of {unit}: a field that is left out counts as the "
            "average over the branches of each tree, weighted by the training rows in them."
        )


class Golden(Struct, frozen=True):
    """Golden rows: synthetic applicants and the answers that the graph must give, replayed at load.

    `applicants`: one tuple of n_fields values for each row, None = missing. `score`: what contributions add up to;
    empty if it is the log-odds of `probability`.
    """

    applicants: tuple[tuple[float | None, ...], ...]
    probability: tuple[float, ...]
    decision: tuple[int, ...]
    score: tuple[float, ...] = ()


class Contract(Struct, frozen=True):
    """All metadata of one model file.

    `base_value`: mean score of the reference population, or of the training rows; base_value + the applicant's
    contributions = the applicant's score. `attribution`: what score and contributions are. `bins`: a histogram for
    each field, in the order of `fields`. `probability_bins`: the histogram of the training applicants' out-of-
    sample probabilities, for a scorecard of its own. Both are empty in a model that was imported without data.
    `rows_at_once`: the batch size at which the graph is fastest, without contributions. `id`: the id column of the
    training table, which is no field. `parent`: the SHA-256 of the file that this one was recalibrated from;
    `training` and `bins` are that one's, `version` and `trained_at` are of the recalibration, and `metrics` are
    those that it doesn't change. `scorecard`: the points table of a scorecard that wasn't recalibrated.
    """

    contract_version: int
    name: str
    version: str
    trained_at: str
    fields: tuple[Field, ...]
    policy: Policy
    base_value: float
    training: Training
    metrics: dict[str, float]
    golden: Golden
    bins: tuple[Bins, ...] = ()
    probability_bins: Bins | None = None
    # A multiple of 16: matrix kernels take rows in blocks, and a remainder may differ in the last bit.
    rows_at_once: Annotated[int, Meta(ge=16, multiple_of=16)] = 256
    id: str | None = None
    attribution: Attribution = Attribution()
    parent: str | None = None
    scorecard: Scorecard | None = None

    @property
    def expected_probability(self) -> float | None:
        """The mean probability of applicants like those of the training; unknown after a recalibration."""
        return self.training.default_rate if self.parent is None else None


def write_contract(contract: Contract) -> dict[str, str]:
    """The contract as metadata_props: attribute → JSON, the same bytes for the same contract."""
    return {
        name: msgspec.json.encode(getattr(contract, name), order="deterministic").decode()
        for name in Contract.__struct_fields__
    }


def read_contract(metadata: Mapping[str, str]) -> Contract:
    """Read metadata_props; raises ContractError if they are absent, malformed or of another contract version."""
    try:
        known: dict[str, Any] = {
            name: msgspec.json.decode(metadata[name]) for name in Contract.__struct_fields__ if name in metadata
        }
        version = known.get("contract_version")
        if version != CONTRACT_VERSION:
            raise ContractError(
                f"the model file has contract version {version!r}, expected {CONTRACT_VERSION}; "
                "export it again with this version of the code: python -m train CARD.toml"
            )
        contract = msgspec.convert(known, Contract)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ContractError(f"the model file's metadata can't be read: {error}; {EXPORT_AGAIN}") from error
    for field in contract.fields:
        if not field.reason:
            raise ContractError(
                f"field {field.name!r} of the model file has no reason text; "
                f"add one to the dataset card and {EXPORT_AGAIN}"
            )
    known_inputs = {(column, field.name, field.missing) for column, field in enumerate(contract.fields)}
    for one in contract.policy.inputs:
        if (one.column, one.field, one.missing) not in known_inputs:
            raise ContractError(
                f"the policy of the model file refers to {one.field!r} in column {one.column}, which isn't that field; "
                f"{EXPORT_AGAIN}"
            )
    return contract
