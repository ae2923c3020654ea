"""What the policy of its model says of a decision on record: amounts of money, and the rules that decided.

They follow from inputs, probability and decision, so that nothing of them is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct

from decisions.replay import KeptModels, ReplayError
from decisions.store import Store
from model.money import list_amounts
from model.policy import DECISIONS, Policy


class Figures(Struct, frozen=True):
    """As in model/results.py; None where the policy has none of them, or can't be read."""

    expected_loss: float | None = None
    expected_profit: float | None = None
    rules: list[str] | None = None


NO_FIGURES = Figures()


def read_policies(store: Store, models: Iterable[str]) -> dict[str, Policy]:
    """The policies with money or rules by the SHA-256 of their model files; raises StoreError.

    Of a file that can't be loaded there is none; `python -m decisions verify` says why.
    """
    kept, policies = KeptModels(store), {}
    for sha256 in models:
        try:
            policy = kept.load(sha256).contract.policy
        except ReplayError:
            continue
        if policy.money is not None or policy.rules:
            policies[sha256] = policy
    return policies


def find_figures(policy: Policy, inputs: Sequence[float | None], probability: float, decision: str) -> Figures:
    """The figures of one decision."""
    applicants, p = np.array([inputs], np.float64), np.array([probability])
    loss = profit = names = None
    if policy.money is not None:
        (loss,) = list_amounts(policy.money.expected_loss(p, applicants))
        (profit,) = list_amounts(policy.money.expected_profit(p, applicants))
    if policy.rules:
        index = [number for number, word in enumerate(DECISIONS) if word == decision] or [-1]
        (rules,) = policy.list_deciding_rules(np.array(index), applicants)
        names = [rule.name for rule in rules]
    return Figures(loss, profit, names)
