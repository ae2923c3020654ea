"""Applicants through the door: the accepted, with outcomes, and the rejected, without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import structs

from train.card import Card
from train.contract import make_fields
from train.dataset import Matrix, decode_column, encode_weight
from train.errors import TrainingError
from train.table import Table

UNKNOWN = -1.0
"""Code of a level that no accepted applicant has."""


@dataclass(frozen=True, slots=True)
class Group:
    """The accepted or the rejected: X float64, shape (n, n_fields), weights float64, shape (n,), on one scale."""

    X: Matrix
    weight: Matrix

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.X)

    @property
    def total(self) -> float:
        """How many applicants they stand for, in units of the mean accepted row."""
        return float(self.weight.sum())


def join(accepted: npt.NDArray[Any], rejected: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Both groups, the accepted first."""
    return np.concatenate([accepted, rejected])


def read_rejected(rejected: Table, accepted: Table, card: Card) -> Group:
    """The rejected as the model takes them, with weights in units of the mean weight of the accepted.

    Levels that the card doesn't list are UNKNOWN, and any field may be missing: these rows are never trained on. Raises
    TrainingError for a cell of a number that is none.
    """
    columns = []
    for field in make_fields(card):
        decoded = decode_column(
            rejected.column(field.name, "a field of the card"), structs.replace(field, nullable=True), rejected.decimal
        )
        for row, fault in decoded.faults.items():
            if field.kind == "number" and card.dataset.bad_cells == "stop":
                raise TrainingError(
                    f"field {field.name!r} in {rejected.line(row)} of {rejected.path}, of a rejected applicant: "
                    f"{fault}; correct the table, or read such cells as missing with --bad-cells missing"
                )
            decoded.values[row] = np.nan if field.kind == "number" else UNKNOWN
        columns.append(decoded.values)
    return Group(np.column_stack(columns), _read_weight(rejected, accepted, card.dataset.weight))


def _read_weight(rejected: Table, accepted: Table, name: str | None) -> Matrix:
    if name is None:
        return np.ones(len(rejected.lines))
    whole = rejected.whole or rejected
    weight = encode_weight(whole, name)
    of_accepted = float(weight[np.isin(whole.lines, accepted.lines)].mean())
    return np.asarray(weight[np.isin(whole.lines, rejected.lines)] / of_accepted)
