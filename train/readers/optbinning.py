"""Weight of evidence by bin: BinningProcess and Scorecard of optbinning.

A column's bins are known from its splits, categories and special codes; their values are asked for: each OptimalBinning
transforms one value of every bin. A bin has its lower end (`np.digitize`, right=False), and categories that it doesn't
know have a value of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from train.fitted.binning import Binned, Intervals, make_exact
from train.fitted.model import Member, Value
from train.fitted.steps import Matrix
from train.readers.columns import Column, Columns, Read, encode, is_gap, learn_levels, plain

Members = tuple[Member, ...]

UNKNOWN = "a category that the binning doesn't know"


def read_binning_process(process: Any, columns: Columns, special: Any = 0, missing: Any = 0) -> Read:
    """The bins of a fitted BinningProcess's selected variables; `special`, `missing`: the values of these bins.

    They are 0 in a pipeline, where `transform` has its defaults; "empirical" is the bin's own weight of evidence.
    Raises ValueError for another kind of binning.
    """
    names = [column.name for column in columns]
    functions, after = [], []
    for number in np.flatnonzero(process.get_support()).tolist():
        name = process.variable_names[number]
        place = names.index(name) if name in names else number
        binning = process._binned_variables[name]
        if type(binning).__name__ != "OptimalBinning":
            raise ValueError(
                f"the binning of {name} is a {type(binning).__name__}, which has no constant value in a bin or needs "
                "another target; bin it by an OptimalBinning"
            )
        own = (process.binning_transform_params or {}).get(name, {})
        options = {"metric_special": special, "metric_missing": missing, **own}

        def ask(values: Any, binning: Any = binning, options: dict[str, Any] = options) -> Matrix:
            return np.asarray(binning.transform(values, **options), dtype=np.float64)

        read = _read_categories if binning.dtype == "categorical" else _read_splits
        functions.append(read(binning, place, columns[place], ask))
        after.append(columns[place].computed())
    return (Binned(tuple(functions)),), tuple(after)


def read_scorecard(model: Any, columns: Columns, read: Callable[[Any, Columns], Members]) -> Members:
    """The binning and the classifier of a fitted Scorecard; its probability is the classifier's, its points aren't."""
    steps, after = read_binning_process(model.binning_process_, columns, model._metric_special, model._metric_missing)
    return tuple(replace(member, steps=(*steps, *member.steps)) for member in read(model.estimator_, after))


def _read_splits(binning: Any, place: int, _: Column, ask: Callable[[Any], Matrix]) -> Intervals:
    """The bins of a numerical variable, with each special code as an interval of one number."""
    splits = np.asarray(binning._splits_optimal, dtype=np.float64)
    codes = np.array([code for code in _special_codes(binning) if not isinstance(code, str)], dtype=np.float64)
    ends = np.unique(np.concatenate([np.nextafter(splits, -np.inf), np.nextafter(codes, -np.inf), codes]))
    beyond = math.nextafter(ends[-1], math.inf) if len(ends) else 0.0
    values = ask(np.array([*ends, beyond, np.nan]))
    return Intervals(place, ends, values[:-1], float(values[-1]))


def _read_categories(binning: Any, place: int, column: Column, ask: Callable[[Any], Matrix]) -> Intervals:
    """The bins of a categorical variable; all categories that it doesn't know have the same value."""
    others = getattr(binning, "_cat_others", None)
    stated = [*binning._categories, *(() if others is None else others), *_special_codes(binning)]
    known: list[Value] = list(dict.fromkeys(plain(one) for one in stated if not is_gap(one)))
    numbers = [one for one in known if not isinstance(one, str | bool)]
    if len(numbers) < len(known):  # a column of words has no numbers, although its codes may be
        known = [one for one in known if isinstance(one, str | bool)]
    if not any(isinstance(one, str | bool) for one in known):
        values = ask(np.array([*known, max([0.0, *map(float, numbers)]) + 1, np.nan], dtype=np.float64))
    else:
        learn_levels(column, known, is_open=True)
        values = ask(np.array([*known, UNKNOWN, np.nan], dtype=object))
    keys = [encode(one, column) for one in known]
    return make_exact(place, dict(zip(keys, values[:-2].tolist(), strict=True)), float(values[-2]), float(values[-1]))


def _special_codes(binning: Any) -> list[Any]:
    """The special codes of a variable: a list, or a dict of codes or of lists of them."""
    codes = binning.special_codes
    if isinstance(codes, dict):
        return [one for code in codes.values() for one in np.atleast_1d(code).tolist()]
    return [] if codes is None else np.asarray(codes, dtype=object).tolist()
