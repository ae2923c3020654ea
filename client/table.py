"""The table of applicants as the service reads it (POST /applicants): ids, applicants, and the faults of rows.

The service finds separator, decimal mark and encoding; an Excel workbook is sent as CSV. No row is dropped.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from client.api import Api, InvalidApplicants, TooLarge
from client.excel import ExcelError, Sheet, is_workbook, read_first_sheet
from client.responses import Applicant, Dialect, Field, RowFault, TableRow

GZIP_MAGIC = b"\x1f\x8b"


class TableError(Exception):
    """The file can't be read; `key` is the key of the message in client/languages/, `values` its placeholders."""

    def __init__(self, key: str, **values: str) -> None:
        super().__init__(key)
        self.key, self.values = key, values


class Options(NamedTuple):
    """What the user says about a text table; empty is found by the service."""

    separator: str = ""
    decimal: str = ""


NO_OPTIONS = Options()


@dataclass(frozen=True, slots=True)
class Table:
    """Applicants in the order of the file, with unique ids and the line of each.

    `faults`: number of a row that can't be scored → why. Its number fields that can't be read are missing. `sheet`: of
    an Excel workbook. `sha256`: of the file and how it was to be read. `given_ids`: as in the file, None where it has
    none.
    """

    name: str
    sha256: str
    ids: tuple[str, ...]
    applicants: tuple[Applicant, ...]
    lines: tuple[int, ...] = ()
    faults: Mapping[int, str] = field(default_factory=dict)
    dialect: Dialect | None = None
    sheet: Sheet | None = None
    given_ids: tuple[str | None, ...] = ()

    def given_id(self, row: int) -> str | None:
        """The id of an applicant as it is in the file."""
        return self.given_ids[row] if self.given_ids else None

    @property
    def sound(self) -> tuple[Applicant, ...]:
        """The applicants without faults."""
        return tuple(applicant for row, applicant in enumerate(self.applicants) if row not in self.faults)


def read_table(api: Api, name: str, content: bytes, fields: Sequence[Field], options: Options) -> Table:
    """Read a file with the service; raises TableError if it can't be read, ApiError if the service can't be used."""
    sheet = _read_sheet(name, content) if is_workbook(content) else None
    try:
        if sheet:
            answer = api.read_table(sheet.content, separator=",", decimal=".", charset="utf-8")
        else:
            encoding = "gzip" if content.startswith(GZIP_MAGIC) else ""
            answer = api.read_table(
                content, separator=options.separator, decimal=options.decimal, content_encoding=encoding
            )
    except TooLarge as error:
        # What the service advises, several bodies, is of no use here.
        raise TableError("table.too_large", file=name, detail=str(error).partition(";")[0]) from error
    except InvalidApplicants as error:
        raise _describe_refusal(name, error, sheet) from error
    if not answer.rows:
        raise TableError("table.empty", file=name)
    return Table(
        name=name,
        sha256=hashlib.sha256(content + "".join(options).encode()).hexdigest(),
        ids=_make_ids(answer.rows),
        applicants=tuple(_read_applicant(row, fields) for row in answer.rows),
        lines=sheet.rows[1:] if sheet else tuple(row.line for row in answer.rows),
        faults={number: _join(row.faults) for number, row in enumerate(answer.rows) if row.faults},
        dialect=answer.dialect,
        sheet=sheet,
        given_ids=tuple(row.id for row in answer.rows),
    )


def _read_sheet(name: str, content: bytes) -> Sheet:
    try:
        return read_first_sheet(content)
    except ExcelError as error:
        raise TableError(error.key, file=name) from error


def _describe_refusal(name: str, error: InvalidApplicants, sheet: Sheet | None) -> TableError:
    if not error.errors:
        return TableError("table.refused", file=name, detail=str(error))
    line = error.errors[0].pointer.removeprefix("/lines/").replace("/", ", ").replace("~1", "/").replace("~0", "~")
    key = "table.refused_line" if line and not sheet else "table.refused"
    return TableError(key, file=name, line=line, detail=error.errors[0].detail)


def _make_ids(rows: Sequence[TableRow]) -> tuple[str, ...]:
    """The ids of a table; a row without one, or with that of another row, is told by its number, from 1."""
    if not any(row.id for row in rows):
        return tuple(str(number) for number in range(1, len(rows) + 1))
    times = Counter(row.id for row in rows)
    return tuple(
        row.id if row.id and times[row.id] == 1 else f"{row.id or ''} #{number}".strip()
        for number, row in enumerate(rows, 1)
    )


def _read_applicant(row: TableRow, fields: Sequence[Field]) -> Applicant:
    values = row.applicant or {}
    return {
        about.name: None if about.kind == "number" and isinstance(value, str) else value
        for about in fields
        for value in (values.get(about.name),)
    }


def _join(faults: Sequence[RowFault]) -> str:
    return "; ".join(f"{fault.field}: {fault.detail}" if fault.field else fault.detail for fault in faults)
