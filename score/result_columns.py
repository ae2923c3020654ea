"""Results as Arrow columns. Their names and types are what users of the output read and must not change silently.

One row for each applicant, in order. REJECTED (where the row is, what is wrong, its cells) are null in a scored row; a
rejected row has only its id and these.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from model.contract import Field
from model.reasons import describe_missing
from model.results import MONEY, WORDS, list_scalars
from model.rules import Flags, Rule, find_inputs
from model.session import Matrix
from score.scorer import Scorer

DICTIONARY = pa.dictionary(pa.int16(), pa.string())
"""Type of texts with few distinct values."""

REJECTED = {"line": pa.int64(), "fault": pa.string(), "row": pa.string()}
"""Columns of a rejected row, beside its id."""

ARROW_TYPES = {float: pa.float64(), int: pa.int64(), bool: pa.bool_()}


def result_schema(id_type: pa.DataType, scorer: Scorer) -> pa.Schema:
    """The columns of `score_batches`: those of scored rows, then REJECTED."""
    policy = scorer.model.contract.policy
    columns: list[tuple[str, pa.DataType]] = [("id", id_type)]
    columns += [(name, DICTIONARY if name in WORDS else ARROW_TYPES[it]) for name, it in list_scalars(policy).items()]
    if policy.rules:
        columns.append(("rules", DICTIONARY))
    for rank in range(1, scorer.reasons + 1):
        columns += [(f"reason_{rank}", DICTIONARY), (f"reason_{rank}_text", DICTIONARY)]
    columns += [("model_version", DICTIONARY), ("decision_id", pa.string())]
    if scorer.is_with_inputs:
        columns.append(("inputs", pa.list_(pa.float64())))
    return pa.schema([*columns, *REJECTED.items()])


def scored_columns(scorer: Scorer) -> list[str]:
    """The names of the columns of a scored row."""
    return [name for name in result_schema(pa.null(), scorer).names if name not in REJECTED]


def scalar_arrays(columns: dict[str, npt.NDArray[np.generic]], is_rejected: Flags) -> list[pa.Array]:
    """The columns of `model.results.score_columns` as Arrow arrays, null where a row is rejected."""
    mask = is_rejected if is_rejected.any() else None
    return [
        _to_dictionary(column, is_rejected, pa.array(WORDS[name], pa.string()))
        if name in WORDS
        else pa.array(column, mask=is_rejected | np.isnan(column) if name in MONEY else mask)
        for name, column in columns.items()
    ]


def rule_array(deciding: Flags, rules: tuple[Rule, ...]) -> pa.Array:
    """The names of the rules that decided about each row, joined by "; ", null where none did.

    deciding: shape (n, n_rules).
    """
    rows = np.flatnonzero(deciding.any(axis=1))
    choices, of_rows = np.unique(deciding[rows], axis=0, return_inverse=True)
    index = np.full(len(deciding), -1)
    index[rows] = of_rows.reshape(-1)
    words = ["; ".join(rule.name for rule in compress(rules, choice)) for choice in choices]
    return _to_dictionary(index, index < 0, pa.array(words, pa.string()))


@dataclass(frozen=True, slots=True)
class Ranked:
    """The reasons of each row by rank. `largest`: a field's index, n_fields + the index of a rule, or −1 for none;
    int64, shape (n, reasons). `is_missing`: whether the applicant's value of that field is missing, same shape."""

    largest: npt.NDArray[np.int64]
    is_missing: Flags

    def after_rules(self, deciding: Flags, n_fields: int) -> Ranked:
        """With the rules that decided as the first reasons; deciding: shape (n, n_rules)."""
        rules = np.where(deciding, n_fields + np.arange(deciding.shape[1]), -1)
        largest = np.hstack([rules, self.largest])
        is_missing = np.hstack([np.zeros_like(deciding), self.is_missing])
        order = (largest < 0).argsort(axis=1, kind="stable")[:, : self.largest.shape[1]]
        return Ranked(np.take_along_axis(largest, order, axis=1), np.take_along_axis(is_missing, order, axis=1))


def reason_arrays(ranked: Ranked, fields: tuple[Field, ...], rules: tuple[Rule, ...] = ()) -> list[pa.Array]:
    """Name of the field and text of the first reason, then of the second, and so on; of a rule its first field."""
    names = [field.name for field in fields] + [find_inputs(rule.when)[0].field for rule in rules]
    texts = [field.reason for field in fields] + [describe_missing(field) for field in fields]
    texts += [rule.reason for rule in rules]
    arrays = []
    for index, is_missing in zip(ranked.largest.T, ranked.is_missing.T, strict=True):
        is_null = index < 0
        arrays.append(_to_dictionary(index, is_null, pa.array(names, pa.string())))
        text_index = index + len(fields) * (is_missing | (index >= len(fields)))
        arrays.append(_to_dictionary(text_index, is_null, pa.array(texts, pa.string())))
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


def version_array(version: str, is_rejected: Flags) -> pa.Array:
    """The version of the model in each scored row."""
    return _to_dictionary(np.zeros(len(is_rejected), np.int64), is_rejected, pa.array([version], pa.string()))


def inputs_array(columns: list[Matrix], is_rejected: Flags) -> pa.Array:
    """The inputs of each row as a list, from one array for each field, float64, shape (n,), NaN = missing."""
    n_values = len(columns) * len(is_rejected)
    ends = pa.array(np.arange(0, n_values + 1, len(columns), dtype=np.int32))
    values = pa.array(np.column_stack(columns).ravel(), from_pandas=True)
    return pa.ListArray.from_arrays(ends, values, mask=pa.array(is_rejected) if is_rejected.any() else None)


def _to_dictionary(index: npt.NDArray[np.generic], is_null: Flags, words: pa.Array) -> pa.Array:
    mask = is_null if is_null.any() else None
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int16), mask=mask), words)
