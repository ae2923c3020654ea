"""CSV in and out of POST /score, for those who work with spreadsheets: a header of field names, an applicant a line.

An empty cell is a missing value; a column `id` comes back. Comma or semicolon, as the header has it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from serve.applicants import read_applicants
from serve.bodies import CELLS_ON_THE_LOOP, MOST_REASONS, ScoreRequest, check_rows
from serve.contract import Field
from serve.exchange import Ask, Heavy
from serve.messages import Fault, ScoreAnswer
from serve.problems import InvalidApplicants

COLUMNS = ["id", "probability", "decision", "points", "reasons", "warnings", "model_version"]


def is_sheet(ask: Ask) -> bool:
    """Whether the body is a CSV table."""
    return ask.header(b"content-type").lower().startswith(b"text/csv")


def read_sheet(
    body: bytes | bytearray, fields: Sequence[Field], most_rows: int, *, is_on_loop: bool = False
) -> ScoreRequest:
    """The applicants of a table.

    Raises InvalidApplicants with every fault: `/lines/2/Income` is in line 2; with `is_on_loop`, Heavy for a large one.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidApplicants([Fault("", "the table is not UTF-8; save it as CSV UTF-8")]) from error
    head = text.partition("\n")[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    try:
        names, *lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except ValueError as error:
        expected = ", ".join(field.name for field in fields)
        raise InvalidApplicants([Fault("", f"the table is empty; expected a header such as: {expected}")]) from error
    except csv.Error as error:
        raise InvalidApplicants([Fault("", f"not a CSV table: {error}")]) from error
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidApplicants([Fault("/lines/1", f"the column {name[:100]!r} appears twice") for name in twice])
    lines = [line for line in lines if line]
    check_rows(len(lines), most_rows)
    if is_on_loop and len(lines) * len(fields) > CELLS_ON_THE_LOOP:
        raise Heavy
    faults = [
        Fault(f"/lines/{number}", f"expected {len(names)} cells, as the header has, got {len(line)}")
        for number, line in enumerate(lines, 2)
        if len(line) != len(names)
    ]
    if faults:
        raise InvalidApplicants(faults)
    numbers = {field.name for field in fields if field.kind == "number"}
    rows = [{name: _cell(cell, name in numbers) for name, cell in zip(names, line, strict=True)} for line in lines]
    try:
        applicants = read_applicants(rows, fields, "/lines")
    except InvalidApplicants as error:
        raise InvalidApplicants([Fault(_line(fault.pointer), fault.detail) for fault in error.faults]) from error
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


def _line(pointer: str) -> str:
    """The pointer of a row, counted from 0, as the line of the table: the header is line 1."""
    _, root, number, *rest = pointer.split("/") if pointer.count("/") > 1 else (*pointer.split("/"), "0")
    return "/".join(["", root, str(int(number) + 2), *rest])


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
