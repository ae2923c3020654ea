"""Finding the tables' files in a folder, and checking their columns."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset

from train.errors import TrainingError, shorten

SUFFIXES = (".parquet", ".csv", ".csv.gz")


@dataclass(frozen=True, slots=True)
class File:
    """A table's file (for Parquet also a folder of parts), and all its columns, in order."""

    path: Path
    columns: tuple[str, ...]

    @property
    def is_parquet(self) -> bool:
        """Whether the file is Parquet, which has types of its own."""
        return self.path.suffix == ".parquet"


def find_file(folder: Path, name: str, without: str, dependants: str) -> File:
    """The file of a table: NAME.parquet, NAME.csv or NAME.csv.gz.

    Raises TrainingError if there is none, naming the dependants and, if `without` isn't empty, how to leave it out.
    """
    for suffix in SUFFIXES:
        path = folder / f"{name}{suffix}"
        if path.exists():
            return File(path, _read_columns(path))
    if not folder.is_dir():
        raise TrainingError(f"can't find the folder {folder}; give the one that holds {name}.csv and the other tables")
    alternative = f", or leave it out: --without {without}" if without else ""
    raise TrainingError(
        f"{folder} has no {name}.csv (nor .csv.gz, .parquet), which {dependants} depend on; add the file{alternative}"
    )


def check_columns(file: File, dependants: Mapping[str, Sequence[str]]) -> None:
    """Raise TrainingError for the first absent column, naming what depends on it."""
    for column, names in dependants.items():
        if column not in file.columns:
            raise TrainingError(
                f"{file.path} has no column {column!r}, which is needed for {shorten(names)}; add the column; "
                f"the file has: {shorten(file.columns)}"
            )


def _read_columns(path: Path) -> tuple[str, ...]:
    try:
        if path.suffix == ".parquet":
            return tuple(pyarrow.dataset.dataset(path, format="parquet").schema.names)
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", newline="") as lines:
            return tuple(next(csv.reader(lines), ()))
    except (OSError, EOFError, UnicodeDecodeError, pa.ArrowException) as error:
        raise TrainingError(f"can't read {path}: {error}; expected a table in CSV (UTF-8) or Parquet") from error
