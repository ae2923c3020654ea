"""Readers of transformers of numbers: scalers, functions, power transforms, quantiles, projections and products."""

from __future__ import annotations

from typing import Any

import numpy as np

from train.fitted.functions import Clip, Function, Power
from train.fitted.intervals import Quantiles
from train.fitted.mixing import Products, Project
from train.fitted.steps import Arithmetic, Matrix, Step, Steps
from train.readers.columns import Column, Columns, Read


def _float64(values: Any) -> Matrix:
    return np.asarray(values, dtype=np.float64)


def _computed(steps: list[Step], columns: Columns) -> Read:
    return tuple(steps), tuple(column.computed() for column in columns)


def _scale(columns: Columns, scale: Any) -> Step:
    """Division by a scale; scikit-learn multiplies a sparse matrix by its inverse."""
    if columns and columns[0].is_sparse:
        return Arithmetic("multiply", 1 / _float64(scale))
    return Arithmetic("divide", _float64(scale))


def _limits(low: float, high: float, columns: Columns) -> Clip:
    return Clip(np.full(len(columns), float(low)), np.full(len(columns), float(high)))


def read_standard(step: Any, columns: Columns) -> Read:
    """StandardScaler."""
    steps: list[Step] = []
    if step.with_mean:
        steps.append(Arithmetic("subtract", _float64(step.mean_)))
    if step.with_std:
        steps.append(_scale(columns, step.scale_))
    return _computed(steps, columns)


def read_min_max(step: Any, columns: Columns) -> Read:
    """MinMaxScaler, also with limits."""
    steps: list[Step] = [Arithmetic("multiply", _float64(step.scale_)), Arithmetic("add", _float64(step.min_))]
    if getattr(step, "clip", False):
        steps.append(_limits(step.feature_range[0], step.feature_range[1], columns))
    return _computed(steps, columns)


def read_max_abs(step: Any, columns: Columns) -> Read:
    """MaxAbsScaler."""
    steps: list[Step] = [_scale(columns, step.scale_)]
    if getattr(step, "clip", False):
        steps.append(_limits(-1.0, 1.0, columns))
    return _computed(steps, columns)


def read_robust(step: Any, columns: Columns) -> Read:
    """RobustScaler."""
    steps: list[Step] = []
    if step.with_centering:
        steps.append(Arithmetic("subtract", _float64(step.center_)))
    if step.with_scaling:
        steps.append(_scale(columns, step.scale_))
    return _computed(steps, columns)


def read_power(step: Any, columns: Columns) -> Read:
    """PowerTransformer."""
    steps, columns = _computed([Power(_float64(step.lambdas_), step.method == "box-cox")], columns)
    if not step.standardize:
        return steps, columns
    scaler, columns = read_standard(step._scaler, columns)
    return (*steps, *scaler), columns


def read_quantiles(step: Any, columns: Columns) -> Read:
    """QuantileTransformer to a uniform distribution."""
    if step.output_distribution != "uniform":
        raise ValueError(
            f"a QuantileTransformer to a {step.output_distribution} distribution can't be exported exactly; "
            "fit it with output_distribution='uniform'"
        )
    return _computed([Quantiles(_float64(step.quantiles_), _float64(step.references_))], columns)


def read_function(step: Any, columns: Columns) -> Read:
    """FunctionTransformer of a function of numpy that ONNX has; none is the identity."""
    if step.func is None:
        return (), columns
    name, arguments = getattr(step.func, "__name__", ""), dict(step.kw_args or {})
    is_numpy = getattr(np, name, None) is step.func
    if is_numpy and name == "clip" and not set(arguments) - {"a_min", "a_max", "min", "max"}:
        low, high = (arguments.get(f"a_{end}", arguments.get(end)) for end in ("min", "max"))
        limits = _limits(-np.inf if low is None else low, np.inf if high is None else high, columns)
        return _computed([limits], columns)
    if not is_numpy or arguments or name not in Function.EMIT:
        raise ValueError(
            f"a FunctionTransformer of {name or step.func}({', '.join(arguments)}) can't be exported exactly, "
            f"expected a function of numpy without arguments: {', '.join(Function.EMIT)}, or clip"
        )
    return _computed([Function(name)], columns)


def read_projection(step: Any, columns: Columns) -> Read:
    """PCA and TruncatedSVD: products with the components, of the distance from the mean."""
    weights = _float64(step.components_).T
    mean = getattr(step, "mean_", None)
    offset = np.zeros(weights.shape[1]) if mean is None else -(_float64(mean) @ weights)
    steps: list[Step] = [Project(weights, offset)]
    if getattr(step, "whiten", False):
        scale = np.sqrt(_float64(step.explained_variance_))
        steps.append(Arithmetic("divide", np.maximum(scale, np.finfo(np.float64).eps)))
    return tuple(steps), tuple(Column("", None) for _ in range(weights.shape[1]))


def read_polynomial(step: Any, columns: Columns) -> Read:
    """PolynomialFeatures: the products of columns that `powers_` lists."""
    factors = tuple(
        tuple(column for column, power in enumerate(powers) for _ in range(power)) for powers in step.powers_.tolist()
    )
    steps: Steps = (Products(factors),)
    is_sparse = bool(columns) and columns[0].is_sparse
    return steps, tuple(Column("", None, is_sparse) for _ in factors)
