"""What the policy has cost on the known outcomes, what others would have, and what isn't known of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from msgspec import Struct

from model.policy import DECISIONS, Policy
from monitor.history import Flags, Floats, History, Integers, Small

ACCEPT, REVIEW, REFUSE = range(len(DECISIONS))


class PolicyCost(Struct, frozen=True):
    """A policy on decisions that were made, in the unit of the policy's costs.

    `name`: "as it was" (with the final decisions of reviews, each of which costs a review), "model alone", "present
    thresholds", "thresholds by outcomes" (the cheapest on the known outcomes, thus a little optimistic), "challenger",
    and "model alone, same applicants" to compare it with. `review_from`, `refuse_from`: its thresholds, None where it
    isn't made of two. `known`: decisions whose outcome is known; `cost`: of these; `per_decision`: cost / known.
    `known_defaults`: defaults among those known that it accepts; `amount_lost`: what these lost, where given.
    `unknown`: decisions without outcome. `low`, `high`: cost of all decisions, if the unknown do as well or as badly
    for it as they can; `expected`: what the probabilities alone promise of all, whatever the outcomes were.
    """

    name: str
    review_from: float | None
    refuse_from: float | None
    decisions: int
    accepted: int
    reviewed: int
    refused: int
    known: int
    cost: float
    per_decision: float | None
    known_defaults: int
    amount_lost: float | None
    unknown: int
    low: float
    high: float
    expected: float


class RejectRange(Struct, frozen=True):
    """Default rate of all who applied and whose outcome is known, or who were refused.

    `refused`: of unknown outcome. `low`, `high`: if none or all of the refused had defaulted; `expected`: if they
    default as their probabilities say.
    """

    refused: int
    known: int
    low: float | None
    high: float | None
    expected: float | None


class Thresholds(NamedTuple):
    """Review from the first probability on, refuse from the second."""

    review_from: float
    refuse_from: float

    def decide(self, probability: Floats) -> Small:
        """Decisions, index into DECISIONS, shape (n,)."""
        return (probability >= self.review_from).astype(np.int8) + (probability >= self.refuse_from).astype(np.int8)


def costs_of(y: Integers | Small, decision: Small, policy: Policy) -> Floats:
    """The cost of each decision given its outcome, shape (n,): of a default accepted, a good one refused, a review."""
    return expect_costs(y.astype(np.float64), decision, policy)


def expect_costs(probability: Floats, decision: Small, policy: Policy) -> Floats:
    """The expected cost of each decision, shape (n,)."""
    review = np.full(len(probability), policy.cost_review or 0.0)
    return np.choose(decision, [probability * policy.cost_default, review, (1 - probability) * policy.cost_good])


def compare_policies(history: History, defaulted: Small, policy: Policy) -> list[PolicyCost]:
    """Policies on the same history; `policy`: costs and present thresholds; `defaulted`: −1 = unknown, shape (n,).

    A policy isn't repeated that decides and costs as one before it.
    """
    every: Flags = np.ones(len(history), np.bool_)
    both = history.challenger_decision >= 0
    compared: list[PolicyCost] = []
    seen: set[bytes] = set()

    def measure(
        name: str, decision: Small, rows: Flags = every, *, is_paid: bool = False, at: Thresholds | None = None
    ) -> None:
        fees = np.where((history.final >= 0) & (decision != REVIEW), policy.cost_review or 0.0, 0.0) * is_paid
        key = np.where(rows, decision, -1).astype(np.int8).tobytes() + fees.tobytes()
        if key not in seen:
            seen.add(key)
            compared.append(_measure(name, history, defaulted, decision, policy, rows, fees, at))

    def measure_at(name: str, at: Thresholds) -> None:
        measure(name, at.decide(history.probability), at=at)

    measure("as it was", history.settled, is_paid=True)
    measure("model alone", history.decision)
    measure_at("present thresholds", Thresholds(policy.review_from, policy.refuse_from))
    best = find_thresholds(history.probability[defaulted >= 0], defaulted[defaulted >= 0], policy)
    if best is not None:
        measure_at("thresholds by outcomes", best)
    if both.any():
        measure("challenger", history.challenger_decision, both)
        measure("model alone, same applicants", history.decision, both)
    return compared


def find_thresholds(probability: Floats, y: Small, policy: Policy) -> Thresholds | None:
    """The cheapest thresholds on known outcomes, shape (n,) each; None without any.

    What would become of applicants who were refused is mostly unknown: no threshold is set beyond the highest
    probability with a known outcome, or the present threshold if that is higher.
    """
    if not len(y):
        return None
    values, places = np.unique(probability, return_inverse=True)
    counts, defaults = np.bincount(places), np.bincount(places, y)
    # Costs of accepting, reviewing and refusing all below or from the k-th value on.
    accepted = np.concatenate([[0.0], np.cumsum(defaults * policy.cost_default)])
    refused = np.concatenate([np.cumsum(((counts - defaults) * policy.cost_good)[::-1])[::-1], [0.0]])
    candidates = np.append(values, max(float(np.nextafter(values[-1], 2.0)), policy.refuse_from))
    if policy.cost_review is None:
        best = float(candidates[int(np.argmin(accepted + refused))])
        return Thresholds(best, best)
    reviewed = np.concatenate([[0.0], np.cumsum(counts * policy.cost_review)])
    cheapest = np.minimum.accumulate(accepted - reviewed)
    last = int(np.argmin(cheapest + reviewed + refused))
    return Thresholds(float(candidates[int(np.argmin((accepted - reviewed)[: last + 1]))]), float(candidates[last]))


def measure_rejects(history: History, defaulted: Small) -> RejectRange:
    """The range in which the default rate of all who applied lies; `defaulted`: −1 = unknown, shape (n,)."""
    is_known = defaulted >= 0
    is_refused = (history.settled == REFUSE) & ~is_known
    known, refused = int(is_known.sum()), int(is_refused.sum())
    defaults, every = int((defaulted == 1).sum()), known + refused
    if not every:
        return RejectRange(0, 0, None, None, None)
    expected = defaults + float(history.probability[is_refused].sum())
    return RejectRange(refused, known, defaults / every, (defaults + refused) / every, expected / every)


def _measure(
    name: str,
    history: History,
    defaulted: Small,
    decision: Small,
    policy: Policy,
    rows: Flags,
    fees: Floats,
    thresholds: Thresholds | None,
) -> PolicyCost:
    """The costs of decisions on some rows; `fees`: beside those of the decisions, shape (n,)."""
    known, unknown = rows & (defaulted >= 0), rows & (defaulted < 0)
    accepted, reviewed, refused = (int((rows & (decision == one)).sum()) for one in (ACCEPT, REVIEW, REFUSE))
    cost = float((costs_of(defaulted[known], decision[known], policy) + fees[known]).sum())
    others = decision[unknown]
    fixed = cost + float(fees[unknown].sum())
    reviews = (policy.cost_review or 0.0) * int((others == REVIEW).sum())
    worst = policy.cost_default * int((others == ACCEPT).sum()) + policy.cost_good * int((others == REFUSE).sum())
    lost = known & (decision == ACCEPT) & (defaulted == 1)
    amounts = history.amount_lost[lost & ~np.isnan(history.amount_lost)]
    return PolicyCost(
        name=name,
        review_from=thresholds and thresholds.review_from,
        refuse_from=thresholds and thresholds.refuse_from,
        decisions=int(rows.sum()),
        accepted=accepted,
        reviewed=reviewed,
        refused=refused,
        known=int(known.sum()),
        cost=cost,
        per_decision=cost / int(known.sum()) if known.any() else None,
        known_defaults=int(lost.sum()),
        amount_lost=float(amounts.sum()) if len(amounts) else None,
        unknown=len(others),
        low=fixed + reviews,
        high=fixed + reviews + worst,
        expected=float((expect_costs(history.probability[rows], decision[rows], policy) + fees[rows]).sum()),
    )
