"""Reading the first sheet of an Excel file as text; needs requirements/excel.txt."""

from __future__ import annotations

import datetime
import io
from pathlib import Path

import pandas as pd

from train.errors import TrainingError, first_lines, import_optional


def read_sheet(path: Path, content: bytes) -> tuple[list[str], list[list[str]]]:
    """The header of the first sheet, and its rows as text, one cell for each column.

    Whole numbers have no '.0', dates are ISO 8601, empty cells empty. Raises TrainingError if it can't be read.
    """
    calamine = import_optional("python_calamine", "requirements/excel.txt")
    try:
        frame = pd.read_excel(
            io.BytesIO(content), header=None, dtype=object, keep_default_na=False, na_values=[""], engine="calamine"
        )
    except (calamine.CalamineError, ValueError, OSError) as error:
        raise TrainingError(f"{path} can't be read as an Excel file: {first_lines(error)}; save it as CSV") from error
    rows = [[format_cell(cell) for cell in row] for row in frame.itertuples(index=False)]
    while rows and not any(rows[0]):
        del rows[0]
    if not rows:
        raise TrainingError(f"the first sheet of {path} is empty; expected a header and rows")
    return rows[0], rows[1:]


def format_cell(cell: object) -> str:
    """A cell as text, as Excel's own CSV would have it with a decimal point."""
    if cell is None or (isinstance(cell, float) and cell != cell):
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime.datetime):
        return cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(sep=" ")
    return str(cell).strip()
