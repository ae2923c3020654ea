"""What each rule of the model in service has decided, replayed from the recorded inputs of its decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from msgspec import Struct

from model.estimates import Estimate, proportion
from model.rules import Rule
from monitor.history import Flags, History, Small
from monitor.terms import REVIEW, Terms


class RuleEffect(Struct, frozen=True):
    """A rule on the model's decisions whose inputs are on record.

    `holds`: for how many its condition holds. `decided`: those of them with its decision. `changed`: those of these
    that the thresholds alone would have decided more mildly. `outcomes`, `observed`, `predicted`: of those that it
    decided, the known outcomes (of a refusal mostly none), their default rate, the mean probability of these.
    `expected_cost`: of the changed ones, what the rule's decision costs more than that of the thresholds, as the
    probabilities promise; of those whose stakes are known; None where
    reviews are given or spared and the policy has no price for them.
    """

    name: str
    decision: Literal["review", "refuse"]
    holds: int
    decided: int
    changed: int
    outcomes: int
    observed: Estimate | None
    predicted: float | None
    expected_cost: float | None


def measure_rules(
    rules: Sequence[Rule], history: History, defaulted: Small, terms: Terms, in_service: Flags
) -> list[RuleEffect]:
    """Each rule, in order; `in_service`: the decisions of the model that has them; `defaulted`: −1 = unknown."""
    is_read = in_service & (terms.by_thresholds >= 0)
    return [_measure(number, rule, history, defaulted, terms, is_read) for number, rule in enumerate(rules)]


def _measure(number: int, rule: Rule, history: History, defaulted: Small, terms: Terms, is_read: Flags) -> RuleEffect:
    holds = is_read & terms.holds[:, number]
    decided = holds & (history.decision == rule.index)
    changed = np.flatnonzero(decided & (terms.by_thresholds < rule.index))
    known = decided & (defaulted >= 0)
    outcomes, own = int(known.sum()), terms.take(changed)
    p, milder = history.probability[changed], own.by_thresholds
    more = own.expect_costs(p, np.full(len(p), rule.index, np.int8)) - own.expect_costs(p, milder)
    is_unpriced = terms.is_review_free and len(p) > 0 and (rule.index == REVIEW or bool((milder == REVIEW).any()))
    return RuleEffect(
        name=rule.name,
        decision=rule.decision,
        holds=int(holds.sum()),
        decided=int(decided.sum()),
        changed=len(changed),
        outcomes=outcomes,
        observed=proportion(int((known & (defaulted == 1)).sum()), outcomes) if outcomes else None,
        predicted=float(history.probability[known].mean()) if outcomes else None,
        expected_cost=None if is_unpriced else float(np.nansum(more)),
    )
