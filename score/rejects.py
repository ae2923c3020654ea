"""Rejected rows: why a row can't be scored (`fault`), and its cells (`row`), as columns of OUT/rejects.

The faults of single cells are found in score/columns.py; score/output.py and score/spark.py write the files.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pyarrow as pa

from model.contract import Field
from model.messages import quote_value
from score.columns import Cells

REJECT_COLUMNS = ("id", "fault", "row")

MALFORMED = "_corrupt_record"
"""Column for the text of a CSV line with too many or too few cells; the CSV readers of both engines fill it."""


def collect_faults(
    batch: pa.RecordBatch, id_column: str, fields: tuple[Field, ...], columns: list[Cells]
) -> dict[int, str]:
    """Number of a row that can't be scored → all faults of its cells, or the fault of its line.

    columns: the decoded columns of the fields, in their order.
    """
    malformed: dict[int, str] = {}
    if MALFORMED in batch.schema.names and batch.column(MALFORMED).null_count < batch.num_rows:
        texts = batch.column(MALFORMED).to_pylist()
        malformed = {
            row: f"expected one cell for each column of the header, got {quote_value(text)}"
            for row, text in enumerate(texts)
            if text is not None
        }
    faults: dict[int, list[str]] = {}
    ids = batch.column(id_column)
    if ids.null_count:
        for row in np.flatnonzero(ids.is_null().to_numpy(zero_copy_only=False)).tolist():
            faults.setdefault(row, []).append(f"{id_column}: missing; expected the id of the row")
    for field, column in zip(fields, columns, strict=True):
        for row, text in column.faults.items():
            faults.setdefault(row, []).append(f"{field.name}: {text}")
    return {row: "; ".join(texts) for row, texts in faults.items()} | malformed


def reject_arrays(batch: pa.RecordBatch, fields: tuple[Field, ...], faults: dict[int, str]) -> list[pa.Array]:
    """The columns `fault` and `row`: the cells of a rejected row as a JSON applicant of POST /score, or its line."""
    if not faults:
        return [pa.nulls(batch.num_rows, pa.string())] * 2
    rows = sorted(faults)
    cells = batch.take(pa.array(rows)).to_pylist()
    texts = {}
    for row, values in zip(rows, cells, strict=True):
        malformed = values.pop(MALFORMED, None)
        applicant = {field.name: _json_value(values[field.name]) for field in fields}
        texts[row] = malformed if malformed is not None else msgspec.json.encode(applicant, enc_hook=str).decode()
    return [pa.array([of.get(row) for row in range(batch.num_rows)], pa.string()) for of in (faults, texts)]


def _json_value(value: object) -> object:
    """Infinity, which JSON lacks, as a text."""
    return str(value) if isinstance(value, float) and math.isinf(value) else value
