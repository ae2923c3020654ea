"""The applicants on which pipeline and graph are compared: the data, and rows made to reveal differences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from model.contract import MAX_MAGNITUDE, Field
from train.dataset import Matrix
from train.export.columns import map_columns_to_fields
from train.export.golden import draw_applicants
from train.export.graph import transform_to_columns
from train.export.learners import read_classifier
from train.export.trees import Trees, collect_splits

GENERATED_ROWS = 100_000
ROWS_WITH_MISSING = 10_000
ROWS_PER_SPLIT = 8
"""Base rows per split, because not every row reaches a split deep in its tree."""


def draw_test_rows(pipeline: Pipeline, fields: list[Field], applicants: Matrix, seed: int) -> Iterator[Matrix]:
    """Yield the applicants, float64, shape (n, n_fields), and then groups of rows made from them or from the bounds."""
    random = np.random.default_rng(seed)
    yield applicants
    yield draw_applicants(fields, GENERATED_ROWS, seed)
    yield _with_missing(applicants, fields, random)
    yield _with_extremes(applicants, fields, random)
    yield _at_splits(pipeline, fields, applicants, random)


def _sample(applicants: Matrix, rows: int, random: np.random.Generator) -> Matrix:
    return applicants[random.integers(0, len(applicants), rows)]


def _with_missing(applicants: Matrix, fields: list[Field], random: np.random.Generator) -> Matrix:
    """Real rows with half of the nullable cells removed, and all of them in the first row."""
    rows = _sample(applicants, ROWS_WITH_MISSING, random)
    nullable = np.array([field.nullable for field in fields])
    is_missing = (random.random(rows.shape) < 0.5) & nullable
    is_missing[0] = nullable
    rows[is_missing] = np.nan
    return rows


def _with_extremes(applicants: Matrix, fields: list[Field], random: np.random.Generator) -> Matrix:
    """Real rows with one number each replaced by an extreme of either sign."""
    extremes = np.array([0.0, 1e-300, 5e-324, 1e15, MAX_MAGNITUDE])
    numbers = [column for column, field in enumerate(fields) if field.kind == "number"]
    cases = [(column, sign * value) for column in numbers for value in extremes for sign in (1, -1)]
    rows = _sample(applicants, len(cases), random)
    for row, (column, value) in zip(rows, cases, strict=True):
        row[column] = value
    return rows


def _at_splits(pipeline: Pipeline, fields: list[Field], applicants: Matrix, random: np.random.Generator) -> Matrix:
    """Real rows with one number each placed where the outcome of a tree's split changes, and one ulp to either side.

    The place is found by bisection over the float64 numbers, which works for any monotonic preprocessing before the
    split.
    """
    exported_classifier = read_classifier(pipeline.steps[-1][1])
    if not isinstance(exported_classifier, Trees):
        return applicants[:0]
    field_of_column = map_columns_to_fields(pipeline)
    cases = sorted(
        {
            (split.column, split.threshold)
            for split in collect_splits(exported_classifier)
            if np.isfinite(split.threshold)
        }
    )
    cases = [case for case in cases if fields[field_of_column[case[0]]].kind == "number"]
    if not cases:
        return applicants[:0]
    column, threshold = np.array([case[0] for case in cases]), np.array([case[1] for case in cases])
    field, every = field_of_column[column], np.arange(len(cases))
    bases = _sample(applicants, len(cases) * ROWS_PER_SPLIT, random).reshape(ROWS_PER_SPLIT, len(cases), -1)
    rows = bases[0].copy()
    low = np.full(len(cases), _to_rank(np.array(-MAX_MAGNITUDE)))
    high = np.full(len(cases), _to_rank(np.array(MAX_MAGNITUDE)))
    while (high > low + 1).any():
        # high − low may overflow an int64.
        middle = low // 2 + high // 2 + (low % 2 + high % 2) // 2
        rows[every, field] = _from_rank(middle)
        is_true = transform_to_columns(pipeline, rows)[every, column] <= threshold
        low, high = np.where(is_true, middle, low), np.where(is_true, high, middle)
    parts = []
    for rank in (low - 1, low, high, high + 1):
        part = bases.copy()
        part[:, every, field] = _from_rank(rank)
        parts.append(part.reshape(-1, applicants.shape[1]))
    return np.concatenate(parts)


def _to_rank(number: Matrix) -> npt.NDArray[np.int64]:
    """float64 as int64 in the same order, such that neighbouring numbers differ by 1."""
    bits = number.view(np.int64)
    return np.where(bits < 0, np.int64(-(2**63)) - bits, bits)


def _from_rank(rank: npt.NDArray[np.int64]) -> Matrix:
    """The inverse of `_to_rank`."""
    return np.where(rank < 0, np.int64(-(2**63)) - rank, rank).view(np.float64)
