"""What a policy does with applicants, and what is at stake for each: what the report measures costs and profit on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from model.policy import Policy
from train.dataset import Matrix
from train.errors import TrainingError
from train.target import Labels
from train.weights import Flags, select, weighted_mean

ACCEPT, REVIEW, REFUSE = range(3)


@dataclass(frozen=True, slots=True)
class Judged:
    """A policy applied to n applicants.

    decision: int64, shape (n,), indices into DECISIONS. loss, gain: what a default loses and a good loan earns, if
    accepted, float64, shape (n,); NaN where exposure or margin isn't known. Costs and profit of these applicants are
    NaN, and means leave them out.
    """

    policy: Policy
    decision: Labels
    loss: Matrix
    gain: Matrix

    @property
    def is_known(self) -> Flags:
        """Whether costs and profit are known, bool, shape (n,)."""
        return ~np.isnan(self.loss)

    @property
    def n_unknown(self) -> int:
        """Number of applicants without known costs and profit."""
        return int(np.isnan(self.loss).sum())

    def expect_known(self, who: str) -> None:
        """Raise TrainingError unless costs are known for some of `who`."""
        if not self.is_known.any():
            raise TrainingError(
                f"none of {who} has a known exposure and margin, so that costs and profit can't be measured; "
                "correct the columns of the policy's exposure and margin"
            )

    def take(self, rows: Labels | Flags) -> Judged:
        """These applicants alone."""
        return Judged(self.policy, self.decision[rows], self.loss[rows], self.gain[rows])

    def decide(self, decision: Labels | int) -> Judged:
        """The same applicants with other decisions, int64, shape (n,), or one for all."""
        return replace(self, decision=np.broadcast_to(np.int64(decision), self.loss.shape))

    def costs(self, y: Labels | Matrix) -> Matrix:
        """What each decision costs given outcomes y, (n,), 1 = default, or expected ones: float64, shape (n,).

        An accepted default costs its loss, a refused good applicant the gain that is missed, and a review its price,
        or nothing where the card has none.
        """
        reviewed = np.where(self.is_known, self.policy.cost_review or 0.0, np.nan)
        return np.choose(self.decision, [y * self.loss, reviewed, (1 - y) * self.gain])

    def profit(self, y: Labels | Matrix) -> Matrix:
        """What each decision earns given outcomes y, or expected ones, float64, shape (n,).

        That is the gain of good loans less the losses. A review finds the right answer, for its price.
        """
        return (1 - y) * self.gain - self.costs(y)

    def mean_cost(self, y: Labels, weight: Matrix | None = None) -> float:
        """Cost per applicant whose costs are known; NaN if there is none."""
        rows = self.is_known
        return weighted_mean(self.costs(y)[rows], select(weight, rows)) if rows.any() else float("nan")


def judge(policy: Policy, probability: Matrix, applicants: Matrix) -> Judged:
    """Apply a policy as the graph does; probability: float64, shape (n,), applicants: float64, shape (n, n_fields)."""
    stakes = policy.stakes(applicants)
    return Judged(policy, policy.decide(probability, applicants), stakes.loss, stakes.gain)
