"""Readers of preprocessing: a fitted transformer and the columns before it → steps and the columns after it."""

from __future__ import annotations

from collections import UserList
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from train.fitted.steps import Arithmetic, Parallel, Select, Steps
from train.readers.columns import Column, Columns, Read, decode_numbers
from train.readers.encoders import (
    read_binarizer,
    read_bins,
    read_label_encoders,
    read_one_hot,
    read_ordinal,
    read_target,
)
from train.readers.imputers import read_imputer, read_indicator, read_missing_numbers
from train.readers.names import is_sampler
from train.readers.numbers import (
    read_function,
    read_max_abs,
    read_min_max,
    read_polynomial,
    read_power,
    read_projection,
    read_quantiles,
    read_robust,
    read_standard,
)
from train.readers.optbinning import read_binning_process


def read_steps(steps: list[Any], columns: Columns) -> Read:
    """Transformers one after the other."""
    read: list[Any] = []
    for step in steps:
        more, columns = read_transformer(step, columns)
        read.extend(more)
    return tuple(read), columns


def read_transformer(step: Any, columns: Columns) -> Read:
    """The steps of one fitted transformer; raises ValueError if it has no exact export."""
    if step is None or (isinstance(step, str) and step == "passthrough") or is_sampler(step):
        return (), columns
    names = getattr(step, "feature_names_in_", ())
    if len(names) == len(columns):
        # As the step before it names its results.
        columns = tuple(replace(column, name=str(name)) for column, name in zip(columns, names, strict=True))
    name = type(step).__name__
    if name not in READERS:
        if hasattr(step, "get_support"):
            return _read_selector(step, columns)
        why = REFUSED.get(name, f"expected one of: {', '.join(READERS)}, or a selector of columns")
        raise ValueError(f"a {name} can't be exported exactly: {why}")
    decoding, columns = decode_numbers(columns) if name in NUMERIC else ((), columns)
    steps, columns = READERS[name](step, columns)
    return (*decoding, *steps), columns


def _read_pipeline(step: Any, columns: Columns) -> Read:
    return read_steps([inner for _, inner in step.steps], columns)


def _read_column_transformer(step: Any, columns: Columns) -> Read:
    weights = step.transformer_weights or {}
    branches: list[Steps] = []
    after: list[Column] = []
    for name, inner, chosen in step.transformers_:
        places = find_places(chosen, columns)
        if (isinstance(inner, str) and inner == "drop") or not places:
            continue
        own = tuple(columns[place] for place in places)
        steps, own = _weighted(read_transformer(inner, own), weights.get(name))
        branches.append((Select(places), *steps))
        after.extend(own)
    return (Parallel(tuple(branches)),), _stack(after, bool(step.sparse_output_))


def find_places(chosen: Any, columns: Columns) -> tuple[int, ...]:
    """The positions of chosen columns: names, positions, a slice of either, or a mask; a fitted selector is one too."""
    names = [column.name for column in columns]
    if isinstance(chosen, str | int | np.integer):
        chosen = [chosen]
    if isinstance(chosen, slice):
        start, stop = (names.index(end) if isinstance(end, str) else end for end in (chosen.start, chosen.stop))
        # A slice of names includes its end, as in pandas.
        stop = stop + 1 if isinstance(chosen.stop, str) else stop
        return tuple(range(len(columns))[start : stop : chosen.step])
    # The remainder is a list that warns when it is read, in some versions of scikit-learn.
    chosen = chosen.data if isinstance(chosen, UserList) else chosen
    chosen = list(np.asarray(chosen, dtype=object).ravel())
    if chosen and isinstance(chosen[0], bool | np.bool_):
        return tuple(place for place, is_chosen in enumerate(chosen) if is_chosen)
    return tuple(names.index(one) if isinstance(one, str) else range(len(columns))[int(one)] for one in chosen)


def _read_union(step: Any, columns: Columns) -> Read:
    weights = step.transformer_weights or {}
    branches: list[Steps] = []
    after: list[Column] = []
    for name, inner in step.transformer_list:
        if isinstance(inner, str) and inner == "drop":
            continue
        steps, own = _weighted(read_transformer(inner, columns), weights.get(name))
        branches.append(steps)
        after.extend(own)
    return (Parallel(tuple(branches)),), _stack(after, any(column.is_sparse for column in after))


def _read_partly(step: Any, columns: Columns) -> Read:
    """A transformer of some columns, whose places its results take (train/importing/partly.py)."""
    if type(step.step).__name__ == "LabelEncoder":
        return read_label_encoders({columns[step.places[0]].name: step.step}, columns)
    chosen, rest = step.places, tuple(place for place in range(len(columns)) if place not in step.places)
    steps, own = read_transformer(step.step, tuple(columns[place] for place in chosen))
    after = dict(zip((*chosen, *rest), (*own, *(columns[place] for place in rest)), strict=True))
    back = tuple((*chosen, *rest).index(place) for place in range(len(columns)))
    return (
        (Parallel(((Select(chosen), *steps), (Select(rest),))), Select(back)),
        tuple(after[place] for place in range(len(columns))),
    )


def _weighted(read: Read, weight: float | None) -> Read:
    steps, columns = read
    if weight is None:
        return read
    columns = tuple(column.computed() for column in columns)
    return (*steps, Arithmetic("multiply", np.full(len(columns), float(weight)))), columns


def _stack(columns: list[Column], is_sparse: bool) -> Columns:
    """Columns of several matrices side by side."""
    return tuple(replace(column, is_sparse=is_sparse) for column in columns)


def _read_selector(step: Any, columns: Columns) -> Read:
    places = tuple(np.flatnonzero(step.get_support()).tolist())
    return (Select(places),), tuple(columns[place] for place in places)


REFUSED = {
    "IterativeImputer": "it solves a model for each applicant; use a SimpleImputer",
    "KNNImputer": "it searches the training rows, which the file doesn't contain; use a SimpleImputer",
    "Normalizer": "it divides each row by its own length, so that no field has its own reason; use a StandardScaler",
}
"""Name of the class → why it has no exact export, and what to use."""

READERS: dict[str, Callable[[Any, Columns], Read]] = {
    "Binarizer": read_binarizer,
    "BinningProcess": read_binning_process,
    "ColumnTransformer": _read_column_transformer,
    "FeatureUnion": _read_union,
    "FunctionTransformer": read_function,
    "IncrementalPCA": read_projection,
    "KBinsDiscretizer": read_bins,
    "MaxAbsScaler": read_max_abs,
    "MinMaxScaler": read_min_max,
    "MissingIndicator": read_indicator,
    "MissingNumbers": read_missing_numbers,
    "OneHotEncoder": read_one_hot,
    "OrdinalEncoder": read_ordinal,
    "PCA": read_projection,
    "Partly": _read_partly,
    "Pipeline": _read_pipeline,
    "PolynomialFeatures": read_polynomial,
    "PowerTransformer": read_power,
    "QuantileTransformer": read_quantiles,
    "RobustScaler": read_robust,
    "SimpleImputer": read_imputer,
    "StandardScaler": read_standard,
    "TargetEncoder": read_target,
    "TruncatedSVD": read_projection,
}
"""Name of the class → reader."""

NUMERIC = frozenset(
    {
        *("Binarizer", "FunctionTransformer", "IncrementalPCA", "KBinsDiscretizer", "MaxAbsScaler", "MinMaxScaler"),
        *("PCA", "PolynomialFeatures", "PowerTransformer", "QuantileTransformer", "RobustScaler", "StandardScaler"),
        "TruncatedSVD",
    }
)
"""Transformers that compute with numbers; a field whose levels are numbers is turned into them before."""
