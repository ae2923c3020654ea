"""float64 numbers by their order, for searches between neighbouring numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from train.fitted.steps import Matrix

Ranks = npt.NDArray[np.int64]

LOWEST = np.int64(-(2**63))


def to_rank(number: Matrix) -> Ranks:
    """float64 as int64 in the same order, such that neighbouring numbers differ by 1."""
    bits = number.view(np.int64)
    return np.where(bits < 0, LOWEST - np.minimum(bits, 0), bits)


def from_rank(rank: Ranks) -> Matrix:
    """The inverse of `to_rank`."""
    return np.where(rank < 0, LOWEST - np.minimum(rank, 0), rank).view(np.float64)


def bisect(low: Matrix, high: Matrix, is_low: Callable[[Matrix], npt.NDArray[np.bool_]]) -> Matrix:
    """The largest numbers in [low, high) for which `is_low` is true, which it is of `low`, and not of `high`."""
    below, above = to_rank(low), to_rank(high)
    while (above > below + 1).any():
        # above − below may overflow an int64.
        middle = below // 2 + above // 2 + (below % 2 + above % 2) // 2
        is_true = is_low(from_rank(middle))
        below, above = np.where(is_true, middle, below), np.where(is_true, above, middle)
    return from_rank(below)
