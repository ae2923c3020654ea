"""Any table as a model's applicants: read by the contract in the file, without a card.

Used by `drift` and `compare`, which must bear what training refuses: levels nobody listed, gaps where there
were none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from model.contract import ContractError, Field
from model.loading import load_model
from model.session import Model
from train.dataset import Matrix, parse_number
from train.errors import TrainingError
from train.table import Table

UNKNOWN = -1.0
"""Stands for a level that the model doesn't know; its graph treats it as none of the levels."""


def open_model(path: Path) -> Model:
    """Load a model file and replay its golden rows; raises TrainingError where the service would refuse it."""
    try:
        return load_model(path)
    except ContractError as error:
        raise TrainingError(f"{path}: {error}") from error


def read_applicants(table: Table, fields: Sequence[Field]) -> Matrix:
    """The columns of a table as the graph takes them: float64, shape (n, n_fields), NaN = missing.

    Raises TrainingError if a column is absent, or a cell of a number holds something else.
    """
    absent = [field.name for field in fields if field.name not in table.cells.columns]
    if absent:
        raise TrainingError(
            f"{table.path} has no column {', '.join(map(repr, absent[:5]))}"
            f"{f' and {len(absent) - 5} more' if len(absent) > 5 else ''}, which the model takes; "
            "name its columns as the fields of the model"
        )
    return np.column_stack([_read(table, field) for field in fields])


def _read(table: Table, field: Field) -> Matrix:
    cells = table.cells[field.name]
    missing = cells.isna().to_numpy()
    if field.kind == "category":
        codes = pd.Index(field.levels, dtype=str).get_indexer(pd.Index(cells)).astype(np.float64)
        return np.where(missing, np.nan, np.where(codes < 0, UNKNOWN, codes))
    numbers = np.array([parse_number(cell) for cell in cells])
    wrong = ~np.isfinite(numbers) & ~missing
    if wrong.any():
        row = int(wrong.argmax())
        raise TrainingError(
            f"field {field.name!r} is {cells.iloc[row]!r} in line {table.line(row)} of {table.path}, expected a number"
        )
    return numbers
