"""Applicants as the graph takes them → the table or matrix that the fitted object itself takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from train.fitted.model import Input
from train.fitted.steps import Matrix

UNKNOWN_LEVEL = "a level that the model doesn't know"
"""What stands for the open level of a category (fitted/model.py)."""


@dataclass(frozen=True, slots=True)
class Native:
    """The columns that a fitted object takes.

    `names`: of the columns of a data frame; empty for a matrix. `inputs`: for each column the input field that it is,
    or None for one that the model doesn't use. `categories`: column → its categories, for libraries that take pandas'
    category type. `gaps`: column → what the library takes as missing, where it isn't NaN. `unused`: column that isn't
    used → a value that its encoder knows.
    """

    names: tuple[str, ...]
    inputs: tuple[int | None, ...]
    categories: dict[int, tuple[Any, ...]]
    gaps: dict[int, Any] = field(default_factory=dict)
    unused: dict[int, Any] = field(default_factory=dict)

    def table(self, applicants: Matrix, inputs: Sequence[Input]) -> Any:
        """A data frame or a matrix for applicants, float64, shape (n, n_fields)."""
        columns = [self._column(applicants, place, inputs) for place in range(len(self.inputs))]
        if not self.names:
            is_words = any(column.dtype == object for column in columns)
            return np.column_stack([column.astype(object) for column in columns] if is_words else columns)
        import pandas as pd

        frame = pd.DataFrame(dict(zip(self.names, columns, strict=True)))
        for place, categories in self.categories.items():
            name = self.names[place]
            others = [value for value in frame[name].dropna().unique() if value not in categories]
            frame[name] = pd.Categorical(frame[name], categories=[*categories, *others])
        return frame

    def _column(self, applicants: Matrix, place: int, inputs: Sequence[Input]) -> Any:
        number = self.inputs[place]
        if number is None:
            return np.array([self.unused.get(place, 0.0)] * len(applicants))
        values = applicants[:, number]
        levels = inputs[number].levels
        if not levels:
            return values
        numbers = [level for level in levels if not isinstance(level, str | bool)]
        unknown = max(numbers) + 1 if numbers else UNKNOWN_LEVEL
        is_numbers = len(numbers) == len(levels) and place not in self.categories
        words = np.array([*levels, unknown, self.gaps.get(place, np.nan)], dtype=np.float64 if is_numbers else object)
        return words[np.where(np.isnan(values), len(words) - 1, np.nan_to_num(values)).astype(np.int64)]


def make_ask(fitted: Any, native: Native, inputs: Sequence[Input], default: int) -> Callable[[Matrix], Matrix]:
    """The object's own probabilities of default, for applicants as the graph takes them."""

    def ask(applicants: Matrix) -> Matrix:
        table = native.table(applicants, inputs)
        if hasattr(fitted, "predict_proba"):
            with np.errstate(all="ignore"):  # a logarithm of zero, which the library then refuses
                return np.asarray(fitted.predict_proba(table), dtype=np.float64)[:, default]
        second = np.asarray(_predict(fitted, table), dtype=np.float64)
        return second if default else 1 - second

    return ask


def _predict(booster: Any, table: Any) -> Any:
    """Probabilities of the second class from a booster without its classifier."""
    if type(booster).__name__ == "CatBoost":
        return booster.predict(table, prediction_type="Probability")[:, 1]
    # XGBoost's Booster has inplace_predict, LightGBM's predict takes a table.
    return booster.inplace_predict(table) if hasattr(booster, "inplace_predict") else booster.predict(table)
