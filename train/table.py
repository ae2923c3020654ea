"""Reading a table from CSV or Parquet, before a card gives its columns a meaning."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from pandas.api.types import is_float_dtype

from model.vocabulary import MISSING_WORDS
from train.errors import TrainingError, import_optional, shorten
from train.provenance import sha256


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read: cells are text, missing ones NA; `sha256`: of the file's bytes.

    Floating-point columns of Parquet stay float64, missing cells NaN.
    """

    path: Path
    sha256: str
    cells: pd.DataFrame

    def column(self, name: str, role: str) -> pd.Series[str]:
        """One column; raises TrainingError if it is absent or entirely empty."""
        if name not in self.cells.columns:
            raise TrainingError(
                f"{self.path} has no column {name!r} ({role}); its columns are: {shorten(list(self.cells.columns), 12)}"
            )
        column = self.cells[name]
        if column.isna().all():
            raise TrainingError(
                f"column {name!r} ({role}) of {self.path} is empty in all {len(column):,} rows; "
                "fill it, or leave the field out of the card"
            )
        return column

    def texts(self, name: str, role: str) -> pd.Series[str]:
        """One column as text; raises TrainingError as `column` does."""
        column = self.column(name, role)
        if not is_float_dtype(column):
            return column
        return column.map(lambda number: str(int(number)) if number.is_integer() else str(number), na_action="ignore")

    def line(self, row: int) -> int:
        """The line of a row (from 0) in the CSV file, counting the header and assuming no line breaks in cells.

        For Parquet, which has no header, the number of the row from 1.
        """
        return row + 1 if is_parquet(self.path) else row + 2


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet, by its suffix."""
    return path.suffix == ".parquet"


def read_table(path: Path) -> Table:
    """Read a CSV file (UTF-8, with a header; optionally compressed: .gz, .bz2, .xz, .zip) or a Parquet file.

    Raises TrainingError if it is absent, empty or in another format.
    """
    try:
        content = path.read_bytes()
        cells = _read_parquet(path, content) if is_parquet(path) else _read_csv(path)
    except OSError as error:
        raise TrainingError(f"can't read the table {path}: {error.strerror or error}; check the path") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} is not a CSV file in UTF-8 with a header line: {error}") from error
    if cells.empty:
        raise TrainingError(f"{path} has a header but no rows; training needs at least some hundreds")
    return Table(path, sha256(content), cells)


def _read_csv(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, skipinitialspace=True, na_values=MISSING_WORDS, keep_default_na=False)


def _read_parquet(path: Path, content: bytes) -> pd.DataFrame:
    import_optional("pyarrow", "requirements/features.txt")
    try:
        table = pd.read_parquet(io.BytesIO(content), engine="pyarrow")
    except ValueError as error:
        raise TrainingError(f"{path} is not a Parquet file: {error}") from error
    return table.astype({name: str for name, kind in table.dtypes.items() if not is_float_dtype(kind)})
