"""What is to be scored: the files of a portfolio, checked before anything is written, and cut into pieces.

A piece is the unit of work and of restarting: where it begins and ends depends on the files alone, so that an
interrupted run and its repetition make the same parts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
from msgspec import Struct

from score.batches import Scorer
from score.columns import check_type
from score.errors import ScoringError

SAMPLED_BYTES = 65_536
"""A file's fingerprint holds its size, its time, and the hash of this much at its beginning and end."""

CELLS_OF_A_BATCH = 1 << 20
"""Cells read at a time: few enough for a bounded memory however wide a table is, enough to be worth a call."""


class Piece(Protocol):
    """Some consecutive rows of one file."""

    @property
    def size(self) -> int:
        """How much of its file's `size` it is."""

    def batches(self) -> Iterator[tuple[pa.RecordBatch, int]]:
        """Read the rows, a batch at a time; with each its share of `size`."""


class Source(Protocol):
    """One file of a portfolio."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def schema(self) -> pa.Schema:
        """The columns, in the file's order, and their types."""

    @property
    def size(self) -> int:
        """Rows or bytes, whatever its pieces count; only for showing progress."""

    @property
    def rows(self) -> int | None:
        """Rows of the file, where it says so itself."""

    def pieces(self, columns: list[str], batch_rows: int) -> Iterator[Piece]:
        """Cut the file into pieces that read these columns."""


class FileMark(Struct, frozen=True):
    """What tells that a file is still the one that was scored."""

    path: str
    bytes: int
    modified_ns: int
    sha256_of_ends: str


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The files to score, in order, and those of the folder that hold no table."""

    root: Path
    sources: tuple[Source, ...]
    left_out: tuple[Path, ...]

    @property
    def size(self) -> int:
        """For showing progress."""
        return sum(source.size for source in self.sources)

    @property
    def rows(self) -> int | None:
        """Rows of all files, if all of them say so."""
        known = [source.rows for source in self.sources if source.rows is not None]
        return sum(known) if len(known) == len(self.sources) else None

    def pieces(self, scorer: Scorer) -> Iterator[Piece]:
        """All pieces of all files, in order."""
        batch_rows = max(CELLS_OF_A_BATCH // len(scorer.columns), 1)
        for source in self.sources:
            yield from source.pieces(scorer.columns, batch_rows)

    def check(self, scorer: Scorer) -> pa.DataType:
        """The type of the id; raises ScoringError for the first file that lacks a column or has one of a wrong type."""
        id_types = {}
        for source in self.sources:
            check_columns(source.schema, scorer, str(source.path))
            kind = source.schema.field(scorer.id).type
            id_types[kind.value_type if pa.types.is_dictionary(kind) else kind] = source.path
        if len(id_types) > 1:
            (one, first), (other, second) = list(id_types.items())[:2]
            raise ScoringError(
                f"column {scorer.id!r} is of type {one} in {first}, but {other} in {second}; make them the same"
            )
        return next(iter(id_types))

    def mark(self) -> tuple[FileMark, ...]:
        """The fingerprint of all files."""
        return tuple(_mark(source.path, self.root) for source in self.sources)


def check_columns(schema: pa.Schema, scorer: Scorer, name: str) -> None:
    """Raise ScoringError unless a table has the id and every field, each once and of a type that can hold it."""
    known = ", ".join(schema.names[:12]) + (f" and {len(schema) - 12} more" if len(schema) > 12 else "")
    if scorer.id not in schema.names:
        raise ScoringError(
            f"{name} has no column {scorer.id!r} that names a row; its columns are: {known}; choose one with --id"
        )
    absent = [column for column in scorer.columns if column not in schema.names]
    if absent:
        raise ScoringError(
            f"{name} has no column {', '.join(map(repr, absent))}, which the model "
            f"{scorer.model.contract.name} needs; its columns are: {known}"
        )
    for column in scorer.columns:
        if schema.names.count(column) > 1:
            raise ScoringError(f"{name} has {schema.names.count(column)} columns {column!r}; rename all but one")
    for field in scorer.model.contract.fields:
        try:
            check_type(schema.field(field.name).type, field)
        except ScoringError as error:
            raise ScoringError(f"{name}: {error}") from error
    if pa.types.is_nested(schema.field(scorer.id).type):
        raise ScoringError(
            f"{name}: the id {scorer.id!r} is of type {schema.field(scorer.id).type}, which names no row"
        )


def _mark(path: Path, root: Path) -> FileMark:
    try:
        with path.open("rb") as file:
            status = path.stat()
            ends = file.read(SAMPLED_BYTES)
            file.seek(max(status.st_size - SAMPLED_BYTES, 0))
            ends += file.read()
    except OSError as error:
        raise ScoringError(f"can't read {path}: {error.strerror}") from error
    name = path.relative_to(root).as_posix() if path != root else path.name
    return FileMark(name, status.st_size, status.st_mtime_ns, hashlib.sha256(ends).hexdigest())
