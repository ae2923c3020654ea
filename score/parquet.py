"""Parquet files of a portfolio, split at their row groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from model.dialect import DialectOptions
from model.vocabulary import Decimal
from score.errors import ScoringError
from score.partitions import Partition
from score.portfolio import Piece, check_columns
from score.rows import Rows
from score.scorer import Scorer

PIECE_ROWS = 200_000
"""Row groups are combined to at least this many rows. A piece is scored again after an interruption, and becomes one
file of the output."""

READ_BYTES = 1 << 18
"""Buffer size for each column; whole row groups can be larger than memory."""

DEFAULT_DECIMAL: Decimal = ".?"
"""Of numbers in text columns: 1,300 can be read two ways, and --decimal says which."""


@dataclass(frozen=True, slots=True)
class ParquetSource:
    """One Parquet file; `size` in rows. `names`: as they are in the file; in `schema` without blanks around them."""

    path: Path
    schema: pa.Schema
    size: int
    names: tuple[str, ...]
    group_rows: tuple[int, ...]
    partition: Partition
    decimal: Decimal
    base_id: str
    dialect: None = None

    def check(self, scorer: Scorer) -> None:
        """Raise ScoringError if a column is absent or of a wrong type."""
        check_columns(self.schema, scorer, str(self.path))

    def pieces(self, columns: Sequence[str], batch_rows: int) -> Iterator[Piece]:
        """Pieces of consecutive row groups."""
        needed = {self.names[self.schema.names.index(name)]: name for name in columns if name not in self.partition}
        groups: list[int] = []
        rows = first = 0
        for group, more in enumerate(self.group_rows):
            groups.append(group)
            rows += more
            if rows >= PIECE_ROWS or (rows and group == len(self.group_rows) - 1):
                yield _RowGroups(self, tuple(groups), needed, batch_rows, first, rows)
                groups, rows, first = [], 0, first + rows


@dataclass(frozen=True, slots=True)
class _RowGroups:
    """`columns`: name in the file → name of the field; `first`: number of the rows before these."""

    source: ParquetSource
    groups: tuple[int, ...]
    columns: dict[str, str]
    batch_rows: int
    first: int
    rows: int

    @property
    def size(self) -> int:
        return self.rows

    def batches(self) -> Iterator[tuple[Rows, int]]:
        source, line = self.source, self.first + 1
        try:
            with pq.ParquetFile(source.path, buffer_size=READ_BYTES, pre_buffer=False) as file:
                for batch in file.iter_batches(self.batch_rows, row_groups=self.groups, columns=[*self.columns]):
                    # A name with a dot in it is also taken for a path to a nested column.
                    named = batch.select([*self.columns]).rename_columns([*self.columns.values()])
                    lines = np.arange(line, line + batch.num_rows)
                    rows = Rows(named, lines, source.decimal, source.base_id, source.partition)
                    yield rows, batch.num_rows
                    line += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise ScoringError(f"can't read row groups {self.groups} of {source.path}: {error}") from error


def open_parquet(path: Path, partition: Partition, options: DialectOptions, base_id: str) -> ParquetSource:
    """Read the metadata of a Parquet file; raises ScoringError if it is not one."""
    try:
        with pq.ParquetFile(path) as file:
            about, schema = file.metadata, file.schema_arrow
            groups = tuple(about.row_group(number).num_rows for number in range(about.num_row_groups))
    except (pa.ArrowException, OSError) as error:
        raise ScoringError(describe_incomplete(str(path))) from error
    columns = [field.with_name(field.name.strip()) for field in schema]
    columns += [pa.field(name, pa.string()) for name in partition]
    decimal = options.decimal or DEFAULT_DECIMAL
    return ParquetSource(
        path, pa.schema(columns), about.num_rows, tuple(schema.names), groups, partition, decimal, base_id
    )


def describe_incomplete(name: str) -> str:
    """What is said of a file without the metadata at the end of Parquet files."""
    return f"{name} is not a complete Parquet file; write or copy it again"
