"""Reading a table as applicants for an existing model, by the contract in its file instead of a card.

Used by `drift` and `compare`. Unlike training they accept unlisted levels, and missing values in any field.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from model.contract import ContractError, Field
from model.loading import load_model
from model.session import Model
from train.dataset import Matrix, decode_column
from train.errors import TrainingError, shorten
from train.table import Table

UNKNOWN = -1.0
"""Code of a level that the model doesn't know: its graph treats it as none of the known levels."""


def open_model(path: Path) -> Model:
    """Load a model file and replay its golden rows; raises TrainingError where the service would refuse it."""
    try:
        return load_model(path)
    except ContractError as error:
        raise TrainingError(f"{path}: {error}") from error


def read_applicants(table: Table, fields: Sequence[Field]) -> Matrix:
    """The columns of a table as the graph expects them: float64, shape (n, n_fields), NaN = missing.

    Raises TrainingError if a column is absent, or a cell of a numeric field is no number.
    """
    absent = [field.name for field in fields if field.name not in table.cells.columns]
    if absent:
        raise TrainingError(
            f"{table.path} has no column {shorten([repr(name) for name in absent], 5)}, which the model needs; "
            "name the table's columns as the model's fields"
        )
    return np.column_stack([_read(table, field) for field in fields])


def _read(table: Table, field: Field) -> Matrix:
    decoded = decode_column(
        table.column(field.name, "a field of the model"), replace(field, nullable=True), table.decimal
    )
    for row, fault in decoded.faults.items():
        if field.kind == "number":
            raise TrainingError(f"field {field.name!r} in {table.line(row)} of {table.path}: {fault}")
        decoded.values[row] = UNKNOWN
    return decoded.values
