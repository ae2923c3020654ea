"""Any table, read as text: what each cell says, before a card gives it a meaning."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from train.errors import TrainingError


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read: every cell text, a missing one NA; `sha256` of the file's bytes."""

    path: Path
    sha256: str
    cells: pd.DataFrame

    def column(self, name: str, role: str) -> pd.Series[str]:
        """One column; raises TrainingError if it is absent or entirely empty."""
        if name not in self.cells.columns:
            raise TrainingError(
                f"{self.path} has no column {name!r} ({role}); its columns are: {_few(list(self.cells.columns))}"
            )
        column = self.cells[name]
        if column.isna().all():
            raise TrainingError(
                f"column {name!r} ({role}) of {self.path} is empty in all {len(column):,} rows; "
                "fill it, or leave the field out of the card"
            )
        return column

    def line(self, row: int) -> int:
        """The line of the file that holds a row, counted as an editor does (a header, no line breaks in cells)."""
        return row + 2


def read_table(path: Path) -> Table:
    """Read a CSV file (UTF-8, a header line; may be compressed: .gz, .bz2, .xz, .zip).

    Raises TrainingError if it is absent, empty, or not such a file.
    """
    try:
        content = path.read_bytes()
        cells = pd.read_csv(path, dtype=str, skipinitialspace=True)
    except OSError as error:
        raise TrainingError(f"can't read the table {path}: {error.strerror or error}; check the path") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} is not a CSV file in UTF-8 with a header line: {error}") from error
    if cells.empty:
        raise TrainingError(f"{path} has a header and no rows; training needs some hundreds at least")
    return Table(path, hashlib.sha256(content).hexdigest(), cells)


def _few(names: list[str], most: int = 12) -> str:
    """Some names for a message, not hundreds."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
