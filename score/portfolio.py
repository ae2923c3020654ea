"""The files of a portfolio: checked before anything is written, and split into pieces.

A piece is the unit of work and of restarting. Its boundaries depend on the files alone, so that a repeated run makes
the same parts as the interrupted one.
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

FINGERPRINT_BYTES = 65_536
"""The fingerprint of a file has its size, its modification time, and the hash of this much at its start and end."""

BATCH_CELLS = 1 << 20
"""Cells of a batch: bounds the memory however wide a table is."""


class Piece(Protocol):
    """Consecutive rows of one file."""

    @property
    def size(self) -> int:
        """Its share of the file's `size`."""

    def batches(self) -> Iterator[tuple[pa.RecordBatch, int]]:
        """Read the rows; yields batches, each with its share of `size`."""


class Source(Protocol):
    """One file of a portfolio."""

    @property
    def path(self) -> Path:
        """The path of the file."""

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns, in the file's order."""

    @property
    def size(self) -> int:
        """Rows or bytes, in the unit of its pieces; only for the progress bar."""

    @property
    def rows(self) -> int | None:
        """Number of rows, if the file's metadata has it."""

    def pieces(self, columns: list[str], batch_rows: int) -> Iterator[Piece]:
        """Split the file into pieces that read these columns."""


class Fingerprint(Struct, frozen=True):
    """Identifies the content of a file, to notice that it was changed or replaced."""

    path: str
    bytes: int
    modified_ns: int
    sha256_of_ends: str


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The files to score, in order, and other files of the folder, which are ignored."""

    root: Path
    sources: tuple[Source, ...]
    ignored: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Sum of the sizes of its files, for the progress bar."""
        return sum(source.size for source in self.sources)

    @property
    def rows(self) -> int | None:
        """Number of rows of all files, None if it is unknown for one."""
        known = [source.rows for source in self.sources if source.rows is not None]
        return sum(known) if len(known) == len(self.sources) else None

    def pieces(self, scorer: Scorer) -> Iterator[Piece]:
        """The pieces of all files, in order."""
        batch_rows = max(BATCH_CELLS // len(scorer.columns), 1)
        for source in self.sources:
            yield from source.pieces(scorer.columns, batch_rows)

    def check(self, scorer: Scorer) -> pa.DataType:
        """The type of the id column; raises ScoringError for the first file with a missing column or a wrong type."""
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

    def fingerprint(self) -> tuple[Fingerprint, ...]:
        """Fingerprints of all files."""
        return tuple(_take_fingerprint(source.path, self.root) for source in self.sources)


def check_columns(schema: pa.Schema, scorer: Scorer, name: str) -> None:
    """Raise ScoringError unless a table has the id and every field exactly once, with types that can hold them."""
    known = ", ".join(schema.names[:12]) + (f" and {len(schema) - 12} more" if len(schema) > 12 else "")
    if scorer.id not in schema.names:
        raise ScoringError(f"{name} has no id column {scorer.id!r}; its columns are: {known}; choose one with --id")
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
            f"{name}: the id {scorer.id!r} is of type {schema.field(scorer.id).type}, expected a text or a number"
        )


def _take_fingerprint(path: Path, root: Path) -> Fingerprint:
    try:
        with path.open("rb") as file:
            status = path.stat()
            ends = file.read(FINGERPRINT_BYTES)
            file.seek(max(status.st_size - FINGERPRINT_BYTES, 0))
            ends += file.read()
    except OSError as error:
        raise ScoringError(f"can't read {path}: {error.strerror}") from error
    name = path.relative_to(root).as_posix() if path != root else path.name
    return Fingerprint(name, status.st_size, status.st_mtime_ns, hashlib.sha256(ends).hexdigest())
