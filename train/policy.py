"""Thresholds from costs: the cheapest decision for each probability of default; or the owner's own threshold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model.policy import Policy
from train.card import CardPolicy
from train.weights import weighted_mean

COST_DEFAULT, COST_GOOD = 5.0, 1.0
"""Costs where the card has none."""


def make_policy(card: CardPolicy) -> Policy:
    """The policy with the smallest expected cost for calibrated probabilities, or that of the card's threshold.

    Accepting costs p · cost_default, refusing (1 − p) · cost_good, a review cost_review. Without review the
    first two are equal at p = cost_good / (cost_default + cost_good) (Elkan, The Foundations of
    Cost-Sensitive Learning, 2001, equation 2). A review is cheapest from p = cost_review / cost_default
    to 1 − cost_review / cost_good, if there is such a p at all. A threshold P of the owner is taken as it is; it is the
    cheapest where the costs are as (1 − P) : P, and these are noted as costs.
    """
    if card.threshold is not None:
        p = card.threshold
        return Policy(1 - p, p, None, p, p, card.points, "threshold")
    default, good, review = card.cost_default or COST_DEFAULT, card.cost_good or COST_GOOD, card.cost_review
    review_from = refuse_from = good / (default + good)
    if review is not None and review < review_from * default:
        review_from = review / default
        refuse_from = 1 - review / good
    return Policy(default, good, review, review_from, refuse_from, card.points)


def decide(probability: npt.NDArray[np.float64], policy: Policy) -> npt.NDArray[np.int64]:
    """Decisions for probabilities of shape (n,): int64, shape (n,), indices into DECISIONS."""
    return (probability >= policy.review_from).astype(np.int64) + (probability >= policy.refuse_from)


def costs_of(y: npt.NDArray[np.int64], decision: npt.NDArray[np.int64], policy: Policy) -> npt.NDArray[np.float64]:
    """The cost of each decision given outcomes y (1 = default): float64, shape (n,), in the unit of the costs."""
    accepted = y * policy.cost_default
    refused = (1 - y) * policy.cost_good
    reviewed = np.full(len(y), policy.cost_review or 0.0)
    return np.choose(decision, [accepted, reviewed, refused])


def mean_cost(
    y: npt.NDArray[np.int64],
    decision: npt.NDArray[np.int64],
    policy: Policy,
    weight: npt.NDArray[np.float64] | None = None,
) -> float:
    """The mean of `costs_of`, weighted."""
    return weighted_mean(costs_of(y, decision, policy), weight)
