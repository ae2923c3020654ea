"""From one Arrow column to what the graph takes: float64, NaN = missing, a category as the index of its level.

A cell that may not enter the graph becomes NaN here and is named in the faults, so that its row is rejected and
no other. What is accepted is what POST /score accepts, and text where a file has nothing better: a number as text,
a level padded with blanks, a word for a missing value. Both engines and both file formats pass through here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from model.contract import LARGEST, Field
from model.session import Matrix
from score.errors import ScoringError

MISSING_WORDS = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A"),
    *("NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
)
"""Texts that say a value is missing, unless a level is called so: those of pandas.read_csv, as in training."""

_NAN = pa.scalar(float("nan"), pa.float64())
_MISSING = pa.array(MISSING_WORDS, pa.string())
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?|[+-]?nan", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Cells:
    """A decoded column: float64, shape (n,), and what is wrong with which row (number of the row → sentence)."""

    values: Matrix
    faults: dict[int, str]


def read_column(column: pa.Array, field: Field) -> Cells:
    """Decode one column of a batch; raises ScoringError if its type can't hold the field at all."""
    check_type(column.type, field)
    if types.is_null(column.type):
        values, faults = np.full(len(column), np.nan), dict[int, str]()
    elif field.kind == "category":
        values, faults = _read_levels(column, field)
    else:
        values, faults = _read_numbers(column, field)
    if not field.nullable and np.isnan(values).any():
        for row in np.flatnonzero(np.isnan(values)).tolist():
            faults.setdefault(row, f"missing; expected {expected(field)}")
    return Cells(values, faults)


def check_type(kind: pa.DataType, field: Field) -> None:
    """Raise ScoringError unless a column of this type may hold the field."""
    value = kind.value_type if types.is_dictionary(kind) else kind
    is_number = types.is_integer(value) or types.is_floating(value) or types.is_decimal(value)
    if is_number or _is_text(value) or types.is_null(value):
        return
    if types.is_boolean(value) and field.kind == "category":
        return
    raise ScoringError(f"column {field.name!r} is of type {kind}, expected {expected(field)}; convert it first")


def expected(field: Field) -> str:
    """What a cell of the field may hold, for a message."""
    if field.kind == "category":
        return "one of: " + ", ".join(field.levels)
    return f"a number in {field.unit}" if field.unit else "a number"


def _read_numbers(column: pa.Array, field: Field) -> tuple[Matrix, dict[int, str]]:
    faults: dict[int, str] = {}
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_text(column.type):
        values = _parse_numbers(column, field, faults)
    else:
        # Not checked: an integer beyond 2^53 becomes the nearest float64, as in JSON.
        values = _as_floats(pc.cast(column, pa.float64(), safe=False))
    if np.fmax.reduce(values, initial=0.0) > LARGEST or np.fmin.reduce(values, initial=0.0) < -LARGEST:
        values = values.copy()
        for row in np.flatnonzero(np.abs(values) > LARGEST).tolist():
            faults[row] = f"expected a number within ±{LARGEST:g}, got {values[row]:g}"
            values[row] = np.nan
    return values, faults


def _parse_numbers(column: pa.Array, field: Field, faults: dict[int, str]) -> Matrix:
    column = pc.if_else(pc.is_in(column, _MISSING.cast(column.type)), pa.scalar(None, column.type), column)
    try:
        return _as_floats(pc.cast(column, pa.float64()))
    except pa.ArrowInvalid:
        # Some cell is no number, or one that only Python reads: cell by cell.
        values = np.full(len(column), np.nan)
        for row, text in enumerate(column.to_pylist()):
            if text is None or text.strip() in MISSING_WORDS:
                continue
            if _NUMBER.fullmatch(text.strip()):
                values[row] = float(text)
            else:
                faults[row] = f"expected {expected(field)}, got {show(text)}"
        return values


def _read_levels(column: pa.Array, field: Field) -> tuple[Matrix, dict[int, str]]:
    if types.is_dictionary(column.type):
        return _read_words(column, field)
    faults: dict[int, str] = {}
    levels = [level.lower() for level in field.levels] if types.is_boolean(column.type) else list(field.levels)
    text = _as_text(column)
    values = _as_floats(pc.cast(pc.index_in(text, pa.array(levels, text.type)), pa.float64()))
    if np.count_nonzero(np.isnan(values)) > text.null_count:
        values = values.copy()
        unknown = np.flatnonzero(np.isnan(values) & text.is_valid().to_numpy(zero_copy_only=False))
        for row, word in zip(unknown.tolist(), text.take(pa.array(unknown)).to_pylist(), strict=True):
            if word.strip() in levels:
                values[row] = levels.index(word.strip())
            elif word.strip() not in MISSING_WORDS:
                faults[row] = f"expected {expected(field)}, got {show(word)}"
    return values, faults


def _read_words(column: pa.Array, field: Field) -> tuple[Matrix, dict[int, str]]:
    """A dictionary: each word once, then by its number."""
    words, faults_of_words = _read_levels(column.dictionary, field)
    number = _as_floats(pc.cast(column.indices, pa.float64()))
    is_word = ~np.isnan(number)
    used = number[is_word].astype(np.int64)
    values = np.full(len(column), np.nan)
    values[is_word] = words[used]
    wrong = np.flatnonzero(is_word)[np.isin(used, list(faults_of_words))].tolist() if faults_of_words else []
    return values, {row: faults_of_words[int(number[row])] for row in wrong}


def _as_text(column: pa.Array) -> pa.Array:
    """A column of levels as text: 1 and 1.0 are the level '1', true is 'true'; a float NaN is missing."""
    if types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
        whole = pc.equal(pc.floor(column), column)
        is_small = pc.less(pc.abs(column), 2.0**53)
        if pc.all(pc.and_(whole, is_small), min_count=0).as_py():
            column = pc.cast(column, pa.int64())
    return column if _is_text(column.type) else pc.cast(column, pa.string())


def _as_floats(column: pa.Array) -> Matrix:
    """float64, not to be written to: without a copy where nothing is missing; a null becomes NaN."""
    # Half the time of to_numpy's own way to make them NaN.
    floats: Matrix = pc.fill_null(column, _NAN).to_numpy()
    return floats


def _is_text(kind: pa.DataType) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind))


def show(value: object) -> str:
    """A value as it goes into a message: short, whatever the cell held."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
