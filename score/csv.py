"""CSV files of a portfolio (UTF-8, a header line, commas; also .gz), split between rows.

Quotes as in RFC 4180: a row ends at a line break with an even number of quotes before it. A line with too many or
too few cells is passed on in the column MALFORMED, so that it is rejected rather than lost.
"""

from __future__ import annotations

import csv
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from score.errors import ScoringError
from score.portfolio import Piece
from score.rejects import MALFORMED

PIECE_BYTES = 16 << 20
MAX_ROW_BYTES = 256 << 20
"""A longer row is taken for a quote that is never closed."""


@dataclass(frozen=True, slots=True)
class CsvSource:
    """One CSV file; `size` in bytes of the file, `size` of its pieces in uncompressed bytes."""

    path: Path
    schema: pa.Schema
    size: int
    rows: None = None

    def pieces(self, columns: list[str], batch_rows: int) -> Iterator[Piece]:
        """Pieces of consecutive rows, without the header."""
        names = tuple(self.schema.names)
        for number, block in enumerate(_blocks(self.path)):
            content = block[_first_row_end(block) :] if number == 0 else block
            if content.strip():
                yield _Rows(self.path, content, names, tuple(columns), batch_rows)


@dataclass(frozen=True, slots=True)
class _Rows:
    path: Path
    content: bytes
    names: tuple[str, ...]
    columns: tuple[str, ...]
    batch_rows: int

    @property
    def size(self) -> int:
        return len(self.content)

    def batches(self) -> Iterator[tuple[pa.RecordBatch, int]]:
        malformed: list[str] = []
        table = self._read(malformed)
        batches = table.to_batches(self.batch_rows)
        if malformed:
            empty = {name: pa.nulls(len(malformed), table.schema.field(name).type) for name in self.columns}
            batches.append(pa.RecordBatch.from_pydict(empty | {MALFORMED: pa.array(malformed)}))
        for number, batch in enumerate(batches):
            yield batch, self.size if number == len(batches) - 1 else 0

    def _read(self, malformed: list[str]) -> pa.Table:
        """All cells as text, as the Spark engine reads them; columns.py decodes them."""

        def keep_malformed(row: arrow_csv.InvalidRow) -> str:
            malformed.append(row.text)
            return "skip"

        try:
            return arrow_csv.read_csv(
                pa.BufferReader(self.content),
                arrow_csv.ReadOptions(column_names=self.names),
                arrow_csv.ParseOptions(newlines_in_values=b'"' in self.content, invalid_row_handler=keep_malformed),
                arrow_csv.ConvertOptions(
                    include_columns=self.columns, column_types=dict.fromkeys(self.columns, pa.string())
                ),
            )
        except pa.ArrowInvalid as error:
            raise ScoringError(f"{self.path} can't be read as CSV in UTF-8: {error}") from error


def open_csv(path: Path) -> CsvSource:
    """Read the header of a CSV file; raises ScoringError if there is none."""
    block = next(_blocks(path), b"")
    try:
        header = block[: _first_row_end(block)].removeprefix(BOM_UTF8).decode()
        names = next(csv.reader([header], strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise ScoringError(f"{path} has no header line that is CSV in UTF-8: {error}") from error
    if not any(names):
        raise ScoringError(f"{path} is empty, expected a header line with the names of the columns")
    return CsvSource(path, pa.schema([(name.strip(), pa.string()) for name in names]), path.stat().st_size)


def _blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, split between rows."""
    rest = b""
    try:
        with pa.input_stream(str(path)) as stream:
            while data := stream.read(PIECE_BYTES):
                rest += data
                if end := _last_row_end(rest):
                    yield rest[:end]
                    rest = rest[end:]
                elif len(rest) > MAX_ROW_BYTES:
                    raise ScoringError(
                        f"{path} has a row of more than {MAX_ROW_BYTES:,} bytes: a quote is never closed"
                    )
    except OSError as error:
        raise ScoringError(f"can't read {path}: {error}") from error
    if rest:
        yield rest


def _last_row_end(content: bytes) -> int:
    """The end of the last complete row, 0 if there is none."""
    end, quotes = len(content), content.count(b'"')
    while (line_break := content.rfind(b"\n", 0, end)) >= 0:
        quotes -= content.count(b'"', line_break, end)
        if quotes % 2 == 0:
            return line_break + 1
        end = line_break
    return 0


def _first_row_end(content: bytes) -> int:
    """The end of the first row, which may be the end of the content."""
    start = quotes = 0
    while (line_break := content.find(b"\n", start)) >= 0:
        quotes += content.count(b'"', start, line_break)
        if quotes % 2 == 0:
            return line_break + 1
        start = line_break + 1
    return len(content)
