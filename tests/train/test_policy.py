"""Thresholds from costs, and the cost of decisions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from train.card import CardField, CardPolicy
from train.card_rules import CardCondition, CardRule
from train.errors import TrainingError
from train.judged import judge
from train.policy import describe_reach, make_policy

costs = st.floats(0.01, 100.0)
NOTHING = np.empty((3, 0))


def test_five_to_one_without_review_refuses_from_one_in_six() -> None:
    """The costs of the Statlog German credit data."""
    policy = make_policy(CardPolicy(5.0, 1.0))

    assert policy.refuse_from == pytest.approx(1 / 6)
    assert policy.review_from == policy.refuse_from
    assert policy.decide(np.array([0.16, policy.refuse_from, 0.9]), NOTHING).tolist() == [0, 2, 2]


def test_a_cheap_review_opens_a_band_between_accept_and_refuse() -> None:
    """Between the thresholds a review costs less than accepting or refusing."""
    policy = make_policy(CardPolicy(5.0, 1.0, 0.4))

    assert policy.review_from == pytest.approx(0.08)
    assert policy.refuse_from == pytest.approx(0.6)
    assert policy.decide(np.array([0.05, 0.3, 0.7]), NOTHING).tolist() == [0, 1, 2]


@given(cost_default=costs, cost_good=costs, cost_review=st.none() | costs, probability=st.floats(0, 1))
def test_the_decision_has_the_smallest_expected_cost(
    cost_default: float, cost_good: float, cost_review: float | None, probability: float
) -> None:
    """For any costs and any calibrated probability."""
    policy = make_policy(CardPolicy(cost_default, cost_good, cost_review))
    expected = [probability * cost_default, cost_review or np.inf, (1 - probability) * cost_good]

    taken = expected[int(policy.decide(np.array([probability]), NOTHING)[0])]

    assert taken <= min(expected) + 1e-9 * cost_default


def test_cost_per_applicant_counts_each_kind_of_mistake() -> None:
    """An accepted default, a refused good, a review, and two right decisions."""
    policy = make_policy(CardPolicy(5.0, 1.0, 0.4))

    judged = judge(policy, np.zeros(5), np.empty((5, 0)))

    assert judged.decide(np.array([0, 2, 1, 0, 2])).mean_cost(np.array([1, 0, 1, 0, 1])) == (5.0 + 1.0 + 0.4) / 5


@given(threshold=st.floats(1e-6, 1 - 1e-6))
def test_a_stated_threshold_is_taken_as_it_is(threshold: float) -> None:
    """It is the cheapest for the costs that are noted; nobody is reviewed."""
    policy = make_policy(CardPolicy(threshold=threshold))

    assert (policy.review_from, policy.refuse_from, policy.stated) == (threshold, threshold, "threshold")
    costs = make_policy(CardPolicy(policy.cost_default, policy.cost_good))
    assert costs.refuse_from == pytest.approx(threshold, rel=1e-12)
    assert costs.stated == "costs"


INPUTS = {
    "amount": CardField("Amount", "number", reason="High amount", missing=(-1.0,)),
    "margin": CardField("Margin", "number", reason="Margin"),
}
MONEY = CardPolicy(exposure="amount", lgd=0.5, margin=0.1)
APPLICANTS = np.array([[1_000.0, 0.1], [3_000.0, 0.3], [np.nan, 0.2], [-1.0, 0.2], [0.0, 0.2]])


def test_money_notes_the_costs_of_the_average_applicant() -> None:
    """Of those whose exposure is known, by their weights; each applicant has thresholds of its own."""
    plain = make_policy(MONEY, INPUTS, APPLICANTS)
    weighted = make_policy(MONEY, INPUTS, APPLICANTS, np.array([3.0, 1.0, 9.0, 9.0, 9.0]))

    assert (plain.stated, plain.cost_default, plain.cost_good) == ("money", 1_000.0, 200.0)
    assert (weighted.cost_default, weighted.cost_good) == (750.0, 150.0)
    assert plain.refuse_from == pytest.approx(1 / 6)


def test_amounts_for_all_need_no_applicants() -> None:
    """The thresholds are those of the costs that they give."""
    policy = make_policy(CardPolicy(exposure=1_000.0, lgd=0.5, margin=0.1, cost_review=10.0))

    assert (policy.cost_default, policy.cost_good) == (500.0, 100.0)
    assert policy.decide(np.array([0.01, 0.5, 0.95]), NOTHING).tolist() == [0, 1, 2]
    assert (policy.review_from, policy.refuse_from) == (0.02, 0.9)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exposure": "loan"}, "the policy's exposure refers to 'loan', which is no input of the model"),
        ({"margin": "margin"}, "'margin' has the median 12, expected shares of the exposure such as 0.12"),
    ],
)
def test_a_fault_in_money_is_named(changes: dict[str, str], message: str) -> None:
    """Fields that the model doesn't have, percentages."""
    percent = APPLICANTS * [1.0, 60.0]

    with pytest.raises(TrainingError, match=message):
        make_policy(structs.replace(MONEY, **changes), INPUTS, percent)


@pytest.mark.parametrize(
    ("applicants", "message"),
    [
        (None, "needs a table of applicants: --reference TABLE"),
        (APPLICANTS[2:], "none of the 3 rows has an exposure above 0 and a margin"),
        (APPLICANTS * [1.0, -1.0], "no row has a margin above 0"),
    ],
)
def test_money_needs_applicants_with_an_exposure(applicants: np.ndarray | None, message: str) -> None:
    """Its mean is noted in the file."""
    with pytest.raises(TrainingError, match=message):
        make_policy(structs.replace(MONEY, margin="margin"), INPUTS, applicants)


def test_what_money_and_rules_do_with_the_training_rows_is_told() -> None:
    """Unknown exposures are counted; rules that hold for nobody, or for everybody, are named."""
    rules = [
        CardRule(name, "review", "r", all=(CardCondition("margin", above=limit),))
        for name, limit in (("none", 1.0), ("some", 0.15), ("all", 0.0))
    ]
    policy = make_policy(structs.replace(MONEY, rules=tuple(rules)), INPUTS, APPLICANTS)

    unknown, none, every = describe_reach(policy, APPLICANTS)

    assert unknown.endswith("in 3 of 5 rows: such applicants are reviewed")
    assert none.startswith("the rule 'none' holds for none of the 5 rows")
    assert every.startswith("the rule 'all' holds for all of the 5 rows")
