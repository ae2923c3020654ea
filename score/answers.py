"""The answers of a batch as Arrow columns: what a portfolio's user reads, so names and types must not change silently.

One row for each applicant, in order. A scored row has everything but `fault` and `row`; a row that can't be
scored has only its id, its fault and its cells.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from model.contract import Contract, Field
from model.policy import DECISIONS
from model.session import Matrix

WORD = pa.dictionary(pa.int16(), pa.string())
"""Texts of which there are few: written once a file, and a number a row."""

REJECT_COLUMNS = ("id", "fault", "row")


def answer_schema(id_type: pa.DataType, reasons: int) -> pa.Schema:
    """The columns of `score_batches`; `fault` (what is wrong) and `row` (its cells as JSON) only where rejected."""
    columns: list[tuple[str, pa.DataType]] = [
        ("id", id_type),
        ("probability", pa.float64()),
        ("decision", WORD),
        ("points", pa.int64()),
    ]
    for number in range(1, reasons + 1):
        columns += [(f"reason_{number}", WORD), (f"reason_{number}_text", WORD)]
    columns += [("model_version", WORD), ("fault", pa.string()), ("row", pa.string())]
    return pa.schema(columns)


def scored_columns(reasons: int) -> list[str]:
    """The names of the columns of a scored row."""
    return [name for name in answer_schema(pa.null(), reasons).names if name not in ("fault", "row")]


class ReasonWords:
    """The words of the reasons: for each field its name, its text, and what is said if it is missing."""

    def __init__(self, fields: tuple[Field, ...]) -> None:
        self._names = pa.array([field.name for field in fields], pa.string())
        texts = [field.reason for field in fields] + [f"{field.label}: missing" for field in fields]
        self._texts = pa.array(texts, pa.string())

    def columns(self, largest: npt.NDArray[np.int64], is_missing: npt.NDArray[np.bool_]) -> list[pa.Array]:
        """name and text of each reason in turn; largest: fields by rank or −1 for none, shape (n, reasons).

        is_missing: whether the value of that field is, shape (n, reasons).
        """
        columns = []
        for place, gap in zip(largest.T, is_missing.T, strict=True):
            none = place < 0
            columns.append(_words(place, none, self._names))
            columns.append(_words(place + len(self._names) * gap, none, self._texts))
        return columns


def largest_fields(contributions: Matrix, reasons: int) -> npt.NDArray[np.int64]:
    """The fields that raised the risk most, largest first, −1 where fewer did; int64, shape (n, reasons).

    contributions: float64, shape (n, n_fields); of equal ones the first field comes first. They are used up.
    """
    rows = np.arange(len(contributions))
    found = np.full((len(contributions), reasons), -1)
    for rank in range(min(reasons, contributions.shape[1])):
        place = contributions.argmax(axis=1)
        found[:, rank] = np.where(contributions[rows, place] > 0, place, -1)
        contributions[rows, place] = -np.inf
    return found


def decision_words(decision: npt.NDArray[np.int64], is_rejected: npt.NDArray[np.bool_]) -> pa.Array:
    """Decisions, indexes into DECISIONS, as their words."""
    return _words(decision, is_rejected, pa.array(DECISIONS, pa.string()))


def version_words(contract: Contract, is_rejected: npt.NDArray[np.bool_]) -> pa.Array:
    """The version of the model, once a row."""
    version = pa.array([contract.version], pa.string())
    return _words(np.zeros(len(is_rejected), np.int64), is_rejected, version)


def _words(index: npt.NDArray[np.int64], none: npt.NDArray[np.bool_], words: pa.Array) -> pa.Array:
    mask = none if none.any() else None
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int16), mask=mask), words)
