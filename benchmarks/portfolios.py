"""Made-up loan portfolios, tables of people who don't exist, with the true chance of default of each row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

Vector = npt.NDArray[np.float64]

Levels = Mapping[str, tuple[float, float]]
"""Level → its share of the rows, and its part of the log-odds of default."""


@dataclass(frozen=True, slots=True)
class Portfolio:
    """A table with a target of 0 and 1; `chance`: the true chance of default of each row, float64, shape (n,).

    `allowed`: a column that is known at application although it alone may tell the outcome, '' if there is none.
    """

    table: pd.DataFrame
    target: str
    chance: Vector
    allowed: str = ""

    @property
    def options(self) -> list[str]:
        """Those of `python -m train` for this table."""
        return ["--allow", self.allowed] if self.allowed else []

    def write(self, path: Path) -> Path:
        """Write the table as CSV; returns the path."""
        self.table.to_csv(path, index=False)
        return path


def pick(random: np.random.Generator, levels: Levels, n: int) -> npt.NDArray[np.int64]:
    """The index of a level for each of n rows, by the shares of the levels."""
    shares = np.array([share for share, _ in levels.values()])
    return random.choice(len(levels), n, p=shares / shares.sum())


def names_of(levels: Levels, index: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
    """The level of each row."""
    return np.array(list(levels), dtype=object)[index]


def effects_of(levels: Levels, index: npt.NDArray[np.int64]) -> Vector:
    """The part of each row's level of the log-odds."""
    return np.array([effect for _, effect in levels.values()])[index]


def draw_outcomes(random: np.random.Generator, log_odds: Vector) -> tuple[Vector, npt.NDArray[np.int64]]:
    """The chance of default at these log-odds, and whether each row defaults."""
    chance: Vector = expit(log_odds)
    return chance, (random.random(len(chance)) < chance).astype(np.int64)
