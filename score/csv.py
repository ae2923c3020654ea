"""Text tables of a portfolio, in any dialect of model/records.py, also compressed with gzip.

`TextSource` is a file of the local engine; `scan_table` and `read_chunk` serve both engines. Where each line of a
chunk is one record, Arrow splits it; all other chunks are split in Python. Both give the same cells.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from model.contract import Field
from model.dialect import HEAD_BYTES, DialectOptions, TableError, make_reader
from model.messages import describe_expected
from model.records import Chunk, Record, TextTable, split_chunk
from model.vocabulary import describe_bad_number, find_readings
from score.errors import ScoringError
from score.partitions import Partition
from score.portfolio import Piece, check_columns
from score.rows import Malformed, Rows
from score.scorer import Scorer

BLOCK_BYTES = 16 << 20
"""A piece of the local engine is about one block."""

HEAD_RECORDS = 2_000
"""A number that can be read two ways refuses the file if it is in one of the first so many records; later, its row."""

OTHER_FORMATS = {
    rb"PK\x03\x04": "a zip file or an Excel workbook",
    rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel workbook",
    rb"PAR1": "a Parquet file, whose name should end in .parquet",
    rb"\x1f\x8b": "compressed with gzip, but its name doesn't end in .gz",
    rb"\x28\xb5\x2f\xfd": "compressed with zstd",
    rb"\xfd7zXZ\x00": "compressed with xz",
    rb"BZh[1-9]1AY&SY": "compressed with bzip2",
}
"""What a file is that is no text, by its first bytes (a pattern)."""


class TextSource:
    """One text table; `size` in bytes of the file. `dialect` is final when its pieces have been read."""

    def __init__(self, path: Path, partition: Partition, scorer: Scorer, options: DialectOptions, base_id: str) -> None:
        """Read the header and the head; raises ScoringError."""
        self.path, self.size = path, path.stat().st_size
        self._partition, self._options, self._base_id = partition, options, base_id
        self._names = [field.name for field in scorer.model.contract.fields if field.name not in partition]
        with name_errors(str(path)):
            self._head = open_table(_Blocks(path, HEAD_BYTES), self._names, options)
        self.dialect = self._head.dialect
        self.schema = table_schema(self._head.names, partition)

    def check(self, scorer: Scorer) -> None:
        """Raise ScoringError if a column is absent, or the head can't be read or has a number with two readings."""
        check_columns(self.schema, scorer, str(self.path))
        with name_errors(str(self.path)):
            scan_table(self._head, scorer.model.contract.fields, only_head=True)

    def pieces(self, columns: Sequence[str], batch_rows: int) -> Iterator[Piece]:
        """Pieces of consecutive records, one for each block."""
        blocks = _Blocks(self.path, BLOCK_BYTES)
        done = 0
        with name_errors(str(self.path)):
            table = open_table(blocks, self._names, self._options)
            for chunk in table.chunks():
                if chunk.n_records:
                    yield _ChunkPiece(self, table, chunk, tuple(columns), batch_rows, blocks.position - done)
                    done = blocks.position
        self.dialect = table.dialect

    def read(self, piece: _ChunkPiece) -> Iterator[Rows]:
        """The rows of a piece."""
        with name_errors(str(self.path)):
            chunk, table = piece.chunk, piece.table
            yield from read_chunk(chunk, table, self._partition, self._base_id, piece.columns, piece.batch_rows)


@dataclass(frozen=True, slots=True)
class _ChunkPiece:
    source: TextSource
    table: TextTable
    chunk: Chunk
    columns: tuple[str, ...]
    batch_rows: int
    size: int

    @property
    def rows(self) -> int:
        return self.chunk.n_records

    def batches(self) -> Iterator[tuple[Rows, int]]:
        left = self.rows
        for rows in self.source.read(self):
            left -= rows.batch.num_rows
            yield rows, self.size if left == 0 else 0


class _Blocks:
    """The bytes of a file in blocks; `position`: how much of the file has been read."""

    def __init__(self, path: Path, size: int) -> None:
        self.position = 0
        self._path, self._size = path, size

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            stream = gzip.GzipFile(fileobj=file) if self._path.name.endswith(".gz") else file
            while block := stream.read(self._size):
                self.position = file.tell()
                yield block


@contextmanager
def name_errors(name: str) -> Iterator[None]:
    """Raise ScoringError with the name of the file for any error of its bytes."""
    try:
        yield
    except TableError as error:
        raise ScoringError(f"{name}: {error}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ScoringError(describe_damaged(name)) from error
    except OSError as error:
        raise ScoringError(f"can't read {name}: {error.strerror or error}") from error


def describe_damaged(name: str) -> str:
    """What is said of a compressed file that can't be read to its end."""
    return f"{name} can't be decompressed: it is cut off, damaged or not gzip; copy it again"


def open_table(blocks: Iterable[bytes], columns: Sequence[str], options: DialectOptions) -> TextTable:
    """Read the header of a text table that should have these columns; raises TableError."""
    return TextTable(_check_format(blocks), names=columns, options=options)


def _check_format(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same blocks; raises TableError if the first bytes are those of another kind of file."""
    for number, block in enumerate(blocks):
        kind = next((kind for pattern, kind in OTHER_FORMATS.items() if number == 0 and re.match(pattern, block)), None)
        if kind is not None:
            raise TableError(f"the file is {kind}; expected a text table (CSV), plain or .gz")
        yield block


def table_schema(names: Sequence[str], partition: Partition) -> pa.Schema:
    """The columns of a text table and of its folders."""
    return pa.schema([(name, pa.string()) for name in (*names, *partition)])


def scan_table(table: TextTable, fields: Sequence[Field], *, only_head: bool = False) -> int:
    """Look for numbers in the head that can be read two ways, and count the records; raises TableError."""
    names = table.names
    cells = [(names.index(one.name), one) for one in fields if one.kind == "number" and one.name in names]
    n_records = 0
    for chunk in table.chunks():
        if n_records < HEAD_RECORDS and table.dialect.decimal not in (".", ","):
            for record in islice(split_chunk(chunk, table), HEAD_RECORDS - n_records):
                _check_record(record, cells, table)
        n_records += chunk.n_records
        if only_head and n_records >= HEAD_RECORDS:
            break
    return n_records


def _check_record(record: Record, cells: Sequence[tuple[int, Field]], table: TextTable) -> None:
    for index, field in cells if record.fault is None else ():
        text, decimal = record.cells[index].strip(), table.dialect.decimal
        if len(set(find_readings(text, decimal))) > 1:
            fault = describe_bad_number(text, describe_expected(field), decimal)
            raise TableError(f"line {record.line}: {field.name}: {fault}")


def read_chunk(
    chunk: Chunk, table: TextTable, partition: Partition, base_id: str, columns: Sequence[str], batch_rows: int
) -> Iterator[Rows]:
    """The records of a chunk in their order; raises ScoringError if they aren't as many as were found in it."""
    needed = {name: table.names.index(name) for name in columns if name not in partition}
    n_rows = 0
    for rows in _split_in_arrow(chunk, table, needed, batch_rows) or _split(chunk, table, needed, batch_rows):
        n_rows += rows.batch.num_rows
        yield replace(rows, partition=partition, base_id=base_id)
    if n_rows != chunk.n_records:
        raise ScoringError(
            f"line {chunk.line}: {chunk.n_records:,} records were counted from here, and {n_rows:,} read; "
            "this is a bug: report it"
        )


def _split(chunk: Chunk, table: TextTable, needed: dict[str, int], batch_rows: int) -> Iterator[Rows]:
    records = split_chunk(chunk, table)
    while some := list(islice(records, batch_rows)):
        malformed = {
            row: Malformed(record.fault, record.cells[0]) for row, record in enumerate(some) if record.fault is not None
        }
        columns = [
            pa.array([None if record.fault else record.cells[index] for record in some], pa.string())
            for index in needed.values()
        ]
        batch = pa.RecordBatch.from_arrays(columns, list(needed))
        lines = np.array([record.line for record in some])
        yield Rows(batch, lines, table.dialect.decimal, "", malformed=malformed)


def _split_in_arrow(chunk: Chunk, table: TextTable, needed: dict[str, int], batch_rows: int) -> Iterator[Rows] | None:
    """The same with Arrow; None if the chunk has to be split in Python, because some record has a fault."""
    if chunk.records is not None:
        return None
    first = chunk.content[: chunk.content.find(b"\n") + 1] or chunk.content
    width = len(next(make_reader(io.StringIO(first.decode(), newline=""), table.dialect.separator), []))
    if width < len(table.names):
        # Arrow would take a chunk in which every record is too short.
        return None
    surplus = [str(index) for index in range(len(table.names), width)]
    include = [*map(str, needed.values()), *surplus]
    try:
        cells = arrow_csv.read_csv(
            pa.BufferReader(chunk.content),
            arrow_csv.ReadOptions(column_names=[str(index) for index in range(width)]),
            arrow_csv.ParseOptions(delimiter=table.dialect.separator),
            arrow_csv.ConvertOptions(
                check_utf8=False, include_columns=include, column_types=dict.fromkeys(include, pa.string())
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowKeyError):
        return None
    if not all(pc.all(pc.equal(pc.utf8_trim_whitespace(cells.column(name)), "")).as_py() for name in surplus):
        return None
    return _to_rows(cells.select(include[: len(needed)]).rename_columns(list(needed)), chunk, table, batch_rows)


def _to_rows(cells: pa.Table, chunk: Chunk, table: TextTable, batch_rows: int) -> Iterator[Rows]:
    line = chunk.line
    for batch in cells.to_batches(batch_rows):
        yield Rows(batch, np.arange(line, line + batch.num_rows), table.dialect.decimal, "")
        line += batch.num_rows
