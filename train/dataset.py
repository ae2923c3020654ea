"""Encoding of a table as one float64 matrix, in the order and encoding of the graph's input.

A number is unchanged, a category is the index of its level in the card, a missing value is NaN. Training, proof and
serving all use this encoding, which must not change silently.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_float_dtype

from train.card import Card, CardField, CardValue
from train.errors import TrainingError
from train.table import Table

MIN_CLASS_ROWS = 20
"""Smallest number of goods and of defaults that a hold-out and five folds need."""

MIN_VALUES = 20
"""Smallest number of rows with a value: a rarer one may be absent from a whole fold."""

Matrix = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows for training: X float64, shape (n, n_fields); y int64, shape (n,), 1 = default."""

    X: Matrix
    y: Labels

    def take(self, rows: npt.NDArray[np.int64]) -> Dataset:
        """The subset of these row numbers."""
        return Dataset(self.X[rows], self.y[rows])


def encode_table(table: Table, card: Card) -> Dataset:
    """Encode a table by its card.

    Raises TrainingError for the first column that is absent, entirely empty, or has an invalid cell: no number, an
    unlisted level, a missing value in a field that isn't nullable, a duplicate id, a target without exactly two values.
    """
    y = encode_target(table, card.dataset.target, card.dataset.default)
    if card.dataset.id is not None:
        check_ids(table, card.dataset.id)
    # Validates the protected fields too.
    encode_protected(table, card)
    return Dataset(np.column_stack([encode_field(table, name, field) for name, field in card.inputs.items()]), y)


def encode_protected(table: Table, card: Card) -> dict[str, Matrix]:
    """The fields with use = false, float64, shape (n,) each, encoded as inputs are.

    Categories without listed levels are left out. Raises TrainingError as `encode_table` does.
    """
    return {
        name: encode_field(table, name, field)
        for name, field in card.fields.items()
        if not field.use and (field.kind == "number" or field.levels)
    }


def encode_field(table: Table, name: str, field: CardField) -> Matrix:
    """One column as float64, shape (n,); raises TrainingError naming the first line that can't be read."""
    cells = table.column(name, "a field of the card")
    missing = cells.isna().to_numpy()
    if missing.any() and not field.nullable:
        raise TrainingError(
            f"field {name!r} is empty in line {table.line(int(missing.argmax()))} of {table.path}, "
            "but the card doesn't allow missing values; fill it, or set nullable = true"
        )
    if field.kind == "category":
        cells = table.texts(name, "a field of the card")
        codes = pd.Index(field.levels, dtype=str).get_indexer(pd.Index(cells))
        unknown = (codes < 0) & ~missing
        if unknown.any():
            row = int(unknown.argmax())
            raise TrainingError(
                f"field {name!r} has the level {cells.iloc[row]!r} in line {table.line(row)} of {table.path}, "
                f"which the card doesn't list; its levels are: {', '.join(field.levels)}"
            )
        return np.where(missing, np.nan, codes.astype(np.float64))
    is_float = is_float_dtype(cells)
    numbers = cells.to_numpy(np.float64) if is_float else np.array([parse_number(cell) for cell in cells])
    wrong = ~np.isfinite(numbers) & ~missing
    if wrong.any():
        row = int(wrong.argmax())
        raise TrainingError(
            f"field {name!r} is {cells.iloc[row]!r} in line {table.line(row)} of {table.path}, expected a number; "
            "correct the table, or set kind = 'category'"
        )
    present = len(numbers) - int(missing.sum())
    if field.use and present < MIN_VALUES:
        raise TrainingError(
            f"field {name!r} of {table.path} has a value in only {present} rows, expected at least {MIN_VALUES}; "
            "add rows, or set use = false in the card"
        )
    return numbers


def encode_target(table: Table, name: str, default: CardValue) -> Labels:
    """The target as int64, shape (n,), 1 where it is the value that means default."""
    cells = table.texts(name, "the target")
    if cells.isna().any():
        row = int(cells.isna().to_numpy().argmax())
        raise TrainingError(
            f"the target {name!r} is empty in line {table.line(row)} of {table.path}; "
            "remove the rows whose outcome is unknown"
        )
    values = sorted(set(cells))
    if len(values) != 2:
        found = ", ".join(map(repr, values[:5])) + (", …" if len(values) > 5 else "")
        raise TrainingError(
            f"the target {name!r} of {table.path} has {len(values)} distinct values ({found}), expected two: "
            "one for good, one for default"
        )
    y = np.array([is_same(value, default) for value in cells], dtype=np.int64)
    if not y.any():
        raise TrainingError(
            f"no row of {table.path} has the target {name!r} = {default!r}, which the card calls default; "
            f"its values are {values[0]!r} and {values[1]!r}"
        )
    if min(y.sum(), len(y) - y.sum()) < MIN_CLASS_ROWS:
        raise TrainingError(
            f"the target {name!r} of {table.path} has {y.sum()} defaults in {len(y)} rows, expected at least "
            f"{MIN_CLASS_ROWS} defaults and {MIN_CLASS_ROWS} goods; add rows"
        )
    return y


def check_ids(table: Table, name: str) -> None:
    """Raise TrainingError if an id is missing or duplicated."""
    cells = table.texts(name, "the id")
    if cells.isna().any():
        row = int(cells.isna().to_numpy().argmax())
        raise TrainingError(
            f"the id {name!r} is empty in line {table.line(row)} of {table.path}; every row needs an id"
        )
    twice = cells.duplicated().to_numpy()
    if twice.any():
        row = int(twice.argmax())
        raise TrainingError(
            f"the id {name!r} is {cells.iloc[row]!r} in line {table.line(row)} of {table.path} and in an earlier line; "
            "remove the duplicate, or name another id column"
        )


def parse_number(cell: object) -> float:
    """The float64 nearest to a cell's text; NaN if it is missing or no number."""
    try:
        return float(cell) if isinstance(cell, str | float) else np.nan
    except ValueError:
        return np.nan


def are_numbers(cells: Iterable[str | float]) -> bool:
    """Whether every cell is a finite number."""
    return all(np.isfinite(parse_number(cell)) for cell in cells)


def is_same(cell: str, value: CardValue) -> bool:
    """Whether a cell equals a value of the card: as text, as number, or as boolean in any case."""
    if isinstance(value, bool):
        return cell.lower() == str(value).lower()
    return cell == str(value) or (are_numbers([str(value)]) and parse_number(cell) == float(value))
