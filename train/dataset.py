"""Encoding of a table as one float64 matrix, in the order and encoding of the graph's input.

A number is unchanged, a category is the index of its level in the card, a missing value is NaN. Training, proof and
serving all use this encoding, which must not change silently.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_float_dtype

from model.contract import Field
from model.messages import describe_limit
from model.missing import blank_codes
from model.vocabulary import CellError, Decimal, parse_number, read_cell
from train.card import Card, CardField
from train.contract import make_field, make_fields
from train.errors import TrainingError
from train.protected import list_compared
from train.table import Table, format_floats
from train.target import Labels, encode_target
from train.times import read_times

MIN_VALUES = 20
"""Smallest number of rows with a value: a rarer one may be absent from a whole fold."""

MIN_WEIGHT = 1e-12
"""Smallest weight as a share of the largest: what is smaller is lost where the two are added up."""

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Rows for training: X float64, shape (n, n_fields); y int64, shape (n,), 1 = default.

    `weight`: applicants that each row stands for, float64, shape (n,), with mean 1; None if the card names no weight.
    `time`: when each applicant applied, int64, shape (n,), days since 1970 of the first day of the day, month, quarter
    or year. `group`: int64, shape (n,), the same for rows of one group. Both are None if the card names no such column.
    """

    X: Matrix
    y: Labels
    weight: Matrix | None = None
    time: Labels | None = None
    group: Labels | None = None

    def take(self, rows: npt.NDArray[np.int64]) -> Dataset:
        """The subset of these row numbers; the weights keep their scale."""
        return Dataset(
            self.X[rows],
            self.y[rows],
            None if self.weight is None else self.weight[rows],
            None if self.time is None else self.time[rows],
            None if self.group is None else self.group[rows],
        )


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
    X = np.column_stack(encode_fields(table, card, make_fields(card)))
    weight = None if card.dataset.weight is None else encode_weight(table, card.dataset.weight)
    time = None if card.dataset.time is None else read_times(table, card.dataset.time, card.dataset.time_format).days
    group = None if card.dataset.group is None else encode_group(table, card.dataset.group)
    return Dataset(X, y, weight, time, group)


def encode_weight(table: Table, name: str) -> Matrix:
    """The weight of each row, float64, shape (n,), with mean 1.

    Raises TrainingError unless all are positive, and the smallest is at least MIN_WEIGHT of the largest.
    """
    column = table.column(name, "the weight")
    cells = column if is_float_dtype(column) else column.map(lambda text: parse_number(text, table.decimal))
    weight = cells.to_numpy(np.float64)
    wrong = ~(np.isfinite(weight) & (weight > 0))
    if wrong.any():
        row = int(wrong.argmax())
        raise TrainingError(
            f"the weight {name!r} is {str(column.iloc[row])!r} in {table.line(row)} of {table.path}, expected a number "
            "above 0; correct it, or leave the row out"
        )
    smallest, largest = float(weight.min()), float(weight.max())
    if smallest / largest < MIN_WEIGHT:
        raise TrainingError(
            f"the weight {name!r} of {table.path} goes from {smallest:g} to {largest:g}: the smallest counts for "
            f"nothing beside the largest, expected at least {MIN_WEIGHT:g} of it; correct the weights, or leave such "
            "rows out"
        )
    # First by a power of two, which keeps every digit: the mean of huge weights would be infinite.
    weight = np.ldexp(weight, -int(np.frexp(largest)[1]))
    scaled: Matrix = weight / weight.mean()
    return scaled


def encode_group(table: Table, name: str) -> Labels:
    """The group of each row as a number, int64, shape (n,); raises TrainingError if a cell is empty."""
    cells = table.texts(name, "the group")
    empty = (cells == "").to_numpy()
    if empty.any():
        raise TrainingError(
            f"the group {name!r} is empty in {table.line(int(empty.argmax()))} of {table.path}; every row needs one: "
            "give a row that is alone in its group a value of its own"
        )
    return pd.factorize(cells)[0].astype(np.int64)


def encode_protected(table: Table, card: Card) -> dict[str, Matrix]:
    """The fields with use = false and protected inputs, float64, shape (n,) each, encoded as inputs are.

    Categories without listed levels are left out. Raises TrainingError as `encode_table` does.
    """
    names = list_compared(card)
    kept = {name: one for name, one in card.fields.items() if name in names and (one.kind == "number" or one.levels)}
    return _encode_groups(table, card, kept)


def encode_segments(table: Table, card: Card) -> dict[str, Matrix]:
    """The fields with segment = true, float64, shape (n,) each, encoded as inputs are."""
    return _encode_groups(table, card, {name: one for name, one in card.fields.items() if one.segment})


def _encode_groups(table: Table, card: Card, kept: Mapping[str, CardField]) -> dict[str, Matrix]:
    """Fields that only the report reads: numbers that stand for a missing value are NaN."""
    fields = [make_field(name, one) for name, one in kept.items()]
    columns = encode_fields(table, card, fields)
    return {
        field.name: blank_codes(column[:, None], [field])[:, 0] for field, column in zip(fields, columns, strict=True)
    }


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
    present = int((np.isfinite(decoded.values) & ~np.isin(decoded.values, field.missing)).sum())
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
