"""Reading applicants value by value: from decoded JSON to the matrix that the model takes, with every fault.

A named applicant is `{field: value}` and may carry an id; a vector holds the values in the order of
the fields. A number is a JSON number; a category is the text of its level, or in a vector also the
index of its level, as in the matrix. null is a missing value.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from model.contract import MAX_MAGNITUDE, Field
from model.messages import describe_expected, describe_limit, quote_value, truncate
from model.session import NAN, Matrix
from model.vocabulary import OTHER_LEVEL, match_boolean
from serve.schemas.problems import MAX_FAULTS, InvalidApplicants
from serve.schemas.responses import Fault

ID = "id"

MAX_WHOLE_LEVEL = 10**15
"""A whole number from here on is no level: as float64 it may stand for several."""


class Applicants(Struct, frozen=True):
    """Validated applicants: matrix float64, shape (n, n_fields), NaN = missing; ids, None where not given."""

    matrix: Matrix
    ids: tuple[str | int | None, ...]


class ApplicantRules(Struct, frozen=True):
    """How the applicants of a model are read.

    `by_name`: name → column of its field. `id_names`: the members of an object that hold its id; no field has such a
    name. `ignores_unknown`: members with other names are skipped, else refused. `is_lenient`: for POST /predict, true
    and false are 1 and 0 where a number is expected, and by name a level that is a whole number may be a JSON number.
    """

    fields: tuple[Field, ...]
    by_name: dict[str, int]
    id_names: tuple[str, ...]
    ignores_unknown: bool = False
    is_lenient: bool = False


def make_rules(
    fields: Sequence[Field], id_column: str | None = None, *, ignores_unknown: bool = False
) -> ApplicantRules:
    """The rules of a model; ids are in `id` and in its id column, unless a field has that name."""
    by_name = {field.name: column for column, field in enumerate(fields)}
    id_names = tuple(name for name in dict.fromkeys((ID, id_column)) if name is not None and name not in by_name)
    return ApplicantRules(tuple(fields), by_name, id_names, ignores_unknown)


class InvalidCell(Exception):
    """One value that can't be read; the message says what was expected."""


def read_applicants(rows: Sequence[Any], rules: ApplicantRules, pointer: str) -> Applicants:
    """Read the decoded JSON of applicants; `pointer` is the JSON pointer of their list in the body.

    Raises InvalidApplicants with all faults of all rows, or of the first rows that have more than MAX_FAULTS.
    """
    if not rows:
        raise InvalidApplicants([Fault(pointer, "expected at least one applicant, got an empty list")])
    fields, by_name = rules.fields, rules.by_name
    matrix = np.full((len(rows), len(fields)), NAN)
    ids: list[str | int | None] = [None] * len(rows)
    faults: list[Fault] = []
    for number, row in enumerate(rows):
        if len(faults) > MAX_FAULTS:
            break  # even a small body can have millions of faults
        here = f"{pointer}/{number}"
        if isinstance(row, dict):
            ids[number] = _read_id(row, rules.id_names, here, faults)
            faults += [Fault(f"{here}/{name}", detail) for name, detail in find_wrong_names(row, rules)]
            cells = [(by_name[name], name, row[name]) for name in row if name in by_name]
        elif isinstance(row, list):
            cells = _cells_by_position(row, fields, here, faults)
        else:
            faults.append(Fault(here, f"expected an object of fields or a list of {len(fields)} values"))
            continue
        for column, place, value in cells:
            try:
                matrix[number, column] = _read_cell(value, fields[column], isinstance(row, list), rules.is_lenient)
            except InvalidCell as error:
                faults.append(Fault(f"{here}/{escape_pointer(place)}", str(error)))
    if faults:
        raise InvalidApplicants(faults)
    return Applicants(matrix, tuple(ids))


def find_faults(matrix: Matrix, fields: Sequence[Field]) -> list[Fault]:
    """The first value of each field that the model can't take; matrix float64, shape (n, n_fields), n > 0."""
    categories = [(column, field) for column, field in enumerate(fields) if field.kind == "category"]
    is_limited = any(field.is_limited for field in fields)
    # Fast path. A NaN makes minimum and maximum NaN, so that this is true only if nothing is missing.
    if not is_limited and matrix.min() >= -MAX_MAGNITUDE and matrix.max() <= MAX_MAGNITUDE:
        if not categories:
            return []
        is_wrong = np.zeros(matrix.shape, np.bool_)
    else:
        lowest, highest = stack_limits(fields)
        is_wrong = (matrix < lowest) | (matrix > highest)
        is_wrong |= np.isnan(matrix) & [not field.nullable for field in fields]
    for column, field in categories:
        values = matrix[:, column]
        is_level = (values >= 0) & (values < len(field.levels)) & (values == np.floor(values))
        is_wrong[:, column] |= ~(is_level | np.isnan(values))
    return _name_faults(matrix, is_wrong, fields)


def stack_limits(fields: Sequence[Field]) -> tuple[Matrix, Matrix]:
    """The lowest and the highest number that each field takes: float64, shape (n_fields,)."""
    lowest, highest = np.array([field.limits for field in fields]).T
    return lowest, highest


def _name_faults(matrix: Matrix, is_wrong: npt.NDArray[np.bool_], fields: Sequence[Field]) -> list[Fault]:
    faults = []
    for column in np.flatnonzero(is_wrong.any(axis=0)).tolist():
        row, field = int(is_wrong[:, column].argmax()), fields[column]
        value = float(matrix[row, column])
        is_category = field.kind == "category"
        number = f"{describe_expected(field)} {describe_limit(field, value)}"
        what = f"the index of one of {len(field.levels)} levels" if is_category else number
        got = "a missing value" if math.isnan(value) else f"{value:g}"
        faults.append(Fault("", f"applicant {row}, {field.name}: expected {what}, got {got}"))
    return faults


def find_wrong_names(names: Collection[str], rules: ApplicantRules) -> Iterator[tuple[str, str]]:
    """Unknown names, and fields that must be there but aren't: as parts of a JSON pointer, each with its fault."""
    known = rules.by_name
    unknown = [name for name in names if name not in known and name not in rules.id_names]
    if unknown and not rules.ignores_unknown:
        detail = f"unknown field; expected one of: {truncate(', '.join(known), 1000)}"
        yield from ((escape_pointer(truncate(name)), detail) for name in unknown)
    yield from (
        (escape_pointer(field.name), f"missing; expected {describe_expected(field)}")
        for field in rules.fields
        if field.name not in names and not field.nullable
    )


Cell = tuple[int, str, Any]
"""Column of the field, its name or position in the row, value."""


def _cells_by_position(row: list[Any], fields: Sequence[Field], here: str, faults: list[Fault]) -> list[Cell]:
    if len(row) != len(fields):
        names = ", ".join(field.name for field in fields)
        faults.append(Fault(here, f"expected {len(fields)} values ({names}), got {len(row)}"))
        return []
    return [(column, str(column), value) for column, value in enumerate(row)]


def _read_id(row: dict[str, Any], names: Sequence[str], here: str, faults: list[Fault]) -> str | int | None:
    """The id of an applicant by name, if one is given; under two names it must be the same."""
    found: str | int | None = None
    for name in names:
        place, value = f"{here}/{escape_pointer(name)}", row.get(name)
        if isinstance(value, float) and value.is_integer() and abs(value) <= MAX_MAGNITUDE:
            value = int(value)
        if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
            faults.append(Fault(place, f"expected a text or a whole number, got {quote_value(value)}"))
        elif found is None:
            found = value
        elif value is not None and value != found:
            faults.append(Fault(place, describe_two_ids(found, value)))
    return found


def describe_two_ids(first: str | int, second: str | int) -> str:
    """Why an applicant with two ids is refused."""
    return f"the applicant has two ids, {quote_value(first)} and {quote_value(second)}; send one, or the same twice"


def _read_cell(value: Any, field: Field, is_by_position: bool, is_lenient: bool) -> float:
    if value is None:
        if field.nullable:
            return NAN
        raise InvalidCell(f"null; this field can't be missing: expected {describe_expected(field)}")
    if field.kind == "category":
        return _read_level(value, field, is_by_position, is_lenient)
    if not isinstance(value, int | float) or (isinstance(value, bool) and not is_lenient):
        raise InvalidCell(f"expected {describe_expected(field)}, got {quote_value(value)}")
    if not field.takes(value):
        raise InvalidCell(f"expected a number {describe_limit(field, value)}, got {quote_value(value)}")
    return float(value)


def _read_level(value: Any, field: Field, is_by_position: bool, is_lenient: bool) -> float:
    if isinstance(value, str) and value in field.levels:
        return float(field.levels.index(value))
    if isinstance(value, bool):
        # The levels of a column of booleans are the words that stood in its training table, such as True and False.
        if (index := match_boolean(value, field.levels)) is not None:
            return float(index)
    elif is_by_position and isinstance(value, int | float) and value in range(len(field.levels)):
        return float(value)
    elif is_lenient and not is_by_position and isinstance(value, int | float):
        whole = str(int(value)) if abs(value) < MAX_WHOLE_LEVEL and value == int(value) else ""
        if whole in field.levels:
            return float(field.levels.index(whole))
    if OTHER_LEVEL in field.levels and isinstance(value, str) and value.strip():
        return float(field.levels.index(OTHER_LEVEL))
    raise InvalidCell(f"expected {describe_expected(field)}, got {quote_value(value)}")


def escape_pointer(name: str) -> str:
    """A name as a part of a JSON pointer (RFC 6901, section 3)."""
    return name.replace("~", "~0").replace("/", "~1")
