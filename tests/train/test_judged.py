"""A policy applied to applicants: costs, profit, and applicants of whom neither is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from model.inputs import Input
from model.money import Money
from model.policy import Policy
from train.card import CardPolicy
from train.errors import TrainingError
from train.judged import ACCEPT, REFUSE, REVIEW, judge
from train.policy import make_policy

MONEY = Money(Input("amount", 0), 0.4, 0.1)
"""Loss 0.4, gain 0.1 of the amount."""

amounts = st.sampled_from([0.0, 1.0, 30.0, 1000.0, 50_000.0, float("nan")])


def make_money_policy(cost_review: float | None = None) -> Policy:
    """A policy in money, whose one threshold for all is 0.2."""
    return structs.replace(
        make_policy(CardPolicy(cost_default=4.0, cost_good=1.0)), cost_review=cost_review, stated="money", money=MONEY
    )


def test_a_decision_costs_and_earns_by_the_amount_of_the_applicant() -> None:
    """An accepted default loses, a refused good applicant misses the gain, a review finds the right answer."""
    judged = judge(make_money_policy(cost_review=5.0), np.zeros(6), np.full((6, 1), 1000.0))
    y = np.array([0, 1, 0, 1, 0, 1])

    judged = judged.decide(np.array([ACCEPT, ACCEPT, REVIEW, REVIEW, REFUSE, REFUSE]))

    assert judged.costs(y).tolist() == [0, 400, 5, 5, 100, 0]
    assert judged.profit(y).tolist() == [100, -400, 95, -5, 0, 0]


@given(
    rows=st.lists(st.tuples(st.floats(0, 1), amounts), min_size=1, max_size=20),
    cost_review=st.none() | st.floats(0.01, 100),
)
def test_no_decision_is_expected_to_earn_more_than_the_policy(
    rows: list[tuple[float, float]], cost_review: float | None
) -> None:
    """Of the applicants whose amount is known."""
    probability, amount = np.array(rows).T
    judged = judge(make_money_policy(cost_review), probability, amount[:, None])
    other = [ACCEPT, REFUSE] if cost_review is None else [ACCEPT, REVIEW, REFUSE]

    best = np.max([judged.decide(decision).profit(probability) for decision in other], axis=0)

    np.testing.assert_allclose(judged.profit(probability), best, rtol=1e-9, atol=1e-6)


def test_applicants_of_unknown_amount_are_left_out_and_counted() -> None:
    """Their costs are NaN, whatever the decision; where none is known, so is the mean."""
    judged = judge(make_money_policy(), np.zeros(3), np.array([[100.0], [np.nan], [0.0]]))

    assert judged.decision.tolist() == [ACCEPT, REVIEW, REVIEW]
    assert judged.n_unknown == 2
    assert judged.decide(ACCEPT).mean_cost(np.array([1, 1, 1])) == 40.0
    unknown = judged.take(np.array([1, 2]))
    assert np.isnan(unknown.mean_cost(np.array([0, 1])))
    with pytest.raises(TrainingError, match="none of the 2 rows has a known exposure and margin"):
        unknown.expect_known("the 2 rows")


def test_constant_costs_are_those_of_every_applicant() -> None:
    """And all are known."""
    judged = judge(make_policy(CardPolicy(5.0, 1.0)), np.array([0.1, 0.9]), np.empty((2, 0)))

    assert judged.n_unknown == 0
    assert judged.costs(np.array([1, 0])).tolist() == pytest.approx([5.0, 1.0])
