"""One Arrow column as input of the graph: float64, NaN = missing, a category as the index of its level.

An invalid cell becomes NaN and is reported as a fault, so that only its row is rejected. A text is read by
`model.vocabulary.read_cell`; the fast paths here take only what it would read as the same value. Other types hold the
values that POST /score accepts. Both engines and both file formats use this module.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from model.contract import Field
from model.messages import describe_expected, describe_limit
from model.session import Matrix
from model.vocabulary import MISSING_WORDS, CellError, Decimal, match_boolean, read_cell
from score.errors import ScoringError

_NAN = pa.scalar(float("nan"), pa.float64())
_MISSING_WORDS = pa.array(sorted(MISSING_WORDS), pa.string())

_PLAIN = {
    ".": r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$",
    ",": r"^[+-]?(?:[0-9]+,?[0-9]*|,[0-9]+)(?:[eE][+-]?[0-9]+)?$",
    "?": r"^[+-]?[0-9]+(?:[eE][+-]?[0-9]+)?$",
}
"""Numbers that Arrow reads as `parse_number` does, by decimal mark."""


@dataclass(frozen=True, slots=True)
class Cells:
    """A decoded column: float64, shape (n,), and its faults, number of the row → message."""

    values: Matrix
    faults: dict[int, str]


def read_column(column: pa.Array, field: Field, decimal: Decimal) -> Cells:
    """Decode one column of a batch; raises ScoringError if its type can't hold the field."""
    check_type(column.type, field)
    cells = _read(decode_views(column), field, decimal)
    if not field.nullable and np.isnan(cells.values).any():
        for row in np.flatnonzero(np.isnan(cells.values)).tolist():
            cells.faults.setdefault(row, f"missing; expected {describe_expected(field)}")
    return cells


def check_type(kind: pa.DataType, field: Field) -> None:
    """Raise ScoringError unless a column of this type can hold the field."""
    value = kind.value_type if types.is_dictionary(kind) else kind
    is_number = types.is_integer(value) or types.is_floating(value) or types.is_decimal(value)
    if is_number or is_text(value) or types.is_null(value):
        return
    if types.is_boolean(value) and field.kind == "category":
        return
    raise ScoringError(
        f"column {field.name!r} is of type {kind}, expected {describe_expected(field)}; convert it first"
    )


def is_text(kind: pa.DataType) -> bool:
    """Whether a type holds text, in any of Arrow's layouts."""
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def decode_views(column: pa.Array) -> pa.Array:
    """A column of views as one of plain strings, since few functions take views."""
    if types.is_dictionary(column.type) and types.is_string_view(column.type.value_type):
        return pa.DictionaryArray.from_arrays(column.indices, decode_views(column.dictionary))
    return pc.cast(column, pa.string()) if types.is_string_view(column.type) else column


def _read(column: pa.Array, field: Field, decimal: Decimal) -> Cells:
    if types.is_null(column.type):
        return Cells(np.full(len(column), np.nan), {})
    if types.is_dictionary(column.type):
        return _read_dictionary(column, field, decimal)
    if field.kind == "category":
        text = _as_text(column, field.levels)
        index = pc.index_in(text, pa.array(field.levels, text.type))
        return _read_rest(text, _as_floats(pc.cast(index, pa.float64())), field, decimal)
    if is_text(column.type):
        column, values = _parse_plain(column, field, decimal)
        return _read_rest(column, values, field, decimal)
    # Unsafe cast: an integer beyond 2^53 becomes the nearest float64, as in JSON.
    values = _as_floats(pc.cast(column, pa.float64(), safe=False))
    kept = _remove_beyond(values, field)
    if kept is values:
        return Cells(values, {})
    rows = np.flatnonzero(np.isnan(kept) & ~np.isnan(values)).tolist()
    faults = {row: f"expected a number {describe_limit(field, values[row])}, got {values[row]:g}" for row in rows}
    return Cells(kept, faults)


def _parse_plain(column: pa.Array, field: Field, decimal: Decimal) -> tuple[pa.Array, Matrix]:
    """A text column with null for most missing words, and its plain numbers, NaN for any other cell."""
    # A failed cast takes as long as another, so that the most frequent missing word is taken out first.
    column = _set_null(column, pc.equal(column, ""))
    # With a decimal comma each cell has to be looked at: Arrow takes the point of 1.300 for a decimal point.
    values = _cast(column) if decimal in (".", ".?") else None
    if values is None:
        column = pc.utf8_trim_whitespace(column)
        column = _set_null(column, pc.is_in(column, _MISSING_WORDS.cast(column.type)))
        plain = _set_null(column, pc.invert(pc.match_substring_regex(column, _PLAIN[decimal[0]])))
        plain = pc.replace_substring(plain, ",", ".") if decimal == "," else plain
        values = _as_floats(pc.cast(plain, pa.float64()))
    return column, _remove_beyond(values, field)


def _cast(column: pa.Array) -> Matrix | None:
    """The numbers that all cells are; None if one is none, or is written in a way that Arrow doesn't read."""
    try:
        return _as_floats(pc.cast(column, pa.float64()))
    except pa.ArrowInvalid:
        return None


def _set_null(column: pa.Array, is_null: pa.Array) -> pa.Array:
    return pc.if_else(is_null, pa.scalar(None, column.type), column)


def _read_rest(text: pa.Array, values: Matrix, field: Field, decimal: Decimal) -> Cells:
    """Read the cells that aren't null but have no value yet, each distinct one once."""
    if np.count_nonzero(np.isnan(values)) == text.null_count:
        return Cells(values, {})
    rest = np.flatnonzero(np.isnan(values) & text.is_valid().to_numpy(zero_copy_only=False))
    words = text.take(pa.array(rest)).dictionary_encode()
    of_words, faults_of_words = np.full(len(words.dictionary), np.nan), {}
    for number, word in enumerate(words.dictionary.to_pylist()):
        try:
            of_words[number] = read_cell(word, field, decimal)
        except CellError as error:
            faults_of_words[number] = str(error)
    used = words.indices.to_numpy()
    wrong = np.flatnonzero(np.isin(used, list(faults_of_words))).tolist() if faults_of_words else []
    faults = {int(rest[row]): faults_of_words[used[row].item()] for row in wrong}
    return Cells(_replace(values, rest, of_words[used]), faults)


def _read_dictionary(column: pa.Array, field: Field, decimal: Decimal) -> Cells:
    """Decode each distinct value once, then look the rows up by their index."""
    words = _read(column.dictionary, field, decimal)
    number = _as_floats(pc.cast(column.indices, pa.float64()))
    is_word = ~np.isnan(number)
    used = number[is_word].astype(np.int64)
    values = np.full(len(column), np.nan)
    values[is_word] = words.values[used]
    wrong = np.flatnonzero(is_word)[np.isin(used, list(words.faults))].tolist() if words.faults else []
    return Cells(values, {row: words.faults[int(number[row])] for row in wrong})


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
    return column if is_text(column.type) else pc.cast(column, pa.string())


def _remove_beyond(values: Matrix, field: Field) -> Matrix:
    """The same values, with NaN where the field doesn't take a number; the same array if it takes all."""
    lowest, highest = field.limits
    # Half the time of two comparisons: nothing is copied.
    if np.fmin.reduce(values, initial=np.inf) >= lowest and np.fmax.reduce(values, initial=-np.inf) <= highest:
        return values
    return _replace(values, (values < lowest) | (values > highest), np.nan)


def _replace(values: Matrix, at: npt.NDArray[np.generic] | list[int], new: Matrix | float) -> Matrix:
    values = values.copy()
    values[at] = new
    return values


def _as_floats(column: pa.Array) -> Matrix:
    """A float64 array, null as NaN; read-only, because nothing is copied if no value is null."""
    # Takes half the time of to_numpy with nulls.
    floats: Matrix = pc.fill_null(column, _NAN).to_numpy()
    return floats
