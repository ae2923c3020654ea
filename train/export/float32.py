"""A comparison that a library makes in float32, as one of float64 that has the same answer for every number.

Used by the readers of XGBoost and CatBoost; a threshold that is one ulp off sends an applicant to another leaf.
"""

from __future__ import annotations

import math

import numpy as np

BEYOND_FLOAT32 = 2.0**128
"""Where the next float32 after the largest would be, if it weren't infinity: rounding to infinity starts halfway."""


def largest_below(split: np.float32) -> float:
    """The largest float64 that float32 rounding, half to even, takes below `split`, which is not −infinity.

    So `float32(x) < split` is `x <= largest_below(split)` for every float64 x. Everything up to the midpoint of
    `split` and its neighbour below rounds below it, the midpoint itself only if that neighbour is the even one;
    the midpoint has 25 significant bits, so float64 holds it exactly, down to half the smallest float32.
    """
    with np.errstate(over="ignore"):  # to infinity is as it should be
        neighbour = np.nextafter(split, np.float32(-np.inf))
        midpoint = (_finite(neighbour) + _finite(split)) / 2
        is_below = np.float32(midpoint) < split
    return midpoint if is_below else math.nextafter(midpoint, -math.inf)


def _finite(value: np.float32) -> float:
    return float(value) if np.isfinite(value) else math.copysign(BEYOND_FLOAT32, value)
