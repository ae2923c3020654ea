"""The input field that each encoded column belongs to; contributions of columns are summed by field."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from train.export.shapley import FieldNumbers


def map_columns_to_fields(pipeline: Pipeline) -> FieldNumbers:
    """For each column that enters the classifier, the number of its input field: int64, shape (n_columns,).

    Raises ValueError for an unknown step, or one that mixes fields.
    """
    fields = np.arange(pipeline.n_features_in_)
    for _, step in pipeline.steps[:-1]:
        fields = _follow(step, fields)
    return fields


def _follow(step: Any, fields: FieldNumbers) -> FieldNumbers:
    """The fields of a step's output columns, given those of its input columns."""
    name = type(step).__name__
    if isinstance(step, str):
        return fields if step == "passthrough" else fields[:0]
    if (name == "FunctionTransformer" and step.func is None) or name == "StandardScaler":
        return fields
    if name == "SimpleImputer":
        _check_imputer(step)
        return fields
    if name == "OneHotEncoder":
        _check_one_hot(step)
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


def _check_imputer(imputer: Any) -> None:
    """Raise ValueError for an imputer that does more than replace missing values by a statistic."""
    drops = np.isnan(np.asarray(imputer.statistics_, dtype=np.float64)).any() and not imputer.keep_empty_features
    takes_nan = isinstance(imputer.missing_values, float) and np.isnan(imputer.missing_values)
    if imputer.add_indicator or drops or not takes_nan:
        raise ValueError(
            "a SimpleImputer that adds or drops columns, or takes another value than NaN for missing, can't be "
            "exported; fit it with add_indicator=False, keep_empty_features=True, missing_values=NaN"
        )


def _check_one_hot(encoder: Any) -> None:
    """Raise ValueError for a one-hot encoder that is not one column for each level, all 0 for an unknown level."""
    merges = (encoder.drop, encoder.min_frequency, encoder.max_categories) != (None, None, None)
    if merges or encoder.handle_unknown != "ignore":
        raise ValueError(
            "a OneHotEncoder that drops or merges levels, or fails on others, can't be exported; "
            "fit it with handle_unknown='ignore' and without drop, min_frequency and max_categories"
        )
