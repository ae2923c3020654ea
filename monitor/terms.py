"""Terms: what the policy of the model in service makes of each decision on record.

Amounts of money and rules are those of the recorded inputs; without either, costs and thresholds are the same for all
and no input is read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from decisions.store import Store
from model.contract import Contract
from model.policy import DECISIONS, Policy
from model.session import Matrix
from monitor.history import Flags, Floats, History, Integers, Small
from monitor.recorded_inputs import Columns, derive_columns

ACCEPT, REVIEW, REFUSE = range(len(DECISIONS))


@dataclass(frozen=True, slots=True)
class Terms:
    """Each column has shape (n,), in the order of the history.

    `loss`, `gain`: what an accepted default and a refused good applicant cost, NaN = unknown. `by_thresholds`: the
    decision of the present thresholds alone, −1 where inputs were erased or don't fit; `by_rules`: the strictest one
    of the rules that hold, 0 = accept. `holds`: which of the rules hold, shape (n, n_rules). `review`: what a review
    costs; `is_review_free`: 0 because the policy has no price for it. `probability` is always the recorded one.
    """

    loss: Floats
    gain: Floats
    by_thresholds: Small
    by_rules: Small
    holds: Flags
    review: float
    is_review_free: bool = False

    @property
    def decision(self) -> Small:
        """Of thresholds and rules together; meaningless where they aren't known."""
        return np.maximum(self.by_thresholds, self.by_rules)

    @property
    def is_known(self) -> Flags:
        """Where thresholds, rules and stakes are known."""
        return (self.by_thresholds >= 0) & ~np.isnan(self.loss)

    def take(self, rows: Integers | Flags) -> Terms:
        """Those of some of the decisions."""
        return Terms(
            loss=self.loss[rows],
            gain=self.gain[rows],
            by_thresholds=self.by_thresholds[rows],
            by_rules=self.by_rules[rows],
            holds=self.holds[rows],
            review=self.review,
            is_review_free=self.is_review_free,
        )

    def expect_costs(self, probability: Floats | Integers | Small, decision: Small) -> Floats:
        """The expected cost of each decision, shape (n,); with outcomes 0 and 1 as probabilities, what it has cost."""
        p = np.asarray(probability, np.float64)
        return np.choose(decision, [p * self.loss, np.full(len(p), self.review), (1 - p) * self.gain])


def make_terms(policy: Policy, probability: Floats) -> Terms:
    """Of a policy without money and rules; probability: of the decisions, shape (n,)."""
    n = len(probability)
    return Terms(
        loss=np.broadcast_to(policy.cost_default, n),
        gain=np.broadcast_to(policy.cost_good, n),
        by_thresholds=_decide(probability, policy.review_from, policy.refuse_from),
        by_rules=np.zeros(n, np.int8),
        holds=np.zeros((n, 0), np.bool_),
        review=policy.cost_review or 0.0,
        is_review_free=policy.cost_review is None,
    )


def read_terms(store: Store, history: History, contract: Contract, start: int | None, end: int | None) -> Terms:
    """Of the decisions of a period, by their recorded inputs.

    Raises StoreError, and CommandError if the applicants of no model of the period have the fields of the contract.
    """
    policy = contract.policy
    if policy.money is None and not policy.rules:
        return make_terms(policy, history.probability)
    numbers = [("loss", "f8"), ("gain", "f8"), ("by_thresholds", "i1"), ("by_rules", "i1")]
    kind = np.dtype([*numbers, ("holds", "?", (len(policy.rules),))])
    empty: Columns = np.zeros(1, kind)
    empty["loss"] = empty["gain"] = np.nan
    empty["by_thresholds"] = -1

    def derive(applicants: Matrix, probability: Floats) -> Columns:
        found = np.empty(len(applicants), kind)
        stakes, at = policy.stakes(applicants), policy.thresholds(applicants)
        found["loss"], found["gain"] = stakes.loss, stakes.gain
        found["by_thresholds"] = _decide(probability, at.review_from, at.refuse_from)
        found["by_rules"] = ACCEPT
        for number, rule in enumerate(policy.rules):
            holds = rule.when.holds(applicants)
            found["holds"][:, number] = holds
            found["by_rules"][holds] = np.maximum(found["by_rules"][holds], rule.index)
        return found

    found = derive_columns(store, history, contract.fields, (start, end), empty, derive)
    return Terms(
        loss=found["loss"],
        gain=found["gain"],
        by_thresholds=found["by_thresholds"],
        by_rules=found["by_rules"],
        holds=found["holds"],
        review=policy.cost_review or 0.0,
        is_review_free=policy.cost_review is None,
    )


def _decide(probability: Floats, review_from: Floats | float, refuse_from: Floats | float) -> Small:
    milder = np.where(probability >= review_from, REVIEW, ACCEPT)
    return np.where(probability >= refuse_from, REFUSE, milder).astype(np.int8)
