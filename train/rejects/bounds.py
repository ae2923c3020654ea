"""Bounds of the default rate of the rejected and of the whole door, and of what the policy would do with all of it.

Without assumptions the outcomes of the rejected may be anything (Manski, Partial Identification of Probability
Distributions, 2003, chapter 1). Between the extremes, each rejected applicant's odds of default are k times those that
the model of the accepted gives: the tilt of Robins, Rotnitzky & Scharfstein, Sensitivity analysis for selection bias
and unmeasured confounding, 2000; k = 1 says that the fields explain the rejections.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from train.dataset import Matrix
from train.judged import ACCEPT, Judged
from train.rejects.door import Group, join
from train.target import Labels
from train.weights import weighted_mean

FACTORS = (0.0, 1.0, 1.5, 2.0, 3.0, math.inf)
"""Odds of default of the rejected relative to those that the model gives; 0: none defaults, infinity: all do."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What follows from one factor: default rates of the rejected and of the whole door.

    of_policy: default rate of those of the door that the policy would accept, NaN if there are none. cost: of the
    policy per applicant of the door, NaN if it isn't known.
    """

    factor: float
    of_rejected: float
    of_door: float
    of_policy: float
    cost: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """scenarios: from the best to the worst case. acceptance, rejected_acceptance: shares of the door and of the
    rejected that the policy would accept. cost: the smallest and the largest possible, whatever the outcomes of the
    rejected.
    """

    scenarios: tuple[Scenario, ...]
    acceptance: float
    rejected_acceptance: float
    cost: tuple[float, float]

    @property
    def best(self) -> Scenario:
        """No rejected applicant defaults."""
        return self.scenarios[0]

    @property
    def predicted(self) -> Scenario:
        """The model is right for the rejected."""
        return next(one for one in self.scenarios if one.factor == 1)

    @property
    def worst(self) -> Scenario:
        """Every rejected applicant defaults."""
        return self.scenarios[-1]


def tilt(probability: Matrix, factor: float) -> Matrix:
    """Probabilities with odds of default multiplied by a factor; float64, shape (n,)."""
    if factor == 0 or math.isinf(factor):
        return np.full(len(probability), float(factor > 0))
    odds = factor * probability
    return odds / (1 - probability + odds)


def measure_bounds(
    accepted: Group, rejected: Group, y: Labels, probability: Matrix, ours: Judged, theirs: Judged
) -> Bounds:
    """`y`: outcomes of the accepted; `probability`: the model's, of the rejected; the policy's decisions on both."""
    weight = join(accepted.weight, rejected.weight)
    is_accepted = join(ours.decision, theirs.decision) == ACCEPT
    is_known = join(ours.is_known, theirs.is_known)
    known_cost = ours.costs(y)

    def mean_cost(of_rejected: Matrix) -> float:
        costs = join(known_cost, of_rejected)[is_known]
        return weighted_mean(costs, weight[is_known]) if is_known.any() else math.nan

    def describe(factor: float) -> Scenario:
        p = tilt(probability, factor)
        outcomes = join(y, p)
        return Scenario(
            factor,
            weighted_mean(p, rejected.weight),
            weighted_mean(outcomes, weight),
            weighted_mean(outcomes[is_accepted], weight[is_accepted]) if is_accepted.any() else math.nan,
            mean_cost(theirs.costs(p)),
        )

    ends = [theirs.costs(np.full(rejected.count, outcome)) for outcome in (0.0, 1.0)]
    return Bounds(
        tuple(map(describe, FACTORS)),
        weighted_mean(is_accepted, weight),
        weighted_mean(theirs.decision == ACCEPT, rejected.weight),
        (mean_cost(np.minimum(*ends)), mean_cost(np.maximum(*ends))),
    )
