"""Reading applicants value by value: from decoded JSON to the matrix that the model takes, with every fault.

A named applicant is `{field: value}` and may carry an `id`; a vector holds the values in the order of
the fields. A number is a JSON number; a category is the text of its level, or in a vector also the
index of its level, as in the matrix. null is a missing value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from model.contract import MAX_MAGNITUDE, Field
from model.messages import describe_expected, quote_value, truncate
from model.session import NAN, Matrix
from model.vocabulary import OTHER_LEVEL, match_boolean
from serve.schemas.problems import MAX_FAULTS, InvalidApplicants
from serve.schemas.responses import Fault


class Applicants(Struct, frozen=True):
    """Validated applicants: matrix float64, shape (n, n_fields), NaN = missing; ids, None where not given."""

    matrix: Matrix
    ids: tuple[str | int | None, ...]


class InvalidCell(Exception):
    """One value that can't be read; the message says what was expected."""


def read_applicants(
    rows: Sequence[Any], fields: Sequence[Field], pointer: str, *, only_numbers: bool = False
) -> Applicants:
    """Read the decoded JSON of applicants; `pointer` is the JSON pointer of their list in the body.

    With `only_numbers` every row is a list, and a category the index of its level, as in the matrix.
    Raises InvalidApplicants with all faults of all rows, or of the first rows that have more than MAX_FAULTS.
    """
    if not rows:
        raise InvalidApplicants([Fault(pointer, "expected at least one applicant, got an empty list")])
    read = _read_number if only_numbers else _read_cell
    expected = f"expected a list of {len(fields)} numbers, one a field"
    if not only_numbers:
        expected = f"expected an object of fields or a list of {len(fields)} values"
    by_name = {field.name: column for column, field in enumerate(fields)}
    matrix = np.full((len(rows), len(fields)), NAN)
    ids: list[str | int | None] = [None] * len(rows)
    faults: list[Fault] = []
    for number, row in enumerate(rows):
        if len(faults) > MAX_FAULTS:
            break  # even a small body can have millions of faults
        here = f"{pointer}/{number}"
        if isinstance(row, dict) and not only_numbers:
            ids[number] = _take_id(row, by_name, here, faults)
            cells = _cells_by_name(row, fields, by_name, here, faults)
        elif isinstance(row, list):
            cells = _cells_by_position(row, fields, here, faults)
        else:
            faults.append(Fault(here, expected))
            continue
        for column, place, value in cells:
            try:
                matrix[number, column] = read(value, fields[column], by_index=isinstance(row, list))
            except InvalidCell as error:
                faults.append(Fault(place, str(error)))
    if faults:
        raise InvalidApplicants(faults)
    return Applicants(matrix, tuple(ids))


def find_faults(matrix: Matrix, fields: Sequence[Field]) -> list[Fault]:
    """The first value of each field that the model can't take; matrix float64, shape (n, n_fields), n > 0."""
    categories = [(column, field) for column, field in enumerate(fields) if field.kind == "category"]
    # Fast path. A NaN makes minimum and maximum NaN, so that this is true only if nothing is missing.
    if matrix.min() >= -MAX_MAGNITUDE and matrix.max() <= MAX_MAGNITUDE:
        if not categories:
            return []
        is_wrong = np.zeros(matrix.shape, np.bool_)
    else:
        is_wrong = (np.abs(matrix) > MAX_MAGNITUDE) | (np.isnan(matrix) & [not field.nullable for field in fields])
    for column, field in categories:
        values = matrix[:, column]
        is_level = (values >= 0) & (values < len(field.levels)) & (values == np.floor(values))
        is_wrong[:, column] |= ~(is_level | np.isnan(values))
    return _name_faults(matrix, is_wrong, fields)


def _name_faults(matrix: Matrix, is_wrong: npt.NDArray[np.bool_], fields: Sequence[Field]) -> list[Fault]:
    faults = []
    for column in np.flatnonzero(is_wrong.any(axis=0)).tolist():
        row, field = int(is_wrong[:, column].argmax()), fields[column]
        value = float(matrix[row, column])
        is_category = field.kind == "category"
        number = f"{describe_expected(field)} within ±{MAX_MAGNITUDE:g}"
        what = f"the index of one of {len(field.levels)} levels" if is_category else number
        got = "a missing value" if math.isnan(value) else f"{value:g}"
        faults.append(Fault("", f"applicant {row}, {field.name}: expected {what}, got {got}"))
    return faults


Cell = tuple[int, str, Any]
"""Column of the field, JSON pointer, value."""


def _cells_by_name(
    row: dict[str, Any], fields: Sequence[Field], by_name: dict[str, int], here: str, faults: list[Fault]
) -> list[Cell]:
    cells: list[Cell] = []
    unknown = f"unknown field; expected one of: {truncate(', '.join(by_name), 1000)}"
    for name, value in row.items():
        if name in by_name:
            cells.append((by_name[name], f"{here}/{escape_pointer(name)}", value))
        else:
            faults.append(Fault(f"{here}/{escape_pointer(truncate(name))}", unknown))
    faults.extend(
        Fault(f"{here}/{escape_pointer(field.name)}", f"missing; expected {describe_expected(field)}")
        for field in fields
        if field.name not in row and not field.nullable
    )
    return cells


def _cells_by_position(row: list[Any], fields: Sequence[Field], here: str, faults: list[Fault]) -> list[Cell]:
    if len(row) != len(fields):
        names = ", ".join(field.name for field in fields)
        faults.append(Fault(here, f"expected {len(fields)} values ({names}), got {len(row)}"))
        return []
    return [(column, f"{here}/{column}", value) for column, value in enumerate(row)]


def _take_id(row: dict[str, Any], by_name: dict[str, int], here: str, faults: list[Fault]) -> str | int | None:
    if "id" in by_name:
        return None
    value = row.pop("id", None)
    if value is None or (isinstance(value, str | int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_MAGNITUDE:
        return int(value)
    faults.append(Fault(f"{here}/id", f"expected a text or a whole number, got {quote_value(value)}"))
    return None


def _read_number(value: Any, field: Field, *, by_index: bool) -> float:
    """A value of POST /predict: a number, or the index of a level."""
    if isinstance(value, str | bool):
        raise InvalidCell(f"expected a number, or for a category the index of its level, got {quote_value(value)}")
    return _read_cell(value, field, by_index=by_index)


def _read_cell(value: Any, field: Field, *, by_index: bool) -> float:
    if value is None:
        if field.nullable:
            return NAN
        raise InvalidCell(f"null; this field can't be missing: expected {describe_expected(field)}")
    if field.kind == "category":
        return _read_level(value, field, by_index=by_index)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidCell(f"expected {describe_expected(field)}, got {quote_value(value)}")
    if not abs(value) <= MAX_MAGNITUDE:
        raise InvalidCell(f"expected a number within ±{MAX_MAGNITUDE:g}, got {quote_value(value)}")
    return float(value)


def _read_level(value: Any, field: Field, *, by_index: bool) -> float:
    if isinstance(value, str) and value in field.levels:
        return float(field.levels.index(value))
    if isinstance(value, bool):
        # The levels of a column of booleans are the words that stood in its training table, such as True and False.
        if (index := match_boolean(value, field.levels)) is not None:
            return float(index)
    elif by_index and isinstance(value, int | float) and value in range(len(field.levels)):
        return float(value)
    if OTHER_LEVEL in field.levels and isinstance(value, str) and value.strip():
        return float(field.levels.index(OTHER_LEVEL))
    raise InvalidCell(f"expected {describe_expected(field)}, got {quote_value(value)}")


def escape_pointer(name: str) -> str:
    """A name as a part of a JSON pointer (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")
