"""One Arrow column as input of the graph: float64, NaN = missing, a category as the index of its level.

An invalid cell becomes NaN and is reported as a fault, so that only its row is rejected. Accepted are the values that
POST /score accepts, and in text columns the vocabulary of model/vocabulary.py. Both engines and both file formats use
this module.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from model.contract import MAX_MAGNITUDE, Field
from model.messages import describe_expected, quote_value
from model.session import Matrix
from model.vocabulary import MISSING_WORDS, match_boolean, match_level, parse_number
from score.errors import ScoringError

_NAN = pa.scalar(float("nan"), pa.float64())
_MISSING_WORDS = pa.array(MISSING_WORDS, pa.string())


@dataclass(frozen=True, slots=True)
class Cells:
    """A decoded column: float64, shape (n,), and its faults, number of the row → message."""

    values: Matrix
    faults: dict[int, str]


def read_column(column: pa.Array, field: Field) -> Cells:
    """Decode one column of a batch; raises ScoringError if its type can't hold the field."""
    check_type(column.type, field)
    if types.is_null(column.type):
        values, faults = np.full(len(column), np.nan), dict[int, str]()
    elif field.kind == "category":
        values, faults = _read_levels(column, field)
    else:
        values, faults = _read_numbers(column, field)
    if not field.nullable and np.isnan(values).any():
        for row in np.flatnonzero(np.isnan(values)).tolist():
            faults.setdefault(row, f"missing; expected {describe_expected(field)}")
    return Cells(values, faults)


def check_type(kind: pa.DataType, field: Field) -> None:
    """Raise ScoringError unless a column of this type can hold the field."""
    value = kind.value_type if types.is_dictionary(kind) else kind
    is_number = types.is_integer(value) or types.is_floating(value) or types.is_decimal(value)
    if is_number or _is_text(value) or types.is_null(value):
        return
    if types.is_boolean(value) and field.kind == "category":
        return
    raise ScoringError(
        f"column {field.name!r} is of type {kind}, expected {describe_expected(field)}; convert it first"
    )


def _read_numbers(column: pa.Array, field: Field) -> tuple[Matrix, dict[int, str]]:
    faults: dict[int, str] = {}
    if types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if _is_text(column.type):
        values = _parse_numbers(column, field, faults)
    else:
        # Unsafe cast: an integer beyond 2^53 becomes the nearest float64, as in JSON.
        values = _as_floats(pc.cast(column, pa.float64(), safe=False))
    if np.fmax.reduce(values, initial=0.0) > MAX_MAGNITUDE or np.fmin.reduce(values, initial=0.0) < -MAX_MAGNITUDE:
        values = values.copy()
        for row in np.flatnonzero(np.abs(values) > MAX_MAGNITUDE).tolist():
            faults[row] = f"expected a number within ±{MAX_MAGNITUDE:g}, got {values[row]:g}"
            values[row] = np.nan
    return values, faults


def _parse_numbers(column: pa.Array, field: Field, faults: dict[int, str]) -> Matrix:
    column = pc.if_else(pc.is_in(column, _MISSING_WORDS.cast(column.type)), pa.scalar(None, column.type), column)
    try:
        return _as_floats(pc.cast(column, pa.float64()))
    except pa.ArrowInvalid:
        # Some cell is no number, or is written in a way that Arrow doesn't read.
        values = np.full(len(column), np.nan)
        for row, text in enumerate(column.to_pylist()):
            if text is None or text.strip() in MISSING_WORDS:
                continue
            if (number := parse_number(text)) is not None:
                values[row] = number
            else:
                faults[row] = f"expected {describe_expected(field)}, got {quote_value(text)}"
        return values


def _read_levels(column: pa.Array, field: Field) -> tuple[Matrix, dict[int, str]]:
    if types.is_dictionary(column.type):
        return _read_dictionary(column, field)
    faults: dict[int, str] = {}
    levels = field.levels
    text = _as_text(column, levels)
    values = _as_floats(pc.cast(pc.index_in(text, pa.array(levels, text.type)), pa.float64()))
    if np.count_nonzero(np.isnan(values)) > text.null_count:
        values = values.copy()
        unknown = np.flatnonzero(np.isnan(values) & text.is_valid().to_numpy(zero_copy_only=False))
        for row, word in zip(unknown.tolist(), text.take(pa.array(unknown)).to_pylist(), strict=True):
            if (level := match_level(word, levels)) is not None:
                values[row] = levels.index(level)
            elif word.strip() not in MISSING_WORDS:
                faults[row] = f"expected {describe_expected(field)}, got {quote_value(word)}"
    return values, faults


def _read_dictionary(column: pa.Array, field: Field) -> tuple[Matrix, dict[int, str]]:
    """Decode each distinct value once, then look the rows up by their index."""
    words, faults_of_words = _read_levels(column.dictionary, field)
    number = _as_floats(pc.cast(column.indices, pa.float64()))
    is_word = ~np.isnan(number)
    used = number[is_word].astype(np.int64)
    values = np.full(len(column), np.nan)
    values[is_word] = words[used]
    wrong = np.flatnonzero(is_word)[np.isin(used, list(faults_of_words))].tolist() if faults_of_words else []
    return values, {row: faults_of_words[int(number[row])] for row in wrong}


def _as_text(column: pa.Array, levels: tuple[str, ...]) -> pa.Array:
    """A column of levels as text: 1 and 1.0 are the level '1', a boolean is the level that spells it, NaN is null."""
    if types.is_boolean(column.type):
        indexes = {value: match_boolean(value, levels) for value in (True, False)}
        words = [str(value).lower() if index is None else levels[index] for value, index in indexes.items()]
        return pc.if_else(column, *words)
    if types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
        whole = pc.equal(pc.floor(column), column)
        is_small = pc.less(pc.abs(column), 2.0**53)
        if pc.all(pc.and_(whole, is_small), min_count=0).as_py():
            column = pc.cast(column, pa.int64())
    return column if _is_text(column.type) else pc.cast(column, pa.string())


def _as_floats(column: pa.Array) -> Matrix:
    """A float64 array, null as NaN; read-only, because nothing is copied if no value is null."""
    # Takes half the time of to_numpy with nulls.
    floats: Matrix = pc.fill_null(column, _NAN).to_numpy()
    return floats


def _is_text(kind: pa.DataType) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind))
