"""The files of a portfolio: checked before anything is written, and split into pieces.

A piece is the unit of work and of restarting. Its boundaries depend on the files alone, so that a repeated run makes
the same parts as the interrupted one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from model.dialect import Dialect
from model.messages import quote_value
from score.columns import check_type
from score.errors import ScoringError
from score.fingerprints import Fingerprint, print_name
from score.ids import choose_id_type
from score.rows import Rows
from score.scorer import Scorer

BATCH_CELLS = 1 << 20
"""Cells of a batch: bounds the memory however wide a table is."""


RESULT_CELLS = 8
"""Cells that the result of a row takes: the decision id alone has the size of five."""


class Piece(Protocol):
    """Consecutive rows of one file."""

    @property
    def size(self) -> int:
        """Its share of the file's `size`."""

    @property
    def rows(self) -> int:
        """Number of its rows, established before they are read."""

    def batches(self) -> Iterator[tuple[Rows, int]]:
        """Read the rows; yields them in order, each with its share of `size`."""


class Source(Protocol):
    """One file of a portfolio."""

    @property
    def path(self) -> Path:
        """The path of the file."""

    @property
    def schema(self) -> pa.Schema:
        """Names and types of the columns, in the file's order, then those of its folders."""

    @property
    def size(self) -> int:
        """Rows or bytes, in the unit of its pieces; only for the progress bar."""

    @property
    def dialect(self) -> Dialect | None:
        """How a text table is written; final when its pieces have been read."""

    def check(self, scorer: Scorer) -> None:
        """Raise ScoringError if the file can't be scored."""

    def pieces(self, columns: Sequence[str], batch_rows: int) -> Iterator[Piece]:
        """Split the file into pieces that read these columns."""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """The files to score, in order, and other files of the folder, which are ignored.

    `fingerprints`: of the sources, taken before any of them was read.
    """

    root: Path
    sources: tuple[Source, ...]
    ignored: tuple[Path, ...]
    fingerprints: tuple[Fingerprint, ...]

    @property
    def size(self) -> int:
        """Sum of the sizes of its files, for the progress bar."""
        return sum(source.size for source in self.sources)

    def pieces(self, scorer: Scorer) -> Iterator[Piece]:
        """The pieces of all files, in order."""
        batch_rows = max(BATCH_CELLS // (len(scorer.columns) + RESULT_CELLS), 1)
        for source in self.sources:
            yield from source.pieces(scorer.columns, batch_rows)

    def id_type(self, scorer: Scorer) -> pa.DataType:
        """The type of the ids in the output; raises ScoringError for one that no id has."""
        return choose_id_type({str(source.path): source.schema.field(scorer.id).type for source in self.sources})

    def dialects(self) -> dict[str, Dialect]:
        """How each text table is written, by its name in the portfolio."""
        return {print_name(source.path, self.root): source.dialect for source in self.sources if source.dialect}


def check_columns(schema: pa.Schema, scorer: Scorer, name: str) -> None:
    """Raise ScoringError unless a table has the id and every field exactly once, with types that can hold them."""
    names = [column if column.isprintable() else quote_value(column) for column in schema.names[:12]]
    known = ", ".join(names) + (f" and {len(schema) - 12} more" if len(schema) > 12 else "")
    absent = [column for column in scorer.columns if column not in schema.names]
    if len(absent) == len(scorer.columns) and len(absent) > 1:
        raise ScoringError(
            f"{name} has no column {scorer.id!r} and none of the fields of the model {scorer.model.contract.name}; its "
            f"columns are: {known}; is the line with their names missing?"
        )
    if scorer.id in absent:
        raise ScoringError(f"{name} has no id column {scorer.id!r}; its columns are: {known}; choose one with --id")
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
    choose_id_type({name: schema.field(scorer.id).type})
