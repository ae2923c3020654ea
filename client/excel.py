"""The first sheet of an Excel workbook as CSV, for the service, which reads no workbooks."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime, time

from python_calamine import CalamineError, CalamineWorkbook

ZIP_MAGIC, OLD_MAGIC = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How an .xlsx file begins, and an .xls file, or an .xlsx file with a password."""

ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""The part of a file with a password that holds the workbook ([MS-OFFCRYPTO], 2.3.4.4)."""


class ExcelError(Exception):
    """A workbook can't be read; `key` is the key of the message in client/languages/."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True)
class Sheet:
    """The first of `n_sheets` sheets as CSV in UTF-8 with commas and decimal points, without its blank rows.

    `rows`: the row of the sheet, from 1, of each line of the table.
    """

    name: str
    n_sheets: int
    content: bytes
    rows: tuple[int, ...]


def is_workbook(content: bytes) -> bool:
    """Whether a file is an Excel workbook, by its first bytes."""
    return content.startswith((ZIP_MAGIC, OLD_MAGIC))


def read_first_sheet(content: bytes) -> Sheet:
    """The first sheet of an .xlsx file; raises ExcelError for any other or a broken one."""
    if content.startswith(OLD_MAGIC):
        raise ExcelError("excel.password" if ENCRYPTED in content else "excel.old")
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        cells = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except CalamineError as error:
        raise ExcelError("excel.broken") from error
    lines = [(row, [format_cell(cell) for cell in line]) for row, line in enumerate(cells, 1)]
    lines = [(row, line) for row, line in lines if any(line)]
    out = io.StringIO()
    csv.writer(out).writerows(line for _, line in lines)
    names = book.sheet_names
    return Sheet(names[0], len(names), out.getvalue().encode(), tuple(row for row, _ in lines))


def format_cell(cell: object) -> str:
    """A cell as text: whole numbers without '.0', dates as in ISO 8601, True and False."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, date) else str(cell).strip()
