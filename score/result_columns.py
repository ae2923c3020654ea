"""Results as Arrow columns. Their names and types are what users of the output read and must not change silently.

One row for each applicant, in order. REJECTED (where the row is, what is wrong, its cells) are null in a scored row; a
rejected row has only its id and these.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from model.contract import Field
from model.reasons import describe_missing
from model.results import SCALARS, WORDS
from model.session import Matrix

DICTIONARY = pa.dictionary(pa.int16(), pa.string())
"""Type of texts with few distinct values."""

REJECTED = {"line": pa.int64(), "fault": pa.string(), "row": pa.string()}
"""Columns of a rejected row, beside its id."""

ARROW_TYPES = {float: pa.float64(), int: pa.int64(), bool: pa.bool_()}


def result_schema(id_type: pa.DataType, reasons: int, *, is_with_inputs: bool = False) -> pa.Schema:
    """The columns of `score_batches`: those of scored rows, then REJECTED."""
    columns: list[tuple[str, pa.DataType]] = [("id", id_type)]
    columns += [(name, DICTIONARY if name in WORDS else ARROW_TYPES[kind]) for name, kind in SCALARS.items()]
    for rank in range(1, reasons + 1):
        columns += [(f"reason_{rank}", DICTIONARY), (f"reason_{rank}_text", DICTIONARY)]
    columns += [("model_version", DICTIONARY), ("decision_id", pa.string())]
    if is_with_inputs:
        columns.append(("inputs", pa.list_(pa.float64())))
    return pa.schema([*columns, *REJECTED.items()])


def scored_columns(reasons: int, *, is_with_inputs: bool = False) -> list[str]:
    """The names of the columns of a scored row."""
    schema = result_schema(pa.null(), reasons, is_with_inputs=is_with_inputs)
    return [name for name in schema.names if name not in REJECTED]


def scalar_arrays(columns: dict[str, npt.NDArray[np.generic]], is_rejected: npt.NDArray[np.bool_]) -> list[pa.Array]:
    """The columns of `model.results.score_columns` as Arrow arrays, null where a row is rejected."""
    mask = is_rejected if is_rejected.any() else None
    return [
        _to_dictionary(columns[name], is_rejected, pa.array(WORDS[name], pa.string()))
        if name in WORDS
        else pa.array(columns[name], mask=mask)
        for name in SCALARS
    ]


def reason_arrays(
    largest: npt.NDArray[np.int64], is_missing: npt.NDArray[np.bool_], fields: tuple[Field, ...]
) -> list[pa.Array]:
    """Name and text of the first reason, then of the second, and so on.

    largest: indices of fields by rank, −1 for no reason, shape (n, reasons); is_missing: whether the applicant's
    value of that field is missing, same shape.
    """
    names = pa.array([field.name for field in fields], pa.string())
    texts = pa.array([field.reason for field in fields] + [describe_missing(field) for field in fields], pa.string())
    arrays = []
    for index, is_value_missing in zip(largest.T, is_missing.T, strict=True):
        is_null = index < 0
        arrays.append(_to_dictionary(index, is_null, names))
        arrays.append(_to_dictionary(index + len(fields) * is_value_missing, is_null, texts))
    return arrays


def largest_fields(contributions: Matrix, reasons: int) -> npt.NDArray[np.int64]:
    """Indices of the fields that raised the risk most, largest first, −1 if fewer did; int64, shape (n, reasons).

    contributions: float64, shape (n, n_fields), overwritten; among equal ones the first field comes first.
    """
    rows = np.arange(len(contributions))
    largest = np.full((len(contributions), reasons), -1)
    for rank in range(min(reasons, contributions.shape[1])):
        column = contributions.argmax(axis=1)
        largest[:, rank] = np.where(contributions[rows, column] > 0, column, -1)
        contributions[rows, column] = -np.inf
    return largest


def version_array(version: str, is_rejected: npt.NDArray[np.bool_]) -> pa.Array:
    """The version of the model in each scored row."""
    return _to_dictionary(np.zeros(len(is_rejected), np.int64), is_rejected, pa.array([version], pa.string()))


def inputs_array(columns: list[Matrix], is_rejected: npt.NDArray[np.bool_]) -> pa.Array:
    """The inputs of each row as a list, from one array for each field, float64, shape (n,), NaN = missing."""
    n_values = len(columns) * len(is_rejected)
    ends = pa.array(np.arange(0, n_values + 1, len(columns), dtype=np.int32))
    values = pa.array(np.column_stack(columns).ravel(), from_pandas=True)
    return pa.ListArray.from_arrays(ends, values, mask=pa.array(is_rejected) if is_rejected.any() else None)


def _to_dictionary(index: npt.NDArray[np.generic], is_null: npt.NDArray[np.bool_], words: pa.Array) -> pa.Array:
    mask = is_null if is_null.any() else None
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int16), mask=mask), words)
