"""A policy in money: the thresholds of each applicant take the decision of the largest expected profit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.inputs import Matrix
from model.money import Money
from model.policy import Points, Policy
from tests.model.policies import AMOUNT, INCOME, applicants, costs_of_review, moneys, probabilities

MONEY = Money(AMOUNT, 0.5, 0.1)
ROUNDING = 1e-12
"""Of the amounts at stake."""


def in_money(money: Money, review: float | None = None) -> Policy:
    """A policy without rules; the costs of the average applicant decide nothing."""
    return Policy(1.0, 1.0, review, 0.5, 0.5, Points(), "money", money)


def rows(*amounts: float) -> Matrix:
    """Applicants with these amounts."""
    return np.array([[amount, 1_000.0, 0.0] for amount in amounts])


def test_loss_profit_and_decision_of_one_applicant() -> None:
    """1,000 at stake: 500 lost by a default, 100 earned otherwise; as much at p = 1/6."""
    probability, one = np.array([0.1]), rows(1_000.0)

    assert MONEY.expected_loss(probability, one) == pytest.approx([50.0])
    assert MONEY.expected_profit(probability, one) == pytest.approx([40.0])
    assert MONEY.thresholds(one, None).refuse_from == pytest.approx([1 / 6])
    assert in_money(MONEY).decide(np.array([0.16, 0.17]), rows(1_000.0, 1_000.0)).tolist() == [0, 2]


def test_only_large_loans_are_worth_a_review() -> None:
    """A review costs 20: more than the 10 that a loan of 100 earns."""
    decision = in_money(MONEY, 20.0).decide(np.full(2, 0.17), rows(100.0, 1_000.0))

    assert decision.tolist() == [2, 1]


@pytest.mark.parametrize("amount", [np.nan, -1.0, 999.0, 0.0, -500.0])
def test_an_unknown_or_absent_exposure_is_reviewed(amount: float) -> None:
    """Missing, a code for it, zero or below; whatever the probability is, and its amounts are unknown."""
    probability = np.array([0.0, 1.0])
    unknown = rows(amount, amount)

    assert in_money(MONEY).decide(probability, unknown).tolist() == [1, 1]
    assert np.isnan(MONEY.expected_loss(probability, unknown)).all()
    assert np.isnan(MONEY.expected_profit(probability, unknown)).all()


def test_a_negative_margin_counts_as_none() -> None:
    """Nothing is earned, so that any risk of default is too much; a missing one is unknown."""
    applicant = np.array([[100.0, -0.2, 0.0], [100.0, np.nan, 0.0]])

    assert in_money(Money(AMOUNT, 0.5, INCOME)).decide(np.full(2, 1e-9), applicant).tolist() == [2, 1]


@given(money=moneys, review=costs_of_review, people=applicants(), data=st.data())
def test_the_decision_has_the_largest_expected_profit(
    money: Money, review: float | None, people: Matrix, data: st.DataObject
) -> None:
    """Of accepting, refusing, and a review, which costs its price and finds the right answer."""
    probability = np.full(len(people), data.draw(probabilities))
    decision, stakes = in_money(money, review).decide(probability, people), money.stakes(people)
    known = ~np.isnan(stakes.loss)
    loss, gain, p = stakes.loss[known], stakes.gain[known], probability[known]
    price = np.inf if review is None else review
    profits = np.stack([(1 - p) * gain - p * loss, (1 - p) * gain - price, np.zeros(len(p))])

    taken = profits[decision[known], np.arange(len(p))]

    scale = np.where(decision[known] == 1, loss + gain + price, loss + gain)
    assert (taken >= profits.max(axis=0) - ROUNDING * scale).all()
    assert (decision[~known] == 1).all()


@given(exposure=st.floats(1e-3, 1e6), lgd=st.floats(0.01, 1), margin=st.floats(0.001, 1), scale=st.floats(0.01, 100))
def test_without_a_review_the_amount_decides_nothing(exposure: float, lgd: float, margin: float, scale: float) -> None:
    """The threshold is margin / (margin + LGD), whatever the currency."""
    one = Money(exposure, lgd, margin).thresholds(rows(1.0), None)
    other = Money(exposure * scale, lgd, margin).thresholds(rows(1.0), None)

    assert one.refuse_from == pytest.approx(margin / (margin + lgd))
    assert other.refuse_from == pytest.approx(one.refuse_from)
