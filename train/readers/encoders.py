"""Readers of encoders: one-hot, ordinal and target encoding, bins, and label encoders beside a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from train.fitted.intervals import Bins
from train.fitted.mixing import Project
from train.fitted.steps import Matrix, OneHot, Parallel, Recode, Select, Steps
from train.readers.columns import Column, Columns, Read, encode_categories, is_gap, learn_levels


def read_one_hot(step: Any, columns: Columns) -> Read:
    """OneHotEncoder; a field whose unknown values it refuses becomes a category with exactly its levels."""
    infrequent = getattr(step, "_infrequent_indices", None) or [None] * len(columns)
    dropped = [None] * len(columns) if step.drop_idx_ is None else list(step.drop_idx_)
    is_sparse = bool(getattr(step, "sparse_output", getattr(step, "sparse", False)))
    source: list[int] = []
    levels: list[float] = []
    groups: list[tuple[Steps, int]] = []
    for place, (categories, column) in enumerate(zip(step.categories_, columns, strict=True)):
        learn_levels(column, categories, is_open=step.handle_unknown != "error")
        codes = encode_categories(categories, column)
        if infrequent[place] is None:
            kept = [number for number in range(len(codes)) if number != dropped[place]]
            own = codes[kept]
            source.extend([place] * len(own))
            levels.extend(own)
            groups.append(((Select((place,)), OneHot((0,) * len(own), own)), len(own)))
        else:
            merges_unknown = step.handle_unknown in ("infrequent_if_exist", "warn")
            merge = _merge(len(codes), infrequent[place].tolist(), dropped[place], merges_unknown)
            groups.append(((Select((place,)), OneHot((0,) * len(codes), codes), merge), len(merge.offset)))
    after = tuple(
        replace(column.computed(), is_sparse=is_sparse)
        for column, (_, width) in zip(columns, groups, strict=True)
        for _ in range(width)
    )
    if all(indices is None for indices in infrequent):
        return (OneHot(tuple(source), np.array(levels)),), after
    return (Parallel(tuple(steps for steps, _ in groups)),), after


def _merge(count: int, infrequent: list[int], dropped: int | None, merges_unknown: bool) -> Project:
    """Sums of one-hot columns: the frequent levels, then all infrequent ones, with those unknown if they are merged."""
    groups = [[number] for number in range(count) if number not in infrequent]
    weights = np.zeros((count, len(groups) + 1))
    for column, members in enumerate([*groups, infrequent]):
        weights[members, column] = 1.0
    offset = np.zeros(len(groups) + 1)
    if merges_unknown:
        # What isn't frequent.
        weights[:, -1], offset[-1] = -weights[:, :-1].sum(axis=1), 1.0
    kept = [column for column, members in enumerate([*groups, infrequent]) if dropped is None or dropped not in members]
    return Project(weights[:, kept], offset[kept])


def read_ordinal(step: Any, columns: Columns) -> Read:
    """OrdinalEncoder."""
    infrequent = getattr(step, "_infrequent_indices", None) or [None] * len(columns)
    takes_unknown = step.handle_unknown == "use_encoded_value"
    unknown = float(step.unknown_value) if takes_unknown else np.nan
    missing = float(getattr(step, "encoded_missing_value", np.nan))
    tables: list[Matrix] = []
    for categories, column, merged in zip(step.categories_, columns, infrequent, strict=True):
        learn_levels(column, categories, is_open=takes_unknown)
        numbers = np.arange(float(len(categories)))
        if merged is not None:
            rest = [number for number in range(len(categories)) if number not in merged.tolist()]
            numbers[rest] = np.arange(float(len(rest)))
            numbers[merged] = sum(not is_gap(categories[number]) for number in rest)
        tables.append(np.where([is_gap(category) for category in categories], missing, numbers))
    return _recode(columns, step.categories_, tables, unknown)


def read_target(step: Any, columns: Columns) -> Read:
    """TargetEncoder of two classes: the shrunken mean of each level, the overall mean for an unknown one."""
    if step.target_type_ == "multiclass":
        raise ValueError("a TargetEncoder for more than two classes can't be exported; fit it on two classes")
    for categories, column in zip(step.categories_, columns, strict=True):
        learn_levels(column, categories, is_open=True)
    return _recode(columns, step.categories_, step.encodings_, float(step.target_mean_))


def read_label_encoders(encoders: Mapping[str, Any], columns: Columns) -> Read:
    """LabelEncoders kept beside a model, by column; the other columns stay. An unknown level is refused, as by them."""
    names = [column.name for column in columns]
    absent = sorted(set(encoders) - set(names))
    if absent:
        raise ValueError(f"a LabelEncoder is for the column {absent[0]!r}, expected one of: {', '.join(names)}")
    branches: list[Steps] = []
    after: list[Column] = []
    for place, column in enumerate(columns):
        if column.name not in encoders:
            branches.append((Select((place,)),))
            after.append(column)
            continue
        classes = encoders[column.name].classes_
        learn_levels(column, classes, is_open=False)
        known = encode_categories(classes, column)
        branches.append((Select((place,)), Recode(known, np.arange(float(len(known))), np.nan)))
        after.append(column.computed())
    return (Parallel(tuple(branches)),), tuple(after)


def _recode(columns: Columns, categories: Any, values: Any, other: float) -> Read:
    """Each column's categories replaced by values, any other value by `other`."""
    steps = [
        (Select((place,)), Recode(encode_categories(own, column), np.asarray(numbers, dtype=np.float64), other))
        for place, (own, numbers, column) in enumerate(zip(categories, values, columns, strict=True))
    ]
    return (Parallel(tuple(steps)),), tuple(column.computed() for column in columns)


def read_bins(step: Any, columns: Columns) -> Read:
    """KBinsDiscretizer: the number of the interval, or one-hot columns of it."""
    bins = Bins(tuple(np.asarray(edges[1:-1], dtype=np.float64) for edges in step.bin_edges_))
    if step.encode == "ordinal":
        return (bins,), tuple(column.computed() for column in columns)
    pairs = [(place, number) for place, count in enumerate(step.n_bins_.tolist()) for number in range(count)]
    one_hot = OneHot(tuple(place for place, _ in pairs), np.array([float(number) for _, number in pairs]))
    after = [replace(columns[place].computed(), is_sparse=step.encode == "onehot") for place, _ in pairs]
    return (bins, one_hot), tuple(after)


def read_binarizer(step: Any, columns: Columns) -> Read:
    """Binarizer: 1 above the threshold, else 0."""
    edge = np.nextafter(float(step.threshold), np.inf)
    return (Bins((np.array([edge]),) * len(columns)),), tuple(column.computed() for column in columns)
