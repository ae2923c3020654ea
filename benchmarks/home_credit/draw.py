"""Functions that draw the columns of the synthetic tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.floating]
Integers = npt.NDArray[np.int64]
Columns = dict[str, pa.Array]


@dataclass(frozen=True, slots=True)
class Applicants:
    """A chunk of applicants: consecutive numbers, and the latent risk of default, standard normal; shape (n,)."""

    number: Integers
    risk: Floats

    @property
    def ids(self) -> Integers:
        """SK_ID_CURR."""
        return 100_001 + self.number


@dataclass(frozen=True, slots=True)
class Rows:
    """Child rows: for each the index of its parent row and its position among the siblings, 0, 1, …"""

    parent: Integers
    position: Integers

    def __len__(self) -> int:
        return len(self.parent)


def child_rows(counts: Integers) -> Rows:
    """Make `counts` child rows for each parent."""
    parent = np.repeat(np.arange(len(counts)), counts)
    position = np.arange(len(parent)) - np.repeat(np.cumsum(counts) - counts, counts)
    return Rows(parent, position)


def draw_counts(
    random: np.random.Generator, mean: Floats | float, size: int, maximum: int, none: float = 0.0
) -> Integers:
    """Draw numbers of child rows, 1 to `maximum`, negative binomial; 0 for a share of `none`."""
    drawn = 1 + random.negative_binomial(1.4, 1.4 / (1.4 + np.maximum(mean, 1.01) - 1), size)
    return np.where(random.random(size) < none, 0, np.minimum(drawn, maximum)).astype(np.int64)


def draw_levels(random: np.random.Generator, weights: Mapping[str, float], size: int, missing: float = 0.0) -> pa.Array:
    """Draw a level for each row in proportion to the weights; a share of `missing` is missing."""
    share = np.array(list(weights.values()), dtype=np.float64)
    codes = np.searchsorted(np.cumsum(share / share.sum()), random.random(size)).clip(max=len(share) - 1)
    return decode(codes, list(weights), random.random(size) < missing if missing else None)


def decode(codes: npt.NDArray[np.integer], levels: list[str], missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Turn codes into levels."""
    indices = pa.array(codes.astype(np.int32), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, pa.array(levels))


def draw_amounts(random: np.random.Generator, median: float, width: float, size: int) -> Floats:
    """Draw lognormal amounts, multiples of 4.5 as in the original."""
    return np.maximum(np.round(random.lognormal(np.log(median), width, size) / 4.5) * 4.5, 4.5)


def mask(values: Floats | Integers, missing: npt.NDArray[np.bool_]) -> pa.Array:
    """An Arrow array in which the rows of `missing` are null."""
    return pa.array(values, mask=missing)


def sigmoid(x: Floats) -> Floats:
    """The probability of log-odds."""
    return 1 / (1 + np.exp(-x))
