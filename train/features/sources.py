"""The files of a folder: which hold the tables, and whether all that features are computed from is in them."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset

from train.errors import TrainingError

SUFFIXES = (".parquet", ".csv", ".csv.gz")


@dataclass(frozen=True, slots=True)
class File:
    """A table's file (Parquet may be a folder of parts) and `columns`: all its columns, in order."""

    path: Path
    columns: tuple[str, ...]

    @property
    def is_parquet(self) -> bool:
        """Whether it brings its own types."""
        return self.path.suffix == ".parquet"


def find_file(folder: Path, name: str, without: str, dependants: str) -> File:
    """The file of a table: NAME.parquet, NAME.csv or NAME.csv.gz.

    Raises TrainingError if there is none, naming what depends on it and, where `without` isn't empty, how to
    leave it out.
    """
    for suffix in SUFFIXES:
        path = folder / f"{name}{suffix}"
        if path.exists():
            return File(path, _read_columns(path))
    if not folder.is_dir():
        raise TrainingError(f"can't find the folder {folder}; give the one that holds {name}.csv and the other tables")
    way = f", or leave it out on purpose: --without {without}" if without else ""
    raise TrainingError(
        f"{folder} has no {name}.csv (nor .csv.gz, .parquet), which {dependants} depend on; bring the file{way}"
    )


def check_columns(file: File, dependants: Mapping[str, Sequence[str]]) -> None:
    """Raise TrainingError for the first column that is absent, naming what depends on it."""
    for column, names in dependants.items():
        if column not in file.columns:
            raise TrainingError(
                f"{file.path} has no column {column!r}, which is needed for {shorten(names)}; bring the column; "
                f"the file has: {shorten(file.columns)}"
            )


def shorten(names: Sequence[str], most: int = 8) -> str:
    """Some names for a message, not hundreds."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _read_columns(path: Path) -> tuple[str, ...]:
    try:
        if path.suffix == ".parquet":
            return tuple(pyarrow.dataset.dataset(path, format="parquet").schema.names)
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", newline="") as lines:
            return tuple(next(csv.reader(lines), ()))
    except (OSError, EOFError, UnicodeDecodeError, pa.ArrowException) as error:
        raise TrainingError(f"can't read {path}: {error}; expected a table in CSV (UTF-8) or Parquet") from error
