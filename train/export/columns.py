"""Which field each encoded column belongs to: the player whose value it carries."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from train.export.shapley import Players


def players_of(pipeline: Pipeline) -> Players:
    """For each column that enters the classifier, the number of its input field: int64, shape (n_columns,).

    Raises ValueError for a step that mixes fields or isn't known.
    """
    fields = np.arange(pipeline.n_features_in_)
    for _, step in pipeline.steps[:-1]:
        fields = _follow(step, fields)
    return fields


def _follow(step: Any, fields: Players) -> Players:
    """The fields of a step's output columns, given those of its input columns."""
    name = type(step).__name__
    if step == "passthrough" or name in ("SimpleImputer", "StandardScaler", "FunctionTransformer"):
        return fields
    if name == "OneHotEncoder":
        return np.repeat(fields, [len(levels) for levels in step.categories_])
    if isinstance(step, Pipeline):
        for _, inner in step.steps:
            fields = _follow(inner, fields)
        return fields
    if isinstance(step, ColumnTransformer):
        return np.concatenate(
            [_follow(inner, fields[columns]) for _, inner, columns in step.transformers_ if len(columns)]
        )
    raise ValueError(
        f"a {name} can't be exported exactly, expected one of: SimpleImputer, StandardScaler, OneHotEncoder, "
        "ColumnTransformer, Pipeline"
    )
