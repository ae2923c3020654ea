"""The policy of a model: costs, the thresholds that follow from them, and the scale of the points."""

from __future__ import annotations

import math
from itertools import compress
from typing import Annotated, Literal, get_args

import numpy as np
import numpy.typing as npt
from msgspec import Meta, Struct

from model.inputs import Input
from model.money import Money, Stakes, Thresholds
from model.rules import Rule, find_inputs

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
    """Costs and the thresholds that follow from them, or a threshold and the costs that it implies; and rules.

    The decision is review from `review_from` on and refuse from `refuse_from` on (probabilities of default);
    the two are equal if a review never pays. `stated`: which of the two the owner of the model has stated. With
    `money` each applicant has thresholds of its own; costs and thresholds here are then those of the average
    applicant of the training rows, and `cost_review` is an amount of money. `rules` make a decision stricter.
    """

    cost_default: float
    cost_good: float
    cost_review: float | None
    review_from: float
    refuse_from: float
    points: Points
    stated: Literal["costs", "threshold", "money"] = "costs"
    money: Money | None = None
    rules: tuple[Rule, ...] = ()

    @property
    def inputs(self) -> list[Input]:
        """The inputs that money and rules refer to."""
        sources = [] if self.money is None else [self.money.exposure, self.money.margin]
        of_rules = [one for rule in self.rules for one in find_inputs(rule.when)]
        return [*(source for source in sources if isinstance(source, Input)), *of_rules]

    def thresholds(self, applicants: npt.NDArray[np.float64]) -> Thresholds:
        """The thresholds of applicants, float64, shape (n, n_fields)."""
        if self.money is None:
            return Thresholds(self.review_from, self.refuse_from)
        return self.money.thresholds(applicants, self.cost_review)

    def stakes(self, applicants: npt.NDArray[np.float64]) -> Stakes:
        """What an accepted default and a refused good applicant cost: of each applicant, float64, shape (n,)."""
        if self.money is not None:
            return self.money.stakes(applicants)
        return Stakes(np.full(len(applicants), self.cost_default), np.full(len(applicants), self.cost_good))

    def decide(
        self, probability: npt.NDArray[np.float64], applicants: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.int64]:
        """What the graph decides: int64, shape (n,), indices into DECISIONS.

        probability: float64, shape (n,); applicants: float64, shape (n, n_fields).
        """
        at = self.thresholds(applicants)
        decision = np.where(probability >= at.refuse_from, 2, np.where(probability >= at.review_from, 1, 0))
        for rule in self.rules:
            decision = np.maximum(decision, np.where(rule.when.holds(applicants), rule.index, 0))
        return decision

    def find_deciding_rules(
        self, decision: npt.NDArray[np.int64], applicants: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.bool_]:
        """Whether each of `rules` holds and its decision is the final one: bool, shape (n, n_rules).

        decision: int64, shape (n,), of the graph; applicants: float64, shape (n, n_fields).
        """
        deciding = [rule.when.holds(applicants) & (decision == rule.index) for rule in self.rules]
        return np.array(deciding, np.bool_).reshape(len(self.rules), len(applicants)).T

    def list_deciding_rules(
        self, decision: npt.NDArray[np.int64], applicants: npt.NDArray[np.float64]
    ) -> list[list[Rule]]:
        """The rules that decided about each applicant, in their order; arguments as of `find_deciding_rules`."""
        return [list(compress(self.rules, flags)) for flags in self.find_deciding_rules(decision, applicants).tolist()]

    def score_points(self, probability: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Rounded points for probabilities of default in [0, 1], of any shape."""
        p = np.minimum(np.maximum(probability, MIN_PROBABILITY), 1 - MIN_PROBABILITY)
        return self.points.at_log_odds(np.log((1 - p) / p))
