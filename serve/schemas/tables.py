"""Text tables of applicants, for POST /score as CSV and POST /applicants: their dialect, columns and rows.

They are read by the rule of model/records.py. A column is found by its stripped name; each field needs one, a column
of ids is optional, and all others are ignored.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from model.contract import Field
from model.dialect import Dialect, DialectOptions, TableError
from model.messages import quote_value, truncate
from model.records import Record, TextTable, split_chunk
from model.session import NAN
from model.vocabulary import CellError, find_readings, read_cell
from serve.schemas.applicants import describe_two_ids, escape_pointer
from serve.schemas.json_body import Body
from serve.schemas.problems import InvalidApplicants
from serve.schemas.responses import Fault, RowFault

BLOCK_BYTES = 65_536
"""A table is split in blocks of this size: its records are never in memory all at once."""

HEAD_ROWS = 2_000
"""A number that can be read two ways refuses the table if it is in one of the first so many rows; later, its row."""

MAX_SHOWN_COLUMNS = 12
"""How many columns of a table a message names."""


class Row(NamedTuple):
    """One record of a table: the line that it begins in, and its cells and values in the order of the fields.

    `values`: as the graph takes them, NaN where missing or faulty; `faults`: why it can't be scored. A record with too
    few or too many cells has neither cells nor values.
    """

    line: int
    id: str | None
    cells: Sequence[str]
    values: Sequence[float]
    faults: list[RowFault]


class ApplicantTable:
    """A table of applicants, which is read once; `n_rows`: how many rows were found so far."""

    def __init__(
        self,
        body: Body,
        fields: Sequence[Field],
        id_names: Sequence[str],
        options: DialectOptions,
        *,
        is_first_id: bool = False,
    ) -> None:
        """Read the header; raises InvalidApplicants.

        `id_names`: the columns that may have the ids. `is_first_id`: without one of them, the first column has the ids,
        unless it is a field; they may be blank.
        """
        self.n_rows = 0
        self._fields = fields
        try:
            self._table = TextTable(_cut(body), names=[field.name.strip() for field in fields], options=options)
        except TableError as error:
            raise InvalidApplicants([Fault("", str(error))]) from error
        if faults := [*_find_header_faults(self._table.names, fields, id_names)]:
            raise InvalidApplicants([Fault(f"/lines/{self._table.header_line}", fault) for fault in faults])
        columns = {name: column for column, name in enumerate(self._table.names)}
        self._columns = [columns[field.name.strip()] for field in fields]
        found = [columns[name.strip()] for name in id_names if name.strip() in columns]
        self._ids = [column for column in dict.fromkeys(found) if column not in self._columns]
        self._needed_id = self._table.names[self._ids[0]] if self._ids else None
        if not self._ids and is_first_id and 0 not in self._columns:
            self._ids = [0]
        self._decimal = self._table.dialect.decimal

    @property
    def dialect(self) -> Dialect:
        """Final when all rows have been read."""
        return self._table.dialect

    def rows(self, max_rows: int | None = None) -> Iterator[Row]:
        """The rows in order; of a table with more than `max_rows` the others are only counted.

        Raises InvalidApplicants if the table can't be read on.
        """
        try:
            for chunk in self._table.chunks():
                n_before, self.n_rows = self.n_rows, self.n_rows + chunk.n_records
                if max_rows is None or self.n_rows <= max_rows:
                    for number, record in enumerate(split_chunk(chunk, self._table), n_before):
                        yield self._read(record, is_head=number < HEAD_ROWS)
        except TableError as error:
            raise InvalidApplicants([Fault("", str(error))]) from error

    def _read(self, record: Record, *, is_head: bool) -> Row:
        if record.fault is not None:
            return Row(record.line, None, (), (), [RowFault(None, record.fault)])
        faults = []
        given = [cell for column in self._ids if (cell := record.cells[column].strip())]
        given_id = given[0] if given else None
        if given_id is None and self._needed_id is not None:
            faults.append(RowFault(self._needed_id, "missing; expected the id of the row"))
        if given and given[-1] != given_id:
            faults.append(RowFault(self._table.names[self._ids[-1]], describe_two_ids(given[0], given[-1])))
        cells = [record.cells[column] for column in self._columns]
        values = []
        for cell, field in zip(cells, self._fields, strict=True):
            try:
                values.append(read_cell(cell, field, self._decimal))
            except CellError as error:
                if is_head and field.kind == "number" and len(set(find_readings(cell.strip(), self._decimal))) > 1:
                    raise InvalidApplicants([Fault(point_to(record.line, field.name), str(error))]) from error
                values.append(NAN)
                faults.append(RowFault(field.name, str(error)))
        return Row(record.line, given_id, cells, values, faults)


def read_options(query: Mapping[str, str], content_type: str) -> DialectOptions:
    """What a request says about the dialect of its table: `?separator=` and `?decimal=`, the charset of its type."""
    separator, decimal = query.get("separator"), query.get("decimal")
    charset = re.search(r';\s*charset\s*=\s*"?([^\s;"]+)', content_type, re.IGNORECASE)
    known: dict[str | None, str] = {"tab": "\t", "\\t": "\t"}
    checked: Any = decimal  # by TextTable
    return DialectOptions(known.get(separator, separator), checked, charset[1] if charset else None)


def point_to(line: int, field: str | None) -> str:
    """A JSON pointer to a row, or to its cell of a field: /lines/7/Income."""
    return f"/lines/{line}" if field is None else f"/lines/{line}/{escape_pointer(field)}"


def _cut(body: Body) -> Iterator[bytes]:
    view = memoryview(body)
    return (bytes(view[start : start + BLOCK_BYTES]) for start in range(0, len(body), BLOCK_BYTES))


def _find_header_faults(names: Sequence[str], fields: Sequence[Field], id_names: Sequence[str]) -> Iterator[str]:
    """What is wrong with the columns of a table, whose names are stripped."""
    needed = [field.name.strip() for field in fields]
    times = Counter(names)
    absent = [name for name in needed if name not in times]
    if absent:
        shown = [truncate(name) if name.isprintable() else quote_value(name) for name in names[:MAX_SHOWN_COLUMNS]]
        more = f" and {len(names) - MAX_SHOWN_COLUMNS} more" if len(names) > MAX_SHOWN_COLUMNS else ""
        known = f"its columns are: {', '.join(shown)}{more}"
        if len(absent) == len(needed) > 1:
            yield f"the table has none of the fields of the model; {known}; is the line with their names missing?"
            return
        quoted = ", ".join(map(quote_value, absent))
        yield f"the table has no column {quoted}, which the model needs; {known}"
    for name in dict.fromkeys([*(name.strip() for name in id_names), *needed]):
        if times[name] > 1:
            yield f"the table has {times[name]} columns {quote_value(name)}; rename all but one"
        if needed.count(name) > 1:
            yield f"the model has {needed.count(name)} fields {quote_value(name)}, but for blanks; send them as JSON"
