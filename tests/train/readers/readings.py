"""Fitted transformers read as steps, and tables as the graph takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tests.train.fitted.graphs import run_steps
from train.dataset import Matrix
from train.fitted.steps import Steps, apply_steps
from train.readers.columns import Column, Levels, plain
from train.readers.transformers import read_transformer


@dataclass(frozen=True, slots=True)
class Reading:
    """The steps of a transformer, the levels of the fields before it and the columns after it."""

    steps: Steps
    levels: tuple[Levels, ...]
    after: tuple[Column, ...]

    def encode(self, table: Any) -> Matrix:
        """Words and numbers that are levels as their indices; an unknown one as the number after them."""
        values = np.asarray(table, dtype=object)
        return np.column_stack(
            [self._encode(values[:, number], levels) for number, levels in enumerate(self.levels)]
        ).astype(np.float64)

    @staticmethod
    def _encode(values: Any, levels: Levels) -> list[float]:
        known = {value: float(number) for number, value in enumerate(levels.known)}
        numbers = [np.nan if pd.isna(value) else plain(value) for value in values]
        if not known:
            return [float(number) for number in numbers]
        return [np.nan if number != number else known.get(number, float(len(known))) for number in numbers]

    def check(self, transformer: Any, table: Any) -> None:
        """The steps give what the transformer gives, bit by bit, in numpy and in ONNX Runtime."""
        expected = transformer.transform(table)
        expected = np.asarray(expected.toarray() if hasattr(expected, "toarray") else expected, dtype=np.float64)
        rows = self.encode(table)
        np.testing.assert_array_equal(apply_steps(self.steps, rows), expected)
        np.testing.assert_array_equal(run_steps(self.steps, rows), expected)
        assert len(self.after) == expected.shape[1]


def read(transformer: Any, table: Any) -> Reading:
    """A transformer that was fitted on a table."""
    names = list(table.columns) if isinstance(table, pd.DataFrame) else [""] * table.shape[1]
    levels = tuple(Levels() for _ in names)
    columns = tuple(Column(str(name), own) for name, own in zip(names, levels, strict=True))
    read_transformer(transformer, columns)
    steps, after = read_transformer(transformer, columns)
    return Reading(steps, levels, after)
