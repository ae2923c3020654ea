"""Comparisons made in float32, as comparisons of float64 with the same outcome for every number.

Used by the readers of XGBoost, CatBoost and scikit-learn's trees; a threshold that is one ulp off would send an
applicant to another leaf.
"""

from __future__ import annotations

import math

import numpy as np

BEYOND_FLOAT32 = 2.0**128
"""The successor of the largest float32 if exponents were unlimited; rounding to infinity starts halfway to it."""


def largest_below(split: np.float32) -> float:
    """The largest float64 that rounds, half to even, to a float32 below `split`, which is not −infinity.

    Thus `float32(x) < split` is equivalent to `x <= largest_below(split)` for every float64 x. Numbers below the
    midpoint of `split` and its lower neighbour round to below `split`, the midpoint itself only if the neighbour is
    even. The midpoint has 25 significant bits, so it is exact in float64, down to half the smallest float32.
    """
    with np.errstate(over="ignore"):  # rounding to infinity is intended
        neighbour = np.nextafter(split, np.float32(-np.inf))
        midpoint = (_finite(neighbour) + _finite(split)) / 2
        is_below = np.float32(midpoint) < split
    return midpoint if is_below else math.nextafter(midpoint, -math.inf)


def largest_not_above(threshold: float) -> float:
    """The largest float64 that rounds to a float32 not above `threshold`, which is not −infinity.

    Thus `float32(x) <= threshold` is equivalent to `x <= largest_not_above(threshold)` for every float64 x.
    """
    if threshold == math.inf:
        return math.inf  # a split on missing values alone
    with np.errstate(over="ignore"):
        rounded = np.float32(threshold)
        return largest_below(rounded if float(rounded) > threshold else np.nextafter(rounded, np.float32(np.inf)))


def _finite(value: np.float32) -> float:
    return float(value) if np.isfinite(value) else math.copysign(BEYOND_FLOAT32, value)
