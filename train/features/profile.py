"""Profiles of the computed features (missing values, ranges, levels), and detection of near-duplicates.

Both read batch by batch, so that memory doesn't grow with the number of applications.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from train.dataset import MIN_VALUES, Matrix
from train.features.stored import StoredFeatures

MAX_CORRELATION = 0.98
"""Two columns with a larger absolute correlation are near-duplicates."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One column: rows with a value, all rows; for numbers range, mean and deviation, for texts the levels."""

    present: int
    rows: int
    minimum: float = np.nan
    maximum: float = np.nan
    mean: float = 0.0
    deviation: float = 0.0
    levels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A column to drop because it is empty (`kept` is "") or nearly duplicates the column `kept`."""

    name: str
    kept: str
    correlation: float


def profile(stored: StoredFeatures, names: Sequence[str]) -> dict[str, Profile]:
    """Profile some columns; float64 columns are numbers, the others texts."""
    types = stored.read_types()
    numbers = [name for name in names if pa.types.is_floating(types[name])]
    texts = [name for name in names if name not in numbers]
    present, low, high, mean, spread = (np.zeros(len(numbers)) for _ in range(5))
    low, high = low + np.inf, high - np.inf
    levels: dict[str, set[str]] = {name: set() for name in texts}
    n_texts = dict.fromkeys(texts, 0)
    rows = 0
    for batch in stored.batches(names):
        rows += len(batch)
        X = _matrix(batch, numbers)
        here = ~np.isnan(X)
        count = here.sum(axis=0)
        low, high = np.fmin(low, np.fmin.reduce(X, initial=np.inf)), np.fmax(high, np.fmax.reduce(X, initial=-np.inf))
        # Mean and sum of squares of two parts combined: Chan, Golub & LeVeque, Updating formulae and a pairwise
        # algorithm for computing sample variances, 1979.
        at = np.where(here, X, 0).sum(axis=0) / np.maximum(count, 1)
        square = np.where(here, X - at, 0) ** 2
        shift, total = at - mean, np.maximum(present + count, 1)
        spread += square.sum(axis=0) + shift**2 * present * count / total
        mean += shift * count / total
        present += count
        for name in texts:
            column = batch[name]
            n_texts[name] += len(column) - column.null_count
            levels[name].update(text for text in pc.unique(column).to_pylist() if text is not None)
    deviation = np.sqrt(spread / np.maximum(present, 1))
    profiles = {
        name: Profile(int(present[i]), rows, float(low[i]), float(high[i]), float(mean[i]), float(deviation[i]))
        for i, name in enumerate(numbers)
    }
    profiles |= {name: Profile(n_texts[name], rows, levels=tuple(sorted(levels[name]))) for name in texts}
    return {name: profiles[name] for name in names}


def find_duplicates(stored: StoredFeatures, profiles: dict[str, Profile]) -> list[Duplicate]:
    """The columns to drop, in order: empty ones, and of two near-duplicates the one with fewer values.

    The correlation is Pearson's over the rows in which both are present, at least 20. A column is compared with kept
    ones only, so that each dropped column has a near-duplicate in the result.
    """
    empty = [name for name, column in profiles.items() if not column.present]
    numbers = [name for name, column in profiles.items() if column.present and not column.levels]
    fullest = sorted(numbers, key=lambda name: -profiles[name].present)
    r = _correlate(stored, fullest, profiles)
    kept: list[int] = []
    dropped = {name: Duplicate(name, "", np.nan) for name in empty}
    for i, name in enumerate(fullest):
        close = [j for j in kept if abs(r[i, j]) > MAX_CORRELATION]
        if close:
            nearest = max(close, key=lambda j: abs(r[i, j]))
            dropped[name] = Duplicate(name, fullest[nearest], float(r[i, nearest]))
        else:
            kept.append(i)
    return [dropped[name] for name in profiles if name in dropped]


def _correlate(stored: StoredFeatures, names: list[str], profiles: dict[str, Profile]) -> Matrix:
    """Pairwise-complete correlations, float64, shape (n_names, n_names); 0 where undefined.

    Four matrix products per batch, of values, squares and presence, on standardised columns to avoid cancellation.
    """
    mean = np.array([profiles[name].mean for name in names])
    scale = np.array([profiles[name].deviation or 1.0 for name in names])
    shape = (len(names), len(names))
    both, sums, squares, products = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for batch in stored.batches(names):
        X = (_matrix(batch, names) - mean) / scale
        here = (~np.isnan(X)).astype(np.float64)
        X = np.nan_to_num(X, copy=False)
        both += here.T @ here
        sums += X.T @ here
        squares += (X**2).T @ here
        products += X.T @ X
    n = np.maximum(both, 1)
    variance = squares / n - (sums / n) ** 2
    covariance = products / n - sums / n * (sums.T / n)
    # A variance below 1e-12 is rounding.
    is_known = (both >= MIN_VALUES) & (variance > 1e-12) & (variance.T > 1e-12)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(is_known, covariance / np.sqrt(variance * variance.T), 0.0)


def _matrix(batch: pa.Table, names: Sequence[str]) -> Matrix:
    """Columns of a batch as float64, shape (n, n_names), NaN = missing."""
    X = np.empty((len(batch), len(names)), order="F")
    for i, name in enumerate(names):
        X[:, i] = batch[name].to_numpy()
    return X
