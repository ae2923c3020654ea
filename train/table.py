"""Reading a table from CSV, Excel or Parquet, before a card gives its columns a meaning.

Text is read by the rule of model/records.py, so that a file means here what it means to the service and to `score`.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype

from model.dialect import Dialect, DialectOptions, TableError
from model.records import Record, TextTable, split_chunk
from model.vocabulary import Decimal, is_missing
from train.errors import TrainingError, first_lines, import_optional, shorten
from train.excel import read_sheet
from train.provenance import sha256

BLOCK_BYTES = 4 << 20
"""A text table is split in blocks of this size, so that its records aren't all in memory as Python lists."""

FOUND = DialectOptions()
"""The dialect is found from the file."""

EXCEL_SUFFIXES = (".xlsx", ".xlsm", ".xls", ".ods")


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it was read: cells are text without blanks around it; `sha256`: of the file's bytes.

    Floating-point columns of Parquet stay float64, missing cells NaN; in text columns they are empty. `lines`: where
    each row is in the file, int64, shape (n,): its line, or for Parquet and Excel its row. `dialect`: None for
    these two. `nameless`: number of columns without a name, which are left out. `duplicates`: names of several columns.
    `notes`: what to tell people of rows that were left out. `whole`: the table before rows were dropped, None if none
    were.
    """

    path: Path
    sha256: str
    cells: pd.DataFrame
    lines: npt.NDArray[np.int64]
    dialect: Dialect | None
    decimal: Decimal
    nameless: int = 0
    duplicates: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    whole: Table | None = None

    @property
    def names(self) -> list[str]:
        """The names of its columns."""
        return list(self.cells.columns)

    def column(self, name: str, role: str) -> pd.Series[Any]:
        """One column; raises TrainingError if it is absent, there are several, or all its cells are missing."""
        if name not in self.cells.columns:
            raise TrainingError(
                f"{self.path} has no column {name!r} ({role}); its columns are: {shorten(self.names, 12)}"
            )
        if name in self.duplicates:
            raise TrainingError(f"{self.path} has several columns {name!r} ({role}); rename or remove all but one")
        return self.cells[name]

    def texts(self, name: str, role: str) -> pd.Series[Any]:
        """One column as text, empty where missing; raises TrainingError as `column` does."""
        column = self.column(name, role)
        return format_floats(column) if is_float_dtype(column) else column

    def line(self, row: int) -> str:
        """Where a row (from 0) is in the file: 'line 7', or 'row 7' for Parquet and Excel."""
        return f"{'line' if self.dialect else 'row'} {self.lines[row]}"

    def drop(self, is_dropped: npt.NDArray[np.bool_]) -> Table:
        """The table without these rows; bool, shape (n,)."""
        cells = self.cells.loc[~is_dropped].reset_index(drop=True)
        return replace(self, cells=cells, lines=self.lines[~is_dropped], whole=self.whole or self)


def format_floats(column: pd.Series[Any]) -> pd.Series[Any]:
    """Floats as text, whole numbers without '.0', NaN as an empty text."""
    return column.map(
        lambda number: "" if np.isnan(number) else str(int(number)) if number.is_integer() else repr(float(number))
    ).astype(str)


def is_parquet(path: Path) -> bool:
    """Whether a file is Parquet, by its suffix."""
    return path.suffix.lower() in (".parquet", ".pq")


def read_table(path: Path, options: DialectOptions = FOUND, names: Collection[str] = ()) -> Table:
    """Read a text table in any dialect (optionally compressed: .gz, .bz2, .xz, .zip), an Excel or a Parquet file.

    `names`: columns that it must have, which decide between two separators. Raises TrainingError if the file can't be
    read, a record doesn't fit the header, or there are no rows.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TrainingError(f"can't read the table {path}: {error.strerror or error}; check the path") from error
    if is_parquet(path):
        header, columns, lines, dialect = _read_parquet(path, content)
    elif path.suffix.lower() in EXCEL_SUFFIXES:
        header, rows = read_sheet(path, content)
        columns = [pd.Series(column, dtype=str) for column in zip(*rows, strict=True)]
        lines, dialect = np.arange(2, len(rows) + 2), None
    else:
        header, columns, lines, dialect = _read_text(path, _decompress(path, content), options, names)
    if not len(lines):
        raise TrainingError(f"{path} has a header but no rows; add rows")
    named = [(name, column) for name, column in zip(header, columns, strict=True) if name]
    counts = Counter(name for name, _ in named)
    return Table(
        path,
        sha256(content),
        pd.DataFrame(dict(reversed(named)))[list(counts)],
        np.asarray(lines, np.int64),
        dialect,
        # In Parquet and Excel as `python -m score` reads it: a comma among the digits of a text can be either mark.
        dialect.decimal if dialect else options.decimal or ".?",
        nameless=len(header) - len(named),
        duplicates=tuple(name for name, count in counts.items() if count > 1),
    )


Columns = tuple[list[str], list["pd.Series[Any]"], npt.NDArray[np.int64], Dialect | None]


def _read_text(path: Path, content: bytes, options: DialectOptions, names: Collection[str]) -> Columns:
    view = memoryview(content)
    blocks = (bytes(view[start : start + BLOCK_BYTES]) for start in range(0, max(len(content), 1), BLOCK_BYTES))
    parts: list[list[pd.Series[Any]]] = []
    lines: list[int] = []
    try:
        table = TextTable(blocks, names=names, options=options)
        for chunk in table.chunks():
            records = list(_check_records(split_chunk(chunk, table)))
            lines += [record.line for record in records]
            columns = zip(*(record.cells for record in records), strict=True)
            parts.append([pd.Series(column, dtype=str).str.strip() for column in columns])
    except TableError as error:
        raise TrainingError(f"{path}: {error}") from error
    filled = [part for part in parts if part]
    whole: list[pd.Series[Any]] = [pd.concat(column, ignore_index=True) for column in zip(*filled, strict=True)]
    return list(table.names), whole, np.array(lines, np.int64), table.dialect


def _check_records(records: Iterator[Record]) -> Iterator[Record]:
    for record in records:
        if record.fault is not None:
            raise TableError(f"line {record.line}: {record.fault}; correct the line")
        yield record


def _read_parquet(path: Path, content: bytes) -> Columns:
    import_optional("pyarrow", "requirements/features.txt")
    try:
        table = pd.read_parquet(io.BytesIO(content), engine="pyarrow")
    except (ValueError, OSError, NotImplementedError) as error:
        raise TrainingError(f"{path} is not a complete Parquet file: {first_lines(error)}") from error
    columns = [_as_text(table.iloc[:, number]) for number in range(table.shape[1])]
    return [str(name).strip() for name in table.columns], columns, np.arange(1, len(table) + 1), None


def _as_text(column: pd.Series[Any]) -> pd.Series[Any]:
    """Floats as float64, anything else as text, empty where missing."""
    column = column.reset_index(drop=True)
    if is_float_dtype(column):
        return column.astype(np.float64)
    missing = column.isna()
    texts = column.astype(object).map(str) if not is_bool_dtype(column) else column.astype(str)
    return texts.where(~missing, "").astype(str).str.strip()


def _decompress(path: Path, content: bytes) -> bytes:
    """The content of a compressed file, by its suffix."""
    suffix = path.suffix.lower()
    if suffix in (".zst", ".7z", ".rar", ".tar"):
        raise TrainingError(f"{path} is compressed in a format that can't be read; unpack it, or compress it as .gz")
    if suffix == ".zip":
        return _unzip(path, content)
    decompress = DECOMPRESSORS.get(suffix)
    if decompress is None:
        return content
    try:
        return decompress(content)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise TrainingError(f"{path} can't be decompressed: {first_lines(error)}; it is damaged or cut off") from error


DECOMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
}


def _unzip(path: Path, content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
            if len(files) != 1:
                raise TrainingError(
                    f"{path} holds {len(files)} files ({shorten(files, 4)}), expected one table; unpack it"
                )
            return archive.read(files[0])
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise TrainingError(f"{path} can't be unpacked: {first_lines(error)}; unpack it and name the file") from error


def find_missing(texts: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    """Which cells are empty or a word for a missing value; bool, shape (n,)."""
    words = [text for text in texts.unique() if is_missing(text)]
    return texts.isin(words).to_numpy()
