"""Intermediate features: one Parquet file per table, all with the same applicants in the same order.

The files are read side by side, batch by batch, so that the wide table is never joined or held in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from train.errors import TrainingError

BATCH_ROWS = 16_384


@dataclass(frozen=True, slots=True)
class StoredFeatures:
    """Parquet files, or folders of parts ordered by name; row n of each has the same `key`."""

    paths: tuple[Path, ...]
    key: str

    def read_types(self) -> dict[str, pa.DataType]:
        """Column → type, that of the first file that has the column."""
        types: dict[str, pa.DataType] = {}
        for path in self.paths:
            for field in pyarrow.parquet.read_schema(_parts(path)[0]):
                types.setdefault(field.name, field.type)
        return types

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield these columns of all applicants, BATCH_ROWS at a time.

        Raises TrainingError if the files don't have the same applicants in the same order.
        """
        wanted = set(columns) - {self.key}
        readers = []
        for path in self.paths:
            here = wanted & set(pyarrow.parquet.read_schema(_parts(path)[0]).names)
            wanted -= here
            readers.append(_rebatch(_read(path, [self.key, *sorted(here)])))
        for tables in zip_longest(*readers):
            if None in tables or not all(table[self.key].equals(tables[0][self.key]) for table in tables):
                raise TrainingError(
                    f"the tables saved in {self.paths[0].parent} have different applicants; run it again"
                )
            arrays = {name: table[name] for table in tables for name in table.column_names}
            yield pa.table({name: arrays[name] for name in columns})


def _parts(path: Path) -> list[Path]:
    return sorted(path.glob("*.parquet")) if path.is_dir() else [path]


def _read(path: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for part in _parts(path):
        with pyarrow.parquet.ParquetFile(part) as file:
            yield from file.iter_batches(BATCH_ROWS, columns=list(columns))


def _rebatch(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The same rows, BATCH_ROWS at a time, because the row groups of the files differ."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(map(len, held)) >= BATCH_ROWS:
            table = pa.Table.from_batches(held)
            yield table[:BATCH_ROWS].combine_chunks()
            held = table[BATCH_ROWS:].to_batches()
    if sum(map(len, held)):
        yield pa.Table.from_batches(held).combine_chunks()
