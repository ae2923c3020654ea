"""The policy of a model: costs, the thresholds that follow from them, and the scale of the points."""

from __future__ import annotations

import math
from typing import Annotated, Literal, get_args

import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

Decision = Literal["accept", "review", "refuse"]

DECISIONS: tuple[Decision, ...] = get_args(Decision)
"""The graph's output `decision` is an index into this tuple."""

Probability = Annotated[float, Meta(ge=0, le=1)]

MIN_PROBABILITY = 1e-9
"""Probabilities are clipped to [1e-9, 1 − 1e-9] before their odds are taken, so that points are finite."""


class Points(Struct, frozen=True, forbid_unknown_fields=True):
    """Scale of the points: `score` points at odds of `odds`:1 (good:bad), `double` more points double the odds.

    points = offset + factor · ln(odds of good), factor = double / ln 2, offset = score − factor · ln(odds)
    (Siddiqi, Credit Risk Scorecards, 2006, chapter 6).
    """

    score: float = 600.0
    odds: Annotated[float, Meta(gt=0)] = 50.0
    double: Annotated[float, Meta(gt=0)] = 20.0

    @property
    def factor(self) -> float:
        """Points of one unit of log-odds."""
        return self.double / math.log(2)

    def at_log_odds(self, log_odds: npt.NDArray[np.float64] | float) -> npt.NDArray[np.int64]:
        """Rounded points at log-odds of being good, of any shape."""
        offset = self.score - self.factor * math.log(self.odds)
        return np.rint(offset + self.factor * log_odds).astype(np.int64)


class Policy(Struct, frozen=True):
    """Costs and the thresholds that follow from them, or a threshold and the costs that it implies.

    The decision is review from `review_from` on and refuse from `refuse_from` on (probabilities of default);
    the two are equal if a review never pays. `stated`: which of the two the owner of the model has stated.
    """

    cost_default: float
    cost_good: float
    cost_review: float | None
    review_from: float
    refuse_from: float
    points: Points
    stated: Literal["costs", "threshold"] = "costs"

    def score_points(self, probability: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Rounded points for probabilities of default in [0, 1], of any shape."""
        p = np.minimum(np.maximum(probability, MIN_PROBABILITY), 1 - MIN_PROBABILITY)
        return self.points.at_log_odds(np.log((1 - p) / p))
