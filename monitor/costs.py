"""What the policy has cost on the known outcomes, what others would have, and what isn't known of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from msgspec import Struct

from model.policy import Policy
from monitor.history import Flags, Floats, History, Small
from monitor.terms import ACCEPT, REFUSE, REVIEW, Terms


class PolicyCost(Struct, frozen=True):
    """A policy on decisions that were made, in the unit of the policy's costs.

    `name`: "as it was" (with the final decisions of reviews, each of which costs a review), "model alone", "present
    thresholds" (or "present policy", of thresholds for each applicant or with rules), "thresholds of the average" (a
    policy in money as if all applicants were the average one), "thresholds by outcomes" (the cheapest pair for all on
    the known outcomes, thus a little optimistic), "challenger", and "model alone, same applicants" to compare it with.
    All but the first, the second and the challenger's are with the rules of the present policy. `decisions`: whose
    stakes are known. `review_from`, `refuse_from`: its thresholds, None where it isn't made of two for all.
    `known`: decisions whose outcome is known; `cost`: of these; `per_decision`: cost / known.
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


def compare_policies(history: History, defaulted: Small, policy: Policy, terms: Terms) -> list[PolicyCost]:
    """Policies on the decisions of a history whose stakes are known; `defaulted`: −1 = unknown, shape (n,).

    `policy`: the present one, which made the `terms`. A policy isn't repeated that decides and costs as one before it.
    """
    every = terms.is_known
    both = every & (history.challenger_decision >= 0)
    compared: list[PolicyCost] = []
    seen: set[bytes] = set()

    def measure(
        name: str, decision: Small, rows: Flags = every, *, is_paid: bool = False, at: Thresholds | None = None
    ) -> None:
        fees = np.where((history.final >= 0) & (decision != REVIEW), terms.review, 0.0) * is_paid
        key = np.where(rows, decision, -1).astype(np.int8).tobytes() + fees.tobytes()
        if key not in seen:
            seen.add(key)
            compared.append(_measure(name, history, defaulted, decision, terms, rows, fees, at))

    def measure_at(name: str, at: Thresholds) -> None:
        measure(name, np.maximum(at.decide(history.probability), terms.by_rules), at=at)

    measure("as it was", history.settled, is_paid=True)
    measure("model alone", history.decision)
    constant = Thresholds(policy.review_from, policy.refuse_from)
    if policy.money is not None or policy.rules:
        measure("present policy", np.maximum(terms.decision, ACCEPT))
    if policy.money is not None or not policy.rules:
        measure_at("present thresholds" if policy.money is None else "thresholds of the average", constant)
    free = np.flatnonzero(every & (defaulted >= 0) & (terms.by_rules == ACCEPT))
    best = find_thresholds(history.probability[free], defaulted[free], policy, terms.take(free))
    if best is not None:
        measure_at("thresholds by outcomes", best)
    if both.any():
        measure("challenger", history.challenger_decision, both)
        measure("model alone, same applicants", history.decision, both)
    return compared


def find_thresholds(probability: Floats, y: Small, policy: Policy, terms: Terms) -> Thresholds | None:
    """The cheapest thresholds, the same for all, on known outcomes, shape (n,) each; None without any.

    What would become of applicants who were refused is mostly unknown: no threshold is set beyond the highest
    probability with a known outcome, or the present threshold if that is higher.
    """
    if not len(y):
        return None
    values, places = np.unique(probability, return_inverse=True)
    losses, gains = np.bincount(places, y * terms.loss), np.bincount(places, (1 - y) * terms.gain)
    # Costs of accepting, reviewing and refusing all below or from the k-th value on.
    accepted = np.concatenate([[0.0], np.cumsum(losses)])
    refused = np.concatenate([np.cumsum(gains[::-1])[::-1], [0.0]])
    candidates = np.append(values, max(float(np.nextafter(values[-1], 2.0)), policy.refuse_from))
    if policy.cost_review is None:
        best = float(candidates[int(np.argmin(accepted + refused))])
        return Thresholds(best, best)
    reviewed = np.concatenate([[0.0], np.cumsum(np.bincount(places) * policy.cost_review)])
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
    terms: Terms,
    rows: Flags,
    fees: Floats,
    thresholds: Thresholds | None,
) -> PolicyCost:
    """The costs of decisions on some rows; `fees`: beside those of the decisions, shape (n,)."""
    known, unknown = rows & (defaulted >= 0), rows & (defaulted < 0)
    accepted, reviewed, refused = (int((rows & (decision == one)).sum()) for one in (ACCEPT, REVIEW, REFUSE))
    cost = float((terms.take(known).expect_costs(defaulted[known], decision[known]) + fees[known]).sum())
    fixed = cost + float(fees[unknown].sum())
    reviews = terms.review * int((unknown & (decision == REVIEW)).sum())
    worst = float(terms.loss[unknown & (decision == ACCEPT)].sum() + terms.gain[unknown & (decision == REFUSE)].sum())
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
        unknown=int(unknown.sum()),
        low=fixed + reviews,
        high=fixed + reviews + worst,
        expected=float((terms.take(rows).expect_costs(history.probability[rows], decision[rows]) + fees[rows]).sum()),
    )
