"""Readers of imputers and of what is missing: SimpleImputer, MissingIndicator, and our own MissingNumbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from train.fitted.steps import BlankCodes, Fill, Indicate, Parallel, Select, Steps
from train.readers.columns import Columns, Read, encode, is_gap, plain


def read_imputer(step: Any, columns: Columns) -> Read:
    """SimpleImputer: constants for missing values, without columns that had no value; then indicator columns."""
    is_kept = [True] * len(columns)
    if not getattr(step, "keep_empty_features", False):
        if step.strategy == "constant" and is_gap(step.fill_value):
            raise ValueError("a SimpleImputer that fills in NaN can't be exported; leave it out")
        is_kept = [not is_gap(statistic) for statistic in step.statistics_]
    kept = tuple(np.flatnonzero(is_kept).tolist())
    own = tuple(columns[place] for place in kept)
    values = [encode(step.statistics_[place], columns[place]) for place in kept]
    codes = _missing_codes(step.missing_values, columns)
    steps: Steps
    if len(set(map(str, codes))) == 1:
        steps = (Fill(np.array(values), codes[0]),)
    else:
        steps = (
            Parallel(
                tuple(
                    (Select((number,)), Fill(np.array([value]), codes[place]))
                    for number, (place, value) in enumerate(zip(kept, values, strict=True))
                )
            ),
        )
    if len(kept) < len(columns):
        steps = (Select(kept), *steps)
    if not step.add_indicator:
        return steps, own
    indicator, added = read_indicator(step.indicator_, columns)
    return (Parallel((steps, indicator)),), (*own, *added)


def read_indicator(step: Any, columns: Columns) -> Read:
    """MissingIndicator: 1 where a value is missing, for the columns that had missing values or for all."""
    features = tuple(step.features_.tolist())
    codes = _missing_codes(step.missing_values, columns)
    after = tuple(columns[place].computed() for place in features)
    if len({str(codes[place]) for place in features}) < 2:
        return (Select(features), Indicate(codes[features[0]] if features else np.nan)), after
    branches: list[Steps] = [(Select((place,)), Indicate(codes[place])) for place in features]
    return (Parallel(tuple(branches)),), after


def read_missing_numbers(step: Any, columns: Columns) -> Read:
    """MissingNumbers: NaN for numbers that stand for a missing value."""
    codes = np.full((max(map(len, step.codes)), len(columns)), np.nan)
    for column, own in enumerate(step.codes):
        codes[: len(own), column] = own
    return (BlankCodes(codes),) if len(codes) else (), columns


def _missing_codes(missing: Any, columns: Columns) -> list[float]:
    """For each column the number that stands for a missing value; a word for it is a level that the model takes."""
    for column in columns:
        if not is_gap(missing) and column.levels is not None and column.levels.known:
            column.levels.also_take(plain(missing))
    return [encode(missing, column) for column in columns]
