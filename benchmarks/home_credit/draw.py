"""Drawing columns: what every table of the generator shares."""

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
class People:
    """Some applicants: `number` 0, 1, … over all of them, and the hidden inclination to default, normal, shape (n,)."""

    number: Integers
    risk: Floats

    @property
    def ids(self) -> Integers:
        """SK_ID_CURR."""
        return 100_001 + self.number


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows below others: for each the index of its parent, and its own place there, 0, 1, …"""

    parent: Integers
    place: Integers

    def __len__(self) -> int:
        return len(self.parent)


def spread(counts: Integers) -> Rows:
    """As many rows below each parent as `counts` says."""
    parent = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(parent)) - np.repeat(np.cumsum(counts) - counts, counts)
    return Rows(parent, place)


def count(random: np.random.Generator, mean: Floats | float, size: int, most: int, none: float = 0.0) -> Integers:
    """Numbers of rows, many small and few large (negative binomial), 1 to `most`; 0 for a share of `none`."""
    drawn = 1 + random.negative_binomial(1.4, 1.4 / (1.4 + np.maximum(mean, 1.01) - 1), size)
    return np.where(random.random(size) < none, 0, np.minimum(drawn, most)).astype(np.int64)


def choose(random: np.random.Generator, weights: Mapping[str, float], size: int, gaps: float = 0.0) -> pa.Array:
    """A level for each row, as often as its weight says; missing in a share of `gaps`."""
    share = np.array(list(weights.values()), dtype=np.float64)
    codes = np.searchsorted(np.cumsum(share / share.sum()), random.random(size)).clip(max=len(share) - 1)
    return name(codes, list(weights), random.random(size) < gaps if gaps else None)


def name(codes: npt.NDArray[np.integer], levels: list[str], missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """The levels of these codes."""
    indices = pa.array(codes.astype(np.int32), mask=missing)
    return pa.DictionaryArray.from_arrays(indices, pa.array(levels))


def money(random: np.random.Generator, median: float, width: float, size: int) -> Floats:
    """Amounts, lognormal, in the steps of 4.5 that the original has."""
    return np.maximum(np.round(random.lognormal(np.log(median), width, size) / 4.5) * 4.5, 4.5)


def gap(values: Floats | Integers, missing: npt.NDArray[np.bool_]) -> pa.Array:
    """Values with some missing."""
    return pa.array(values, mask=missing)


def sigmoid(x: Floats) -> Floats:
    """Log-odds as probability."""
    return 1 / (1 + np.exp(-x))
