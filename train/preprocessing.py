"""The transformers before an estimator: columns of X, ordered as the card's inputs, → encoded columns.

First, numbers that stand for a missing value become missing: X has them as they were sent.
Encoded columns are the numbers in the order of the fields, then the one-hot columns of each category.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from train.card import CardField
from train.missing_numbers import MissingNumbers, blank_numbers

DIRECTIONS = {"increases": 1, "decreases": -1, None: 0}
"""A card's `risk` → monotonic constraint, as boosting libraries write it."""


def scale_and_one_hot(fields: list[CardField]) -> ColumnTransformer:
    """For linear models: median imputation and StandardScaler for numbers, one-hot categories."""
    return _by_kind(
        fields,
        [("impute", SimpleImputer(strategy="median", keep_empty_features=True)), ("scale", StandardScaler())],
    )


def one_hot(fields: list[CardField]) -> ColumnTransformer:
    """For trees: numbers unchanged, so that splits stay in the field's unit, NaN included; one-hot categories."""
    return _by_kind(fields, [])


def blank_codes(fields: list[CardField]) -> Any:
    """For scorecards: columns unchanged, categories as indices of levels, NaN for what stands for a missing value."""
    return MissingNumbers([field.missing for field in fields])


def monotonic_constraints(fields: list[CardField]) -> list[int]:
    """The monotonic constraint of each encoded column: numbers as the card says, one-hot columns 0."""
    numbers = [DIRECTIONS[field.risk] for field in fields if field.kind == "number"]
    return numbers + [0] * sum(len(levels) for levels in _levels(fields))


def _by_kind(fields: list[CardField], steps: list[tuple[str, Any]]) -> ColumnTransformer:
    columns = {kind: [i for i, field in enumerate(fields) if field.kind == kind] for kind in ("number", "category")}
    steps = blank_numbers([fields[i] for i in columns["number"]]) + steps
    encoder = OneHotEncoder(categories=_levels(fields), handle_unknown="ignore", sparse_output=False)
    parts = [
        ("numbers", Pipeline(steps) if steps else "passthrough", columns["number"]),
        ("categories", encoder, columns["category"]),
    ]
    return ColumnTransformer([part for part in parts if part[2]])


def _levels(fields: list[CardField]) -> list[np.ndarray]:
    """For each category the indices of its levels, and NaN as one more level where the field is nullable."""
    return [
        np.append(np.arange(len(field.levels), dtype=np.float64), [np.nan] if field.nullable else [])
        for field in fields
        if field.kind == "category"
    ]
