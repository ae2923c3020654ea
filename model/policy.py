"""The policy of a model: costs, the thresholds that follow from them, and the scale of the points."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

DECISIONS = ("accept", "review", "refuse")
"""The graph's `decision` is an index into this."""

Probability = Annotated[float, Meta(ge=0, le=1)]

CERTAIN = 1e-9
"""A probability of 0 or 1 counts as this far away from it."""

NEAR_HALF = 1e-6
"""Points this near to a half are rounded one by one: the logarithms of numpy and of Python differ in the last bit."""


class Points(Struct, frozen=True, forbid_unknown_fields=True):
    """Scale of the score: `score` points at odds of `odds`:1 (good:bad), `double` more to double the odds.

    points = offset + factor · ln(odds of good), factor = double / ln 2, offset = score − factor · ln(odds)
    (Siddiqi, Credit Risk Scorecards, 2006, chapter 6).
    """

    score: float = 600.0
    odds: Annotated[float, Meta(gt=0)] = 50.0
    double: Annotated[float, Meta(gt=0)] = 20.0

    def scale(self) -> tuple[float, float]:
        """Offset and factor of the formula."""
        factor = self.double / math.log(2)
        return self.score - factor * math.log(self.odds), factor


class Policy(Struct, frozen=True):
    """Costs and the thresholds that follow from them.

    decision = review from `review_from` on, refuse from `refuse_from` on (probabilities of default);
    the two are equal where no review pays.
    """

    cost_default: float
    cost_good: float
    cost_review: float | None
    review_from: float
    refuse_from: float
    points: Points

    def score_points(self, probability: float) -> int:
        """Points for a probability of default in [0, 1], rounded; a certainty counts as 1e-9 away from it."""
        p = min(max(probability, CERTAIN), 1 - CERTAIN)
        offset, factor = self.points.scale()
        return round(offset + factor * math.log((1 - p) / p))

    def score_many_points(self, probability: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """`score_points` of many probabilities, float64, shape (n,), in [0, 1]: the same whole numbers."""
        p = np.clip(probability, CERTAIN, 1 - CERTAIN)
        offset, factor = self.points.scale()
        exact = offset + factor * np.log((1 - p) / p)
        points = np.rint(exact)
        for row in np.flatnonzero(np.abs(np.abs(exact - points) - 0.5) < NEAR_HALF).tolist():
            points[row] = self.score_points(float(probability[row]))
        return points.astype(np.int64)
