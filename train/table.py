"""Any table, as its file says it before a card gives it a meaning: text, and of Parquet also numbers with a point."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from pandas.api.types import is_float_dtype

from train.errors import TrainingError


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read: cells are text, a missing one NA; `sha256` of the file's bytes.

    Of Parquet the columns of floating-point numbers stay what they are, float64, a missing one NaN.
    """

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

    def texts(self, name: str, role: str) -> pd.Series[str]:
        """One column as text, whatever it was; raises TrainingError as `column` does."""
        column = self.column(name, role)
        if not is_float_dtype(column):
            return column
        return column.map(lambda number: str(int(number)) if number.is_integer() else str(number), na_action="ignore")

    def line(self, row: int) -> int:
        """The line of the file that holds a row, counted as an editor does (a header, no line breaks in cells).

        Of Parquet, which has neither lines nor a header, the number of the row, from 1.
        """
        return row + 1 if is_parquet(self.path) else row + 2


def is_parquet(path: Path) -> bool:
    """Whether a file's name says Parquet."""
    return path.suffix == ".parquet"


def read_table(path: Path) -> Table:
    """Read a CSV file (UTF-8, a header line; may be compressed: .gz, .bz2, .xz, .zip), or a Parquet file.

    Raises TrainingError if it is absent, empty, or not such a file.
    """
    try:
        content = path.read_bytes()
        cells = (
            _read_parquet(path, content) if is_parquet(path) else pd.read_csv(path, dtype=str, skipinitialspace=True)
        )
    except OSError as error:
        raise TrainingError(f"can't read the table {path}: {error.strerror or error}; check the path") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} is not a CSV file in UTF-8 with a header line: {error}") from error
    if cells.empty:
        raise TrainingError(f"{path} has a header and no rows; training needs some hundreds at least")
    return Table(path, hashlib.sha256(content).hexdigest(), cells)


def _read_parquet(path: Path, content: bytes) -> pd.DataFrame:
    try:
        table = pd.read_parquet(io.BytesIO(content), engine="pyarrow")
    except ValueError as error:
        raise TrainingError(f"{path} is not a Parquet file: {error}") from error
    except ImportError as error:
        raise TrainingError(
            "Parquet needs pyarrow; install it with: python -m pip install -r requirements-features.txt"
        ) from error
    return table.astype({name: str for name, kind in table.dtypes.items() if not is_float_dtype(kind)})


def _few(names: list[str], most: int = 12) -> str:
    """Some names for a message, not hundreds."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
