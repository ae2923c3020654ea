"""CSV in and out of POST /score, for those who work with spreadsheets: a header of field names, an applicant a line.

An empty cell is a missing value; a column `id` comes back. Comma or semicolon, as the header has it.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any

from model.contract import Field
from model.reasons import MISSING, Reason
from serve.schemas.applicants import cut, read_applicants
from serve.schemas.faults import CELLS_ON_LOOP, check_rows
from serve.schemas.problems import MOST_FAULTS, InvalidApplicants, Offload
from serve.schemas.requests import MOST_REASONS, RequestSchemas, ScoreRequest
from serve.schemas.responses import Fault, ScoreAnswer

CSV_TYPE = "text/csv; charset=utf-8; header=present"

COLUMNS = ["id", "probability", "decision", "points", "reasons", "warnings", "model_version"]


def read_csv(schemas: RequestSchemas, body: bytes | bytearray, *, on_loop: bool) -> ScoreRequest:
    """The applicants of a table.

    Raises InvalidApplicants with every fault: `/lines/2/Income` is in line 2; with `on_loop`, Offload for a large one.
    """
    fields, most_rows = schemas.fields, schemas.most_rows
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidApplicants([Fault("", "the table is not UTF-8; save it as CSV UTF-8")]) from error
    lines = _lines(text, fields)
    try:
        at, names = next(lines)
        table = list(islice(lines, most_rows))
        check_rows(len(table) + sum(1 for _ in lines), most_rows)
    except StopIteration as error:
        expected = ", ".join(field.name for field in fields)
        raise InvalidApplicants([Fault("", f"the table is empty; expected a header such as: {expected}")]) from error
    except csv.Error as error:
        raise InvalidApplicants([Fault("", f"not a CSV table: {error}")]) from error
    if on_loop and len(table) * len(fields) > CELLS_ON_LOOP:
        raise Offload
    details = islice(_faults_of_header(names, fields), MOST_FAULTS + 1)
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
            [Fault(_line(fault.pointer, starts), fault.detail) for fault in error.faults]
        ) from error
    return ScoreRequest(applicants.matrix, applicants.ids, MOST_REASONS, False)


def write_csv(answer: ScoreAnswer) -> bytes:
    """The results as a table, a line an applicant; reasons and warnings are separated by `; `."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for result in answer.results:
        reasons = "; ".join(_tell(reason) for reason in result.reasons)
        warnings = "; ".join(warning.detail for warning in result.warnings)
        name = "" if result.id is None else _escape_formula(str(result.id))
        table.writerow(
            [name, result.probability, result.decision, result.points, reasons, warnings, answer.model.version]
        )
    return out.getvalue().encode()


def _tell(reason: Reason) -> str:
    return reason.text if reason.value == MISSING else f"{reason.text} ({reason.value})"


def _faults_of_header(names: Sequence[str], fields: Sequence[Field]) -> Iterator[str]:
    known = {field.name for field in fields}
    for name, times in Counter(names).items():
        if times > 1:
            yield f"the column {cut(name)!r} appears {times} times, expected once"
        elif name not in known and name != "id":
            yield f"unknown column {cut(name)!r}; expected id, or one of: {', '.join(field.name for field in fields)}"
    for field in fields:
        if not field.nullable and field.name not in names:
            yield f"the column {field.name!r} is missing; it can't be left out"


def _lines(text: str, fields: Sequence[Field]) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line that isn't blank, and its number as an editor shows it; a quoted cell may hold lines."""
    known = {field.name for field in fields}
    reader = _reader(text, max(",;", key=lambda delimiter: _fit(text, delimiter, known)))
    start = 1
    for cells in reader:
        if cells:
            yield start, cells
        start = reader.line_num + 1


def _fit(text: str, delimiter: str, known: Collection[str]) -> tuple[int, int]:
    """How many fields, and how many cells, a delimiter makes of the header: the name of a field may hold the other."""
    try:
        # Line by line in Python, which lets other threads run between two of them.
        names: list[str] = next((cells for cells in _reader(text, delimiter) if cells), [])
    except csv.Error:
        return 0, 0
    return sum(name in known for name in names), len(names)


def _reader(text: str, delimiter: str) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)


def _cell(text: str, field: Field | None) -> Any:
    """A cell as JSON would have it; a text that is no number stays one, to be named as a fault."""
    if field and text in field.levels:
        # Before its blanks are taken away: they may be a part of the level.
        return text
    text = text.strip()
    if not text:
        return None
    if field and field.kind == "number":
        try:
            return float(text) if text.isascii() and "_" not in text else text
        except ValueError:
            return text
    return text


def _line(pointer: str, starts: Sequence[int]) -> str:
    """The pointer of an applicant, counted from 0, as one to the line of the table in which it starts."""
    _, root, *rest = pointer.split("/")
    return "/".join(["", root, str(starts[int(rest[0])]), *rest[1:]]) if rest else pointer


def _escape_formula(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
