"""Parquet files of a portfolio, split at their row groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from score.errors import ScoringError
from score.portfolio import Piece

PIECE_ROWS = 200_000
"""Row groups are combined to at least this many rows. A piece is scored again after an interruption, and becomes one
file of the output."""

READ_BYTES = 1 << 18
"""Buffer size for each column; whole row groups can be larger than memory."""


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """One Parquet file; `size` in rows."""

    path: Path
    schema: pa.Schema
    size: int
    rows: int
    group_rows: tuple[int, ...]

    def pieces(self, columns: list[str], batch_rows: int) -> Iterator[Piece]:
        """Pieces of consecutive row groups."""
        groups: list[int] = []
        rows = 0
        for group, more in enumerate(self.group_rows):
            groups.append(group)
            rows += more
            if rows >= PIECE_ROWS or (rows and group == len(self.group_rows) - 1):
                yield _RowGroups(self.path, tuple(groups), tuple(columns), batch_rows, rows)
                groups, rows = [], 0


@dataclass(frozen=True, slots=True)
class _RowGroups:
    path: Path
    groups: tuple[int, ...]
    columns: tuple[str, ...]
    batch_rows: int
    size: int

    def batches(self) -> Iterator[tuple[pa.RecordBatch, int]]:
        try:
            with pq.ParquetFile(self.path, buffer_size=READ_BYTES, pre_buffer=False) as file:
                for batch in file.iter_batches(self.batch_rows, row_groups=self.groups, columns=self.columns):
                    yield batch, batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise ScoringError(f"can't read row groups {self.groups} of {self.path}: {error}") from error


def open_parquet(path: Path) -> ParquetSource:
    """Read the metadata of a Parquet file; raises ScoringError if it is not one."""
    try:
        with pq.ParquetFile(path) as file:
            about = file.metadata
            groups = tuple(about.row_group(number).num_rows for number in range(about.num_row_groups))
            return ParquetSource(path, file.schema_arrow, about.num_rows, about.num_rows, groups)
    except (pa.ArrowException, OSError) as error:
        raise ScoringError(f"{path} is not a complete Parquet file: {error}") from error
