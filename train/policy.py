"""The policy of a card: thresholds from costs, from each applicant's exposure, or the owner's own; and rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from msgspec import structs

from model.inputs import Input, Matrix
from model.money import Money
from model.policy import Policy
from train.card import CardField, CardPolicy
from train.errors import TrainingError
from train.rules import find_number, make_rules
from train.weights import select, weighted_mean

COST_DEFAULT, COST_GOOD = 5.0, 1.0
"""Costs where the card has none."""

MAX_MARGIN = 1.0
"""A median margin above it is taken for a percentage."""


def make_policy(
    card: CardPolicy,
    inputs: Mapping[str, CardField] | None = None,
    applicants: Matrix | None = None,
    weight: Matrix | None = None,
) -> Policy:
    """The policy with the smallest expected cost for calibrated probabilities, or that of the card's threshold.

    Accepting costs p · cost_default, refusing (1 − p) · cost_good, a review cost_review. Without review the
    first two are equal at p = cost_good / (cost_default + cost_good) (Elkan, The Foundations of
    Cost-Sensitive Learning, 2001, equation 2). A review is cheapest from p = cost_review / cost_default
    to 1 − cost_review / cost_good, if there is such a p at all. A threshold P of the owner is taken as it is; it is the
    cheapest where the costs are as (1 − P) : P, and these are noted as costs.

    `inputs`: the model's fields in order, which exposure, margin and rules may refer to. `applicants`: what is at stake
    for them in the mean, by `weight`, gives the costs that are noted beside money. Raises TrainingError.
    """
    inputs = inputs or {}
    rules = make_rules(card.rules, inputs)
    if card.threshold is not None:
        p = card.threshold
        return Policy(1 - p, p, None, p, p, card.points, "threshold", rules=rules)
    if card.exposure is not None and card.lgd is not None and card.margin is not None:
        exposure, margin = (
            find_number(value, inputs, f"the policy's {name}") if isinstance(value, str) else float(value)
            for name, value in (("exposure", card.exposure), ("margin", card.margin))
        )
        money = Money(exposure, card.lgd, margin)
        return structs.replace(
            _weigh(*_find_mean_stakes(money, applicants, weight), card), stated="money", money=money, rules=rules
        )
    return structs.replace(_weigh(card.cost_default or COST_DEFAULT, card.cost_good or COST_GOOD, card), rules=rules)


def _weigh(default: float, good: float, card: CardPolicy) -> Policy:
    """The policy of these costs of an accepted default and of a refused good applicant."""
    review = card.cost_review
    review_from = refuse_from = good / (default + good)
    if review is not None and review < review_from * default:
        review_from = review / default
        refuse_from = 1 - review / good
    return Policy(default, good, review, review_from, refuse_from, card.points)


def describe_reach(policy: Policy, applicants: Matrix) -> Iterator[str]:
    """Notes on applicants, float64, shape (n, n_fields): unknown exposures, rules that hold for none or for all."""
    count = int(np.isnan(policy.stakes(applicants).loss).sum())
    if count:
        yield (
            f"exposure or margin is missing, the exposure isn't above 0 or the margin is above 1, in {count:,} of "
            f"{len(applicants):,} rows: such applicants are reviewed"
        )
    for rule in policy.rules:
        count = int(rule.when.holds(applicants).sum())
        if count in (0, len(applicants)):
            yield (
                f"the rule {rule.name!r} holds for {'all' if count else 'none'} of the {len(applicants):,} rows; "
                "check its conditions, and the units of its numbers"
            )


def _find_mean_stakes(money: Money, applicants: Matrix | None, weight: Matrix | None) -> tuple[float, float]:
    """The mean loss of a default and the mean gain of a good loan; raises TrainingError where no row has any."""
    if applicants is None:
        if isinstance(money.exposure, float) and isinstance(money.margin, float):
            applicants = np.zeros((1, 0))
        else:
            raise TrainingError(
                "the policy's exposure or margin is a field, whose mean needs a table of applicants: --reference TABLE"
            )
    if isinstance(money.margin, Input):
        margins = money.margin.read(applicants)
        margins = margins[~np.isnan(margins)]
        if len(margins) and (median := float(np.median(margins))) > MAX_MARGIN:
            raise TrainingError(
                f"the policy's margin {money.margin.field!r} has the median {median:g}, expected shares of the "
                "exposure such as 0.12; divide percentages by 100"
            )
    stakes = money.stakes(applicants)
    is_known = ~np.isnan(stakes.loss)
    if not is_known.any():
        raise TrainingError(
            f"none of the {len(applicants):,} rows has an exposure above 0 and a margin; correct the policy's exposure "
            "and margin"
        )
    loss, gain = (weighted_mean(values[is_known], select(weight, is_known)) for values in (stakes.loss, stakes.gain))
    if not gain > 0:
        raise TrainingError(
            "no row has a margin above 0, so that nobody would be accepted; correct the policy's margin"
        )
    return loss, gain
