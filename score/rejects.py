"""Rows that can't be scored: where they are, why, and their content, which can be posted once the fault is mended."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from model.contract import Field
from score.columns import Cells
from score.result_columns import REJECTED
from score.rows import Rows

REJECT_COLUMNS = ("id", *REJECTED)


def collect_faults(
    rows: Rows, id_column: str, ids: pa.Array, fields: tuple[Field, ...], columns: list[Cells]
) -> dict[int, str]:
    """Number of a row that can't be scored → all faults of its cells, or the fault of its line.

    columns: the decoded columns of the fields, in their order.
    """
    faults: dict[int, list[str]] = {}
    if ids.null_count:
        for row in np.flatnonzero(ids.is_null().to_numpy(zero_copy_only=False)).tolist():
            faults.setdefault(row, []).append(f"{id_column}: missing; expected the id of the row")
    for field, column in zip(fields, columns, strict=True):
        for row, text in column.faults.items():
            faults.setdefault(row, []).append(f"{field.name}: {text}")
    malformed = {row: line.fault for row, line in rows.malformed.items()}
    return {row: "; ".join(texts) for row, texts in faults.items()} | malformed


def reject_arrays(
    rows: Rows, fields: tuple[Field, ...], columns: list[Cells], faults: dict[int, str]
) -> list[pa.Array]:
    """The columns REJECTED: `row` is a JSON applicant of POST /score, or the text of a malformed line."""
    n_rows = rows.batch.num_rows
    if not faults:
        return [pa.nulls(n_rows, kind) for kind in REJECTED.values()]
    lines: list[int | None] = [None] * n_rows
    texts: list[str | None] = [None] * n_rows
    for row in faults:
        lines[row] = rows.lines.item(row)
        texts[row] = (
            rows.malformed[row].text if row in rows.malformed else _format_applicant(rows, row, fields, columns)
        )
    of_rejects = (lines, [faults.get(row) for row in range(n_rows)], texts)
    return [pa.array(values, kind) for values, kind in zip(of_rejects, REJECTED.values(), strict=True)]


def _format_applicant(rows: Rows, row: int, fields: tuple[Field, ...], columns: list[Cells]) -> str:
    applicant = {
        field.name: _json_value(rows.column(field.name)[row].as_py())
        if row in column.faults
        else _read_value(field, float(column.values[row]))
        for field, column in zip(fields, columns, strict=True)
    }
    return msgspec.json.encode(applicant, enc_hook=str).decode()


def _read_value(field: Field, value: float) -> float | str | None:
    """What POST /score takes for a value of the graph."""
    if math.isnan(value):
        return None
    if field.kind == "category":
        return field.levels[int(value)]
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _json_value(cell: Any) -> Any:
    """A bad cell as it is; a text without blanks around it, infinity, which JSON lacks, as a text."""
    if isinstance(cell, str):
        return cell.strip()
    return str(cell) if isinstance(cell, float) and not math.isfinite(cell) else cell
