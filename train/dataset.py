"""Encoding of a table as one float64 matrix, in the order and encoding of the graph's input.

A number is unchanged, a category is the index of its level in the card, a missing value is NaN. Training, proof and
serving all use this encoding, which must not change silently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_float_dtype

from model.contract import Field
from model.messages import describe_limit
from model.vocabulary import CellError, Decimal, parse_number, read_cell
from train.card import Card
from train.contract import make_field, make_fields
from train.errors import TrainingError
from train.table import Table, format_floats
from train.target import Labels, encode_target

MIN_VALUES = 20
"""Smallest number of rows with a value: a rarer one may be absent from a whole fold."""

Matrix = npt.NDArray[np.float64]


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
    return Dataset(np.column_stack(encode_fields(table, card, make_fields(card))), y)


def encode_protected(table: Table, card: Card) -> dict[str, Matrix]:
    """The fields with use = false, float64, shape (n,) each, encoded as inputs are.

    Categories without listed levels are left out. Raises TrainingError as `encode_table` does.
    """
    kept = {name: one for name, one in card.fields.items() if not one.use and (one.kind == "number" or one.levels)}
    fields = [make_field(name, one) for name, one in kept.items()]
    return dict(zip(kept, encode_fields(table, card, fields), strict=True))


def encode_fields(table: Table, card: Card, fields: Sequence[Field]) -> list[Matrix]:
    """Columns as float64, shape (n,) each; raises TrainingError naming the first line that can't be read.

    `fields`: of the card, as fields of the contract.
    """
    return [_encode_field(table, card, field) for field in fields]


def _encode_field(table: Table, card: Card, field: Field) -> Matrix:
    name, role = field.name, "a field of the card"
    decoded = decode_column(table.column(name, role), field, table.decimal)
    if decoded.faults:
        is_kept = card.dataset.bad_cells == "missing" and field.kind == "number" and field.nullable
        row = min(decoded.faults)
        if not is_kept:
            raise TrainingError(
                f"field {name!r} in {table.line(row)} of {table.path}: {decoded.faults[row]}; {_next_step(field)}"
            )
    present = int(np.isfinite(decoded.values).sum())
    if not present:
        raise TrainingError(
            f"column {name!r} ({role}) of {table.path} is empty in all {len(decoded.values):,} rows; "
            "fill it, or leave the field out of the card"
        )
    if field.kind == "number" and card.fields[name].use and present < MIN_VALUES:
        raise TrainingError(
            f"field {name!r} of {table.path} has a value in only {present} rows, expected at least {MIN_VALUES}; "
            "add rows, or set use = false in the card"
        )
    return decoded.values


def _next_step(field: Field) -> str:
    if field.kind == "category":
        return "correct the table, or add the level to the card"
    if not field.nullable:
        return "correct the table, or set nullable = true"
    return "correct the table, or read such cells as missing with --bad-cells missing"


@dataclass(frozen=True, slots=True)
class Decoded:
    """A column as the graph takes it, float64, shape (n,), NaN where missing or invalid; `faults`: row → sentence."""

    values: Matrix
    faults: dict[int, str]


def decode_column(cells: pd.Series[Any], field: Field, decimal: Decimal) -> Decoded:
    """Decode a column by the rule of model/vocabulary.py, each distinct text once."""
    if is_float_dtype(cells):
        if field.kind == "number":
            return _check_floats(cells.to_numpy(np.float64), field)
        cells = format_floats(cells)
    codes, words = pd.factorize(cells)
    values = np.full(len(words), np.nan)
    faults: dict[int, str] = {}
    for code, word in enumerate(words):
        number = parse_number(word, decimal) if field.kind == "number" else None
        try:
            is_taken = number is not None and field.takes(number)
            values[code] = number if is_taken else read_cell(word, field, decimal)
        except CellError as error:
            faults[code] = str(error)
    rows = np.flatnonzero(np.isin(codes, list(faults))).tolist() if faults else []
    return Decoded(values[codes], {row: faults[int(codes[row])] for row in rows})


def _check_floats(values: Matrix, field: Field) -> Decoded:
    """A column of floats from Parquet."""
    lowest, highest = field.limits
    wrong = (values < lowest) | (values > highest)
    if not field.nullable:
        wrong |= np.isnan(values)
    faults = {
        row: "missing; expected a number"
        if np.isnan(values[row])
        else f"expected a number {describe_limit(field, values[row])}, got {values[row]:g}"
        for row in np.flatnonzero(wrong).tolist()
    }
    return Decoded(np.where(wrong, np.nan, values), faults)


def check_ids(table: Table, name: str) -> None:
    """Raise TrainingError if an id is missing or duplicated."""
    cells = table.texts(name, "the id")
    empty = (cells == "").to_numpy()
    if empty.any():
        raise TrainingError(
            f"the id {name!r} is empty in {table.line(int(empty.argmax()))} of {table.path}; every row needs an id"
        )
    twice = cells.duplicated().to_numpy()
    if twice.any():
        row = int(twice.argmax())
        raise TrainingError(
            f"the id {name!r} is {cells.iloc[row]!r} in {table.line(row)} of {table.path} and in an earlier line; "
            "remove the duplicate, or name another id column"
        )
