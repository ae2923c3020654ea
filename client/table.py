"""A table of applicants from a CSV file, read as the fields of the model ask.

Columns that are no field are left alone; one of them names the rows. Both ways to write a CSV are understood: commas
and decimal points, semicolons and decimal commas. A cell that can't be read is kept as its text, so that the service
says what is wrong with it; nothing is dropped.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

from client.answers import Applicant, Field, Value

GAPS = frozenset({"", "NA", "NaN", "nan", "null", "NULL", "None"})
"""Cells that mean: not known."""


class TableError(Exception):
    """A file is no table of applicants; `key` names the text that says why, `values` fill it."""

    def __init__(self, key: str, **values: str) -> None:
        super().__init__(key)
        self.key, self.values = key, values


@dataclass(frozen=True, slots=True)
class Table:
    """Applicants in the order of the file; `ids` are texts, each different from all others."""

    name: str
    sha256: str
    ids: tuple[str, ...]
    applicants: tuple[Applicant, ...]


def read_table(name: str, content: bytes, fields: Sequence[Field]) -> Table:
    """Read a CSV file; raises TableError if it is empty, lacks a field of the model, or has rows of unequal length."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What a spreadsheet in western Europe writes.
        text = content.decode("cp1252", errors="replace")
    text = text.replace("\0", "")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        header, *rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)) or [[]]
    except csv.Error as error:
        raise TableError("table.unreadable", file=name, detail=str(error)) from error
    header = [column.strip() for column in header]
    rows = [row for row in rows if row]
    if not rows:
        raise TableError("table.empty", file=name)
    missing = [field.name for field in fields if field.name not in header]
    if missing:
        raise TableError("table.no_column", file=name, missing=", ".join(missing), found=", ".join(header)[:200])
    for line, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise TableError("table.ragged", file=name, line=str(line), found=str(len(row)), expected=str(len(header)))
    columns = [(field, header.index(field.name)) for field in fields]
    has_comma = delimiter == ";"
    return Table(
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        ids=_find_ids(header, rows, {field.name for field in fields}),
        applicants=tuple({field.name: _read(row[at], field, has_comma) for field, at in columns} for row in rows),
    )


def _find_ids(header: Sequence[str], rows: Sequence[Sequence[str]], fields: set[str]) -> tuple[str, ...]:
    """The first column that is no field and has a different text in each row; else the numbers of the rows."""
    for at, column in enumerate(header):
        cells = [row[at].strip() for row in rows]
        if column not in fields and all(cells) and len(set(cells)) == len(cells):
            return tuple(cells)
    return tuple(str(number) for number in range(1, len(rows) + 1))


def _read(cell: str, field: Field, has_comma: bool) -> Value:
    text = cell.strip()
    if field.kind == "category":
        return text if text in field.levels or text not in GAPS else None
    if text in GAPS:
        return None
    # Thousands may be set apart by a space, of whatever width.
    plain = "".join(text.split()).replace(",", ".") if has_comma else text
    try:
        number = float(plain)
    except ValueError:
        return text
    # JSON has neither; the service will say that this text is no number.
    return number if abs(number) < float("inf") else text
