"""CSV as the body and the response of POST /score: a header of field names, then one line for each applicant.

An empty cell is a missing value; a column `id` is returned as it was sent. The delimiter, comma or semicolon, is taken
from the header.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any

from model.contract import Field
from model.messages import truncate
from model.reasons import MISSING, Reason
from model.results import SCALARS
from model.vocabulary import match_level, parse_number
from serve.schemas.applicants import read_applicants
from serve.schemas.json_body import Body
from serve.schemas.limits import DEFAULT_REASONS, MAX_EVENT_LOOP_CELLS, Offload, check_rows
from serve.schemas.problems import MAX_FAULTS, InvalidApplicants
from serve.schemas.requests import RequestSchemas, ScoreRequest
from serve.schemas.responses import Fault, ScoreResponse

CSV_TYPE = "text/csv; charset=utf-8; header=present"

COLUMNS = ["id", *SCALARS, "reasons", "warnings", "model_version"]


def read_csv(schemas: RequestSchemas, body: Body, *, on_event_loop: bool) -> ScoreRequest:
    """Read the applicants of a table.

    Raises InvalidApplicants with every fault (`/lines/2/Income` is in line 2), HTTPProblem for too many rows, and with
    `on_event_loop` Offload for a table that is too large for the event loop.
    """
    fields, max_rows = schemas.fields, schemas.max_rows
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidApplicants([Fault("", "the table is not UTF-8; save it as CSV UTF-8")]) from error
    lines = _lines(text, fields)
    try:
        at, names = next(lines)
        table = list(islice(lines, max_rows))
        check_rows(len(table) + sum(1 for _ in lines), max_rows)
    except StopIteration as error:
        expected = ", ".join(field.name for field in fields)
        raise InvalidApplicants([Fault("", f"the table is empty; expected a header such as: {expected}")]) from error
    except csv.Error as error:
        raise InvalidApplicants([Fault("", f"not a CSV table: {error}")]) from error
    if on_event_loop and len(table) * len(fields) > MAX_EVENT_LOOP_CELLS:
        raise Offload
    details = islice(_find_header_faults(names, fields), MAX_FAULTS + 1)
    faults = [Fault(f"/lines/{at}", detail) for detail in details]
    faults += [
        Fault(f"/lines/{number}", f"expected {len(names)} cells, as the header has, got {len(line)}")
        for number, line in table
        if len(line) != len(names)
    ]
    if faults:
        raise InvalidApplicants(faults)
    known = {field.name: field for field in fields}
    columns = [(name, known.get(name)) for name in names]
    rows = [{name: _cell(cell, field) for (name, field), cell in zip(columns, line, strict=True)} for _, line in table]
    try:
        applicants = read_applicants(rows, fields, "/lines")
    except InvalidApplicants as error:
        starts = [number for number, _ in table]
        raise InvalidApplicants(
            [Fault(_point_to_line(fault.pointer, starts), fault.detail) for fault in error.faults]
        ) from error
    return ScoreRequest(applicants.matrix, applicants.ids, DEFAULT_REASONS, False)


def write_csv(response: ScoreResponse) -> bytes:
    """The results as CSV, one line for each applicant; several reasons or warnings are joined by `; `."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for result in response.results:
        reasons = "; ".join(_describe_reason(reason) for reason in result.reasons)
        warnings = "; ".join(warning.detail for warning in result.warnings)
        name = "" if result.id is None else _escape_formula(str(result.id))
        scalars = [getattr(result, scalar) for scalar in SCALARS]
        table.writerow([name, *scalars, reasons, warnings, response.model.version])
    return out.getvalue().encode()


def _describe_reason(reason: Reason) -> str:
    return reason.text if reason.value == MISSING else f"{reason.text} ({reason.value})"


def _find_header_faults(names: Sequence[str], fields: Sequence[Field]) -> Iterator[str]:
    known = {field.name: field for field in fields}
    for name, times in Counter(names).items():
        if times > 1:
            yield f"the column {truncate(name)!r} appears {times} times, expected once"
        elif name not in known and name != "id":
            yield f"unknown column {truncate(name)!r}; expected id, or one of: {', '.join(known)}"
    for field in fields:
        if not field.nullable and field.name not in names:
            yield f"the column {field.name!r} is missing; it can't be left out"


def _lines(text: str, fields: Sequence[Field]) -> Iterator[tuple[int, list[str]]]:
    """Line number, from 1, and cells of each row that isn't blank; a quoted cell may span several lines."""
    known = {field.name for field in fields}
    reader = _reader(text, max(",;", key=lambda delimiter: _count_known_names(text, delimiter, known)))
    start = 1
    for cells in reader:
        if cells:
            yield start, cells
        start = reader.line_num + 1


def _count_known_names(text: str, delimiter: str, known: Collection[str]) -> tuple[int, int]:
    """How many field names, and how many cells, the header has if split at a delimiter; names may contain the other."""
    try:
        # A Python loop over lines, rather than one call of C code, lets other threads run in between.
        names: list[str] = next((cells for cells in _reader(text, delimiter) if cells), [])
    except csv.Error:
        return 0, 0
    return sum(name in known for name in names), len(names)


def _reader(text: str, delimiter: str) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _cell(text: str, field: Field | None) -> Any:
    """A cell as a JSON value; a text that is no number stays a text, so that it is reported as a fault."""
    if field and (level := match_level(text, field.levels)) is not None:
        return level
    text = text.strip()
    if not text:
        return None
    number = parse_number(text) if field and field.kind == "number" else None
    return text if number is None else number


def _point_to_line(pointer: str, starts: Sequence[int]) -> str:
    """A pointer to an applicant, counted from 0, as a pointer to the line in which its row starts."""
    _, root, *rest = pointer.split("/")
    return "/".join(["", root, str(starts[int(rest[0])]), *rest[1:]]) if rest else pointer


def _escape_formula(text: str) -> str:
    """The text, with an apostrophe in front if a spreadsheet would run it as a formula (OWASP, CSV injection)."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
