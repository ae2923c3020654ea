"""The contract inside model.onnx: all that is known of a model beside its graph.

Written by train/export, read by everything that serves or scores. Each attribute of `Contract` is
one entry of the file's metadata_props, as JSON.

CONTRACT_VERSION is raised whenever a file written before could be misread by the code after, or the
other way round: an attribute or a level of meaning removed, renamed or reinterpreted; an input or
output of the graph changed. A new attribute with a default does not raise it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from model.bins import Bins
from model.policy import Policy

CONTRACT_VERSION = 1

LARGEST = 1e100
"""Numbers beyond ± this are refused: nothing that people measure, and a graph may overflow on them."""


class ContractError(Exception):
    """A model file can't be served; the message says what it holds, what was expected and what to do."""


class Field(Struct, frozen=True):
    """One input of the model: one column of the graph's `applicants`.

    A number travels as itself, a category as the index of its level, a missing value as NaN.
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


class Training(Struct, frozen=True):
    """How the model came to be, so that somebody else can make it again.

    `data_sha256` is of the table. `settings`: what the estimator was made with beyond what is never tuned.
    A model that was fitted elsewhere has no rows, no default rate and no settings, and `data_sha256` is of
    the files it was imported from.
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


class Golden(Struct, frozen=True):
    """Synthetic applicants and the answers the graph must give: the file's proof of itself.

    `applicants`: one tuple of n_fields values a row, None = missing.
    """

    applicants: tuple[tuple[float | None, ...], ...]
    probability: tuple[float, ...]
    decision: tuple[int, ...]


class Contract(Struct, frozen=True):
    """All metadata of one model file.

    `base_value`: mean log-odds of the reference population; with an applicant's contributions it adds up to
    the applicant's log-odds. `bins`: of each field, in their order; `probability_bins`: of the probabilities that
    the training applicants got from a model that hadn't seen them. A model without known applicants has neither.
    `rows_at_once`: how many rows the graph takes at once fastest, without contributions.
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
    # A multiple of 16: a matrix product may differ in the last bit for rows that its kernel leaves over.
    rows_at_once: Annotated[int, Meta(ge=16, multiple_of=16)] = 256


def write_contract(contract: Contract) -> dict[str, str]:
    """The contract as metadata_props: attribute → JSON, always the same bytes for the same contract."""
    return {
        name: msgspec.json.encode(getattr(contract, name), order="deterministic").decode()
        for name in Contract.__struct_fields__
    }


def read_contract(metadata: Mapping[str, str]) -> Contract:
    """Read metadata_props back; raises ContractError if the file is not one of ours, or of another version."""
    try:
        known: dict[str, Any] = {
            name: msgspec.json.decode(metadata[name]) for name in Contract.__struct_fields__ if name in metadata
        }
        version = known.get("contract_version")
        if version != CONTRACT_VERSION:
            raise ContractError(
                f"the model file has contract version {version!r}, expected {CONTRACT_VERSION}; "
                "export it again with this version of the code: python -m train"
            )
        contract = msgspec.convert(known, Contract)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ContractError(
            f"the model file's metadata can't be read: {error}; export it again: python -m train"
        ) from error
    for field in contract.fields:
        if not field.reason:
            raise ContractError(
                f"field {field.name!r} of the model file has no reason text; "
                "add one to the dataset card and export again: python -m train"
            )
    return contract
