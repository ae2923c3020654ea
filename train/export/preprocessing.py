"""Converters of preprocessing steps: float64, in scikit-learn's order of operations, so that results are bit-identical.

They replace those of skl2onnx, which have no float64 kernel (imputer), multiply by 1/scale where scikit-learn divides
(scaler), or don't support missing categories (one-hot encoder).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto

from train.export.converter import Nodes, set_double_output


def convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """SimpleImputer: missing values are replaced by their column's statistic. (n, k) → (n, k)."""
    nodes = Nodes(scope, container)
    x = operator.inputs[0].full_name
    is_missing = nodes.add("IsNaN", [x], "is_missing")
    statistics = nodes.constant("statistics", operator.raw_operator.statistics_.astype(np.float64))
    nodes.finish("Where", [is_missing, statistics, x], operator.outputs[0].full_name)


def convert_scaler(scope: Any, operator: Any, container: Any) -> None:
    """StandardScaler: (x − mean) / scale, subtraction first. (n, k) → (n, k)."""
    nodes = Nodes(scope, container)
    scaler, result = operator.raw_operator, operator.inputs[0].full_name
    steps = [
        ("Sub", "mean", scaler.mean_ if scaler.with_mean else None),
        ("Div", "scale", scaler.scale_ if scaler.with_std else None),
    ]
    for op_type, name, value in steps:
        if value is not None:
            result = nodes.add(op_type, [result, nodes.constant(name, value)], f"after_{name}")
    nodes.finish("Identity", [result], operator.outputs[0].full_name)


def convert_one_hot(scope: Any, operator: Any, container: Any) -> None:
    """OneHotEncoder of level indices: 1.0 in the column of the level, all 0 for an unknown one. (n, k) → (n, Σ levels).

    Column c belongs to field `source[c]` and level `level[c]`; level NaN is a missing value.
    """
    nodes = Nodes(scope, container)
    categories = operator.raw_operator.categories_
    source = np.repeat(np.arange(len(categories)), [len(levels) for levels in categories])
    level = np.concatenate(categories).astype(np.float64)
    values = nodes.add("Gather", [operator.inputs[0].full_name, nodes.constant("source", source)], "values", axis=1)
    hot = nodes.add("Equal", [values, nodes.constant("level", level)], "is_level")
    if np.isnan(level).any():
        is_missing = nodes.add("IsNaN", [values], "is_missing")
        here = nodes.add("And", [is_missing, nodes.constant("is_gap", np.isnan(level))], "is_missing_level")
        hot = nodes.add("Or", [hot, here], "is_hot")
    nodes.finish("Cast", [hot], operator.outputs[0].full_name, to=TensorProto.DOUBLE)


def calculate_same_shape(operator: Any) -> None:
    """Shape calculator of imputer and scaler."""
    set_double_output(operator, operator.raw_operator.n_features_in_)


def calculate_one_hot_shape(operator: Any) -> None:
    """Shape calculator of the one-hot encoder."""
    set_double_output(operator, sum(len(levels) for levels in operator.raw_operator.categories_))
