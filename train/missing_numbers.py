"""The first step of every candidate: numbers that stand for a missing value become missing (a card's `missing`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from train.card import CardField
from train.dataset import Matrix


class MissingNumbers(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer that writes NaN for some numbers; `codes`: for each column those that stand for a missing value."""

    def __init__(self, codes: Sequence[Sequence[float]]) -> None:
        self.codes = codes

    def fit(self, X: Matrix, y: Any = None) -> Self:
        """Nothing to learn."""
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: Matrix) -> Matrix:
        """The rows, float64, shape (n, n_columns), with NaN for the codes."""
        return np.column_stack(
            [np.where(np.isin(column, codes), np.nan, column) for column, codes in zip(X.T, self.codes, strict=True)]
        )


def blank_numbers(fields: Sequence[CardField]) -> list[tuple[str, MissingNumbers]]:
    """The step of a pipeline for columns of numbers; none if no field has such numbers."""
    if not any(field.missing for field in fields):
        return []
    return [("blank", MissingNumbers([field.missing for field in fields]))]
