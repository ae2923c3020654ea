"""CSV in and out of POST /score, for those who work with spreadsheets: a header of field names, an applicant a line.

An empty cell is a missing value; a column `id` comes back. Comma or semicolon, as the header has it.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from serve.applicants import cut, read_applicants
from serve.bodies import CELLS_ON_THE_LOOP, MOST_REASONS, ScoreRequest, check_rows
from serve.contract import Field
from serve.exchange import Ask, Heavy
from serve.forms import Forms
from serve.messages import Fault, ScoreAnswer
from serve.problems import MOST_FAULTS, InvalidApplicants

SHEET = b"text/csv; charset=utf-8; header=present"

COLUMNS = ["id", "probability", "decision", "points", "reasons", "warnings", "model_version"]


def is_sheet(ask: Ask) -> bool:
    """Whether the body is a CSV table."""
    return ask.header(b"content-type").lower().startswith(b"text/csv")


def read_sheet(body: bytes | bytearray, forms: Forms, most_rows: int, *, is_on_loop: bool = False) -> ScoreRequest:
    """The applicants of a table.

    Raises InvalidApplicants with every fault: `/lines/2/Income` is in line 2; with `is_on_loop`, Heavy for a large one.
    """
    fields = forms.fields
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidApplicants([Fault("", "the table is not UTF-8; save it as CSV UTF-8")]) from error
    lines = _lines(text)
    try:
        at, names = next(lines)
        table = list(islice(lines, most_rows))
        check_rows(len(table) + sum(1 for _ in lines), most_rows)
    except StopIteration as error:
        expected = ", ".join(field.name for field in fields)
        raise InvalidApplicants([Fault("", f"the table is empty; expected a header such as: {expected}")]) from error
    except csv.Error as error:
        raise InvalidApplicants([Fault("", f"not a CSV table: {error}")]) from error
    if is_on_loop and len(table) * len(fields) > CELLS_ON_THE_LOOP:
        raise Heavy
    details = islice(_faults_of_header(names, fields), MOST_FAULTS + 1)
    faults = [Fault(f"/lines/{at}", detail) for detail in details]
    faults += [
        Fault(f"/lines/{number}", f"expected {len(names)} cells, as the header has, got {len(line)}")
        for number, line in table
        if len(line) != len(names)
    ]
    if faults:
        raise InvalidApplicants(faults)
    numbers = {field.name for field in fields if field.kind == "number"}
    rows = [{name: _cell(cell, name in numbers) for name, cell in zip(names, line, strict=True)} for _, line in table]
    try:
        applicants = read_applicants(rows, fields, "/lines")
    except InvalidApplicants as error:
        starts = [number for number, _ in table]
        raise InvalidApplicants(
            [Fault(_line(fault.pointer, starts), fault.detail) for fault in error.faults]
        ) from error
    return ScoreRequest(applicants.matrix.tolist(), applicants.ids, MOST_REASONS, False)


def write_sheet(answer: ScoreAnswer) -> bytes:
    """The results as a table, a line an applicant; reasons and warnings are separated by `; `."""
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(COLUMNS)
    for result in answer.results:
        reasons = "; ".join(f"{reason.text} ({reason.value})" for reason in result.reasons)
        warnings = "; ".join(warning.detail for warning in result.warnings)
        name = "" if result.id is None else _harmless(str(result.id))
        sheet.writerow(
            [name, result.probability, result.decision, result.points, reasons, warnings, answer.model.version]
        )
    return out.getvalue().encode()


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


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line that isn't blank, and its number as an editor shows it; a quoted cell may hold lines."""
    head = text.lstrip().partition("\n")[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    start = 1
    for cells in reader:
        if cells:
            yield start, cells
        start = reader.line_num + 1


def _cell(text: str, is_number: bool) -> Any:
    """A cell as JSON would have it; a text that is no number stays one, to be named as a fault."""
    text = text.strip()
    if not text:
        return None
    if is_number:
        try:
            return float(text) if "_" not in text else text
        except ValueError:
            return text
    return text


def _line(pointer: str, starts: Sequence[int]) -> str:
    """The pointer of an applicant, counted from 0, as one to the line of the table in which it starts."""
    _, root, *rest = pointer.split("/")
    return "/".join(["", root, str(starts[int(rest[0])]), *rest[1:]]) if rest else pointer


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
