"""From the JSON of a request to the matrix of the graph, with every fault found on the way.

A named applicant is `{field: value}` and may carry an `id`; a vector holds the values in the order of
the fields. A number is a JSON number; a category is the text of its level, or in a vector also the
index of its level, as the graph takes it. null is a missing value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from model.contract import LARGEST, Field
from model.session import NAN, Matrix
from serve.schemas.problems import MOST_FAULTS, InvalidApplicants
from serve.schemas.responses import Fault


class Applicants(Struct, frozen=True):
    """Applicants ready for the graph: matrix float64, shape (n, n_fields), and their ids, None where not given."""

    matrix: Matrix
    ids: tuple[str | int | None, ...]


class InvalidCell(Exception):
    """One value that can't be read; the message says what was expected."""


def read_applicants(
    rows: Sequence[Any], fields: Sequence[Field], pointer: str, *, only_numbers: bool = False
) -> Applicants:
    """Read the decoded JSON of applicants; `pointer` is where the list stands in the body.

    With `only_numbers` every row is a list, and a category the index of its level, as the graph takes it.
    Raises InvalidApplicants with all faults of all rows, or of the first rows that have more than MOST_FAULTS.
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
        if len(faults) > MOST_FAULTS:
            break  # a small body may have millions
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


def fits(matrix: Matrix, fields: Sequence[Field]) -> list[Fault]:
    """What of a matrix, float64, shape (n, n_fields), n > 0, may not enter the graph: a fault a field."""
    categories = [(column, field) for column, field in enumerate(fields) if field.kind == "category"]
    # A NaN makes both of them NaN: most matrices need no closer look at their numbers.
    if matrix.min() >= -LARGEST and matrix.max() <= LARGEST:
        if not categories:
            return []
        is_wrong = np.zeros(matrix.shape, np.bool_)
    else:
        is_wrong = (np.abs(matrix) > LARGEST) | (np.isnan(matrix) & [not field.nullable for field in fields])
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
        number = f"{_expected(field)} within ±{LARGEST:g}"
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
    unknown = f"unknown field; expected one of: {cut(', '.join(by_name), 1000)}"
    for name, value in row.items():
        if name in by_name:
            cells.append((by_name[name], f"{here}/{_escape(name)}", value))
        else:
            faults.append(Fault(f"{here}/{_escape(cut(name))}", unknown))
    faults.extend(
        Fault(f"{here}/{_escape(field.name)}", f"missing; expected {_expected(field)}")
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
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST:
        return int(value)
    faults.append(Fault(f"{here}/id", f"expected a text or a whole number, got {show(value)}"))
    return None


def _read_number(value: Any, field: Field, *, by_index: bool) -> float:
    """A cell of the graph's own matrix: a number, a category as the index of its level."""
    if isinstance(value, str | bool):
        raise InvalidCell(f"expected a number, or for a category the index of its level, got {show(value)}")
    return _read_cell(value, field, by_index=by_index)


def _read_cell(value: Any, field: Field, *, by_index: bool) -> float:
    if value is None:
        if field.nullable:
            return NAN
        raise InvalidCell(f"null; this field can't be missing: expected {_expected(field)}")
    if field.kind == "category":
        return _read_level(value, field, by_index=by_index)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidCell(f"expected {_expected(field)}, got {show(value)}")
    if not abs(value) <= LARGEST:
        raise InvalidCell(f"expected a number within ±{LARGEST:g}, got {show(value)}")
    return float(value)


def _read_level(value: Any, field: Field, *, by_index: bool) -> float:
    if isinstance(value, str) and value in field.levels:
        return float(field.levels.index(value))
    if isinstance(value, bool):
        # A column of booleans has its two words as levels, as its table wrote them.
        words = [level.lower() for level in field.levels]
        if str(value).lower() in words:
            return float(words.index(str(value).lower()))
    elif by_index and isinstance(value, int | float) and value in range(len(field.levels)):
        return float(value)
    raise InvalidCell(f"expected {_expected(field)}, got {show(value)}")


def _expected(field: Field) -> str:
    if field.kind == "category":
        return "one of: " + ", ".join(field.levels)
    return f"a number in {field.unit}" if field.unit else "a number"


def show(value: Any) -> str:
    """A value as it goes into a message: short, whatever was sent."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return cut(str(value).lower() if isinstance(value, bool) else repr(value))


def _escape(name: str) -> str:
    # RFC 6901, section 3.
    return name.replace("~", "~0").replace("/", "~1")


def cut(text: str, most: int = 100) -> str:
    """A text as it goes into an answer: short, whatever was sent."""
    return text if len(text) <= most else text[:most] + "…"
