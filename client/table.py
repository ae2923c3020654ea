"""Reads a table of applicants from a CSV file.

It accepts commas or tabs with decimal points, and semicolons with decimal commas. Other columns than the fields of the
model are ignored, but for one with the ids. No row is dropped: a cell that can't be parsed is kept as text, so that the
service says what is wrong with it.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

from client.responses import Applicant, Field, Value

MISSING_WORDS = frozenset({"", "NA", "NaN", "nan", "null", "NULL", "None"})
"""Cells that mean a missing value."""


class TableError(Exception):
    """The file can't be read; `key` is the key of the message in client/languages/, `values` its placeholders."""

    def __init__(self, key: str, **values: str) -> None:
        super().__init__(key)
        self.key, self.values = key, values


@dataclass(frozen=True, slots=True)
class Table:
    """Applicants in the order of the file, with unique ids."""

    name: str
    sha256: str
    ids: tuple[str, ...]
    applicants: tuple[Applicant, ...]


def read_table(name: str, content: bytes, fields: Sequence[Field]) -> Table:
    """Read a CSV file; raises TableError if it is empty, lacks a field of the model, or has rows of unequal length."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Spreadsheets in western Europe export this encoding.
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
    has_decimal_comma = delimiter == ";"
    return Table(
        name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        ids=_find_ids(header, rows, {field.name for field in fields}),
        applicants=tuple(
            {field.name: _parse(row[at], field, has_decimal_comma) for field, at in columns} for row in rows
        ),
    )


def _find_ids(header: Sequence[str], rows: Sequence[Sequence[str]], fields: set[str]) -> tuple[str, ...]:
    """The first column that is not a field and has unique, non-empty cells; else the row numbers from 1."""
    for at, column in enumerate(header):
        cells = [row[at].strip() for row in rows]
        if column not in fields and all(cells) and len(set(cells)) == len(cells):
            return tuple(cells)
    return tuple(str(number) for number in range(1, len(rows) + 1))


def _parse(cell: str, field: Field, has_decimal_comma: bool) -> Value:
    text = cell.strip()
    if field.kind == "category":
        return text if text in field.levels or text not in MISSING_WORDS else None
    if text in MISSING_WORDS:
        return None
    # Where the decimal mark is a comma, any kind of space may separate thousands.
    try:
        number = float("".join(text.split()).replace(",", ".") if has_decimal_comma else text)
    except ValueError:
        return text
    # JSON has no NaN or infinity: send the text, which the service rejects with its reason.
    return number if abs(number) < float("inf") else text
