"""Tables of outcomes: CSV in any dialect, and Parquet, as outcomes with the line or row of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from decisions.outcomes import Outcome
from model.dialect import TableError
from model.messages import quote_value
from model.records import TextTable
from model.vocabulary import Decimal, describe_bad_number, is_missing, match_level, parse_number

COLUMNS = ("decision_id", "applicant", "date", "defaulted", "amount_lost")

BOOLEANS = (("False", "True"), ("0", "1"), ("no", "yes"))
"""Words for false and true, as model/vocabulary.py reads levels."""

BLOCK_BYTES = 1 << 20


class Line(Struct, frozen=True):
    """An outcome, or why the line has none. `number`: of the line in a text, of the row in Parquet, from 1."""

    number: int
    outcome: Outcome | None
    fault: str = ""


class OutcomeTable(Struct, frozen=True):
    """The lines of a table, and the names of its other columns."""

    lines: list[Line]
    ignored: list[str]


def read_outcomes(path: Path) -> OutcomeTable:
    """All lines of a table; raises TableError and OSError if it can't be read."""
    return _read_parquet(path) if path.suffix in (".parquet", ".pq") else _read_text(path)


def _read_text(path: Path) -> OutcomeTable:
    with path.open("rb") as file:
        table = TextTable(iter(lambda: file.read(BLOCK_BYTES), b""), names=COLUMNS)
        ignored = _check_columns(table.names)
        lines = [
            _make_line(record.line, dict(zip(table.names, record.cells, strict=True)), table.dialect.decimal)
            if record.fault is None
            else Line(record.line, None, record.fault)
            for record in table.records()
        ]
    return OutcomeTable(lines, ignored)


def _read_parquet(path: Path) -> OutcomeTable:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise TableError(f"Parquet needs pyarrow ({error}): pip install -r requirements/decisions.txt") from error
    try:
        with parquet.ParquetFile(path) as file:
            ignored = _check_columns(file.schema_arrow.names)
            names = [name for name in COLUMNS if name in file.schema_arrow.names]
            rows = (row for batch in file.iter_batches(columns=names) for row in batch.to_pylist())
            lines = [
                _make_line(number, {name: _write_cell(value) for name, value in row.items()}, ".")
                for number, row in enumerate(rows, 1)
            ]
    except ArrowException as error:
        raise TableError(f"{path} can't be read as Parquet: {error}") from error
    return OutcomeTable(lines, ignored)


def _check_columns(names: Sequence[str]) -> list[str]:
    """The names of other columns; raises TableError if those of an outcome aren't there, each once."""
    absent = [name for name in ("date", "defaulted") if name not in names]
    if "decision_id" not in names and "applicant" not in names:
        absent.insert(0, "decision_id or applicant")
    if absent:
        raise TableError(f"the table has no column {', '.join(absent)}; its columns are: {', '.join(names[:12])}")
    doubled = [name for name in COLUMNS if list(names).count(name) > 1]
    if doubled:
        raise TableError(f"the table has several columns {doubled[0]!r}; rename all but one")
    return [name for name in names if name not in COLUMNS]


def _write_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, date) else str(value)


def _make_line(number: int, row: Mapping[str, str], decimal: Decimal) -> Line:
    """An outcome from the cells of a line; where it names a decision and an applicant, the decision counts."""
    cells = {name: row.get(name, "").strip() for name in COLUMNS}
    defaulted = _read_boolean(cells["defaulted"])
    if defaulted is None:
        return Line(number, None, f"defaulted is {quote_value(cells['defaulted'])}, expected true or false")
    amount = parse_number(cells["amount_lost"], decimal)
    if amount is None and not is_missing(cells["amount_lost"]):
        return Line(number, None, f"amount_lost: {describe_bad_number(cells['amount_lost'], 'a number', decimal)}")
    applicant = None if cells["decision_id"] else cells["applicant"] or None
    return Line(number, Outcome(cells["date"], defaulted, amount, cells["decision_id"] or None, applicant))


def _read_boolean(text: str) -> bool | None:
    return next((bool(words.index(word)) for words in BOOLEANS if (word := match_level(text, words))), None)
