"""Thresholds from costs: the cheapest decision for each probability of default."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.policy import Policy
from train.card import CardPolicy


def make_policy(costs: CardPolicy) -> Policy:
    """The policy with the smallest expected cost for calibrated probabilities.

    Accepting costs p · cost_default, refusing (1 − p) · cost_good, a review cost_review. Without review the
    first two are equal at p = cost_good / (cost_default + cost_good) (Elkan, The Foundations of
    Cost-Sensitive Learning, 2001, equation 2). A review is cheapest from p = cost_review / cost_default
    to 1 − cost_review / cost_good, if there is such a p at all.
    """
    review_from = refuse_from = costs.cost_good / (costs.cost_default + costs.cost_good)
    if costs.cost_review is not None and costs.cost_review < review_from * costs.cost_default:
        review_from = costs.cost_review / costs.cost_default
        refuse_from = 1 - costs.cost_review / costs.cost_good
    return Policy(costs.cost_default, costs.cost_good, costs.cost_review, review_from, refuse_from, costs.points)


def decide(probability: npt.NDArray[np.float64], policy: Policy) -> npt.NDArray[np.int64]:
    """Decisions for probabilities of shape (n,): int64, shape (n,), indices into DECISIONS."""
    return (probability >= policy.review_from).astype(np.int64) + (probability >= policy.refuse_from)


def costs_of(y: npt.NDArray[np.int64], decision: npt.NDArray[np.int64], policy: Policy) -> npt.NDArray[np.float64]:
    """The cost of each decision given outcomes y (1 = default): float64, shape (n,), in the unit of the costs."""
    accepted = y * policy.cost_default
    refused = (1 - y) * policy.cost_good
    reviewed = np.full(len(y), policy.cost_review or 0.0)
    return np.choose(decision, [accepted, reviewed, refused])


def mean_cost(y: npt.NDArray[np.int64], decision: npt.NDArray[np.int64], policy: Policy) -> float:
    """The mean of `costs_of`."""
    return float(costs_of(y, decision, policy).mean())
