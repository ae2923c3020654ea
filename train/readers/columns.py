"""What is known of the columns on their way through the preprocessing: their levels. Used by transformers.py."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from train.fitted.model import Value
from train.fitted.steps import Matrix, Parallel, Recode, Select, Steps


@dataclass(slots=True)
class Levels:
    """The levels of one input field, collected while the steps are read.

    A level's index is its place in `known`, which encoders fill; a value that only an imputer writes gets a negative
    index. The steps are read twice, because an imputer before an encoder needs the encoder's levels. The levels may be
    numbers: of a field whose encoder refuses any other. `refuses`: an encoder does; `accepts`: an encoder doesn't.
    `dtype_categories`: of a field that a library takes as pandas' category type. `is_none_missing`: an encoder saw None
    for a missing value, not NaN.
    """

    known: list[Value] = field(default_factory=list)
    fills: list[Value] = field(default_factory=list)
    accepts: bool = False
    refuses: bool = False
    dtype_categories: tuple[Value, ...] | None = None
    is_none_missing: bool = False

    @property
    def is_open(self) -> bool:
        """Whether a value that is no level is allowed."""
        return self.accepts and not self.refuses

    @property
    def is_numbers(self) -> bool:
        """Whether indices stand for numbers."""
        return bool(self.known) and not is_words(self.known)

    def learn(self, values: list[Value], *, is_open: bool) -> None:
        """Add an encoder's levels."""
        self.known.extend(value for value in values if value not in self.known)
        self.accepts |= is_open
        self.refuses |= not is_open

    def also_take(self, value: Value) -> None:
        """Add a level after those of the encoders, which are known."""
        if value not in self.known:
            self.known.append(value)

    def index(self, value: Value) -> float:
        """The number that stands for a value."""
        if value in self.known:
            return float(self.known.index(value))
        if value not in self.fills:
            self.fills.append(value)
        return -1.0 - self.fills.index(value)


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the next step sees it.

    `levels`: of the input field that it still holds unchanged (missing values may be filled); None for a column of
    numbers that were computed. `name`: as the step before calls it, '' if it has no names. `is_sparse`: it is part of a
    sparse matrix, whose zeros XGBoost takes as missing.
    """

    name: str
    levels: Levels | None
    is_sparse: bool = False

    def computed(self) -> Column:
        """The column after a computation on numbers."""
        return replace(self, levels=None)


Columns = tuple[Column, ...]
Read = tuple[Steps, Columns]
"""What a reader of preprocessing returns: its steps, and the columns after them."""


def plain(value: Any) -> Value:
    """A category as a Python value; numpy's own scalars print differently."""
    item = value.item() if isinstance(value, np.generic) else value
    return item if isinstance(item, str | int | float | bool) else str(item)


def is_gap(value: Any) -> bool:
    """Whether a category or a statistic stands for a missing value: NaN, None or pandas' NA."""
    return value is None or (str(value) in ("nan", "<NA>", "NaT") and not isinstance(value, str))


def is_words(values: Any) -> bool:
    """Whether categories are words rather than numbers."""
    return any(isinstance(value, str | bool | np.bool_) for value in np.asarray(values, dtype=object).ravel())


def encode(value: Any, column: Column) -> float:
    """A value that a step writes into a column or compares it with, as the number that stands for it."""
    if is_gap(value):
        return np.nan
    value = plain(value)
    if column.levels is not None and (isinstance(value, str | bool) or column.levels.is_numbers):
        return column.levels.index(value)
    return float(value)


def encode_categories(categories: Any, column: Column) -> Matrix:
    """The numbers that stand for an encoder's categories: float64, shape (m,); no value equals an infinite one.

    A missing value travels as NaN, which libraries show as NaN: where they tell it from None, None can't occur.
    """
    values = [encode(category, column) for category in categories]
    if sum(map(is_gap, categories)) > 1:
        values = [np.inf if category is None else value for category, value in zip(categories, values, strict=True)]
    return np.array(values, dtype=np.float64)


def learn_levels(column: Column, categories: Any, *, is_open: bool) -> None:
    """Note an encoder's categories as the levels of a column; `is_open`: it takes other values too.

    A field of numbers stays one if its encoder takes any number.
    """
    if column.levels is not None and (is_words(categories) or not is_open):
        column.levels.learn([plain(category) for category in categories if not is_gap(category)], is_open=is_open)
        gaps = [category for category in categories if is_gap(category)]
        column.levels.is_none_missing |= gaps == [None]


def decode_numbers(columns: Columns) -> Read:
    """The steps that turn indices of levels that are numbers into these numbers; () if there are none.

    Not of a field that a library takes as pandas' category type.
    """

    def is_index(column: Column) -> bool:
        levels = column.levels
        return levels is not None and levels.is_numbers and levels.dtype_categories is None

    if not any(map(is_index, columns)):
        return (), columns
    branches: list[Steps] = []
    for place, column in enumerate(columns):
        steps: Steps = (Select((place,)),)
        if column.levels is not None and is_index(column):
            numbers = [*column.levels.known, *column.levels.fills]
            known = np.array([column.levels.index(number) for number in numbers])
            steps = (*steps, Recode(known, np.array(numbers, dtype=np.float64), np.nan))
        branches.append(steps)
    return (Parallel(tuple(branches)),), tuple(column.computed() if is_index(column) else column for column in columns)
