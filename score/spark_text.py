"""Text tables on Spark's workers: the bytes of each file from its lines, then the code of the local engine.

Spark reads files as lines that end with a line feed, without looking at anything else in them, each file in order
within one task. It takes away a byte order mark of UTF-8 and the last line feed; both are put back.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from model.contract import Field
from model.dialect import DialectOptions, TableError
from score.csv import name_errors, open_table, read_chunk, scan_table
from score.errors import ScoringError
from score.partitions import Partition
from score.rows import Rows
from score.scorer import Scorer

BLOCK_BYTES = 4 << 20

BATCH_ROWS = 10_000
"""Rows that are scored at a time, and become one batch of Spark."""

SCANNED = {
    "path": pa.string(),
    "names": pa.list_(pa.string()),
    "separator": pa.string(),
    "decimal": pa.string(),
    "encoding": pa.string(),
    "n_records": pa.int64(),
    "error": pa.string(),
}
"""Columns of `scan_files`: what is found in a file, or what is wrong with it."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """One file; `size` in bytes, None if it is compressed; `base_id`: see score/decision_ids.py."""

    name: str
    size: int | None
    has_mark: bool
    partition: Partition
    base_id: str


def normalize_path(path: str) -> str:
    """A path as the key of its file: Hadoop writes file:/x and file:///x."""
    return re.sub(r"^file:/+", "file:/", path)


def scan_files(
    batches: Iterable[pa.RecordBatch],
    files: Mapping[str, TextFile],
    fields: Sequence[Field],
    options: DialectOptions,
) -> Iterator[pa.RecordBatch]:
    """Read files without scoring them; one row of SCANNED for each. A batch has a column of lines, and of paths."""
    for path, blocks in _read_files(batches, files):
        found: dict[str, Any] = {"path": path, "names": [], "n_records": 0}
        try:
            table = open_table(
                blocks, [field.name for field in fields if field.name not in files[path].partition], options
            )
            found["names"] = list(table.names)
            found["n_records"] = scan_table(table, fields)
            dialect = table.dialect
            found |= {"separator": dialect.separator, "decimal": dialect.decimal, "encoding": dialect.encoding}
        except TableError as error:
            found["error"] = str(error)
        yield pa.RecordBatch.from_pylist([found], pa.schema(SCANNED))


def read_rows(
    batches: Iterable[pa.RecordBatch], files: Mapping[str, TextFile], scorer: Scorer, options: DialectOptions
) -> Iterator[Rows]:
    """The rows of files; raises ScoringError as the local engine does."""
    for path, blocks in _read_files(batches, files):
        file = files[path]
        with name_errors(file.name):
            names = [field.name for field in scorer.model.contract.fields if field.name not in file.partition]
            table = open_table(blocks, names, options)
            for chunk in table.chunks():
                yield from read_chunk(chunk, table, file.partition, file.base_id, scorer.columns, BATCH_ROWS)


def split_by_path(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Consecutive rows of one file; the last column has the path."""
    runs = pc.run_end_encode(batch.columns[-1])
    rows, start = batch.select(batch.schema.names[:-1]), 0
    for path, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield normalize_path(path), rows.slice(start, end - start)
        start = end


def _read_files(
    batches: Iterable[pa.RecordBatch], files: Mapping[str, TextFile]
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The path and the bytes of each file."""
    runs = (run for batch in batches if batch.num_rows for run in split_by_path(batch))
    for path, group in groupby(runs, lambda run: run[0]):
        lines = (b"\n".join(rows.column(0).to_pylist()) for _, rows in group)
        yield path, _join(lines, files[path])


def _join(lines: Iterable[bytes], file: TextFile) -> Iterator[bytes]:
    """The bytes of a file from its lines, in blocks."""
    block = bytearray(BOM_UTF8 if file.has_mark else b"")
    size = 0
    for number, some in enumerate(lines):
        block += b"\n" + some if number else some
        if len(block) >= BLOCK_BYTES:
            size += len(block)
            yield bytes(block)
            block.clear()
    size += len(block)
    # Of a compressed file the size isn't known, but two bytes of UTF-16 belong together; elsewhere a last line feed
    # means nothing.
    is_line_feed_lost = size + 1 == file.size if file.size is not None else size % 2 == 1
    yield bytes(block) + b"\n" * is_line_feed_lost
    if file.size not in (None, size + is_line_feed_lost):
        raise ScoringError(f"{file.name} changed while it was read; score again")
