"""Thresholds from costs, and the cost of decisions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.card import CardPolicy
from train.policy import decide, make_policy, mean_cost

costs = st.floats(0.01, 100.0)


def test_five_to_one_without_review_refuses_from_one_in_six() -> None:
    """The costs of the Statlog German credit data."""
    policy = make_policy(CardPolicy(5.0, 1.0))

    assert policy.refuse_from == pytest.approx(1 / 6)
    assert policy.review_from == policy.refuse_from
    assert decide(np.array([0.16, policy.refuse_from, 0.9]), policy).tolist() == [0, 2, 2]


def test_a_cheap_review_opens_a_band_between_accept_and_refuse() -> None:
    """Between the thresholds a review costs less than accepting or refusing."""
    policy = make_policy(CardPolicy(5.0, 1.0, 0.4))

    assert policy.review_from == pytest.approx(0.08)
    assert policy.refuse_from == pytest.approx(0.6)
    assert decide(np.array([0.05, 0.3, 0.7]), policy).tolist() == [0, 1, 2]


@given(cost_default=costs, cost_good=costs, cost_review=st.none() | costs, probability=st.floats(0, 1))
def test_the_decision_has_the_smallest_expected_cost(
    cost_default: float, cost_good: float, cost_review: float | None, probability: float
) -> None:
    """For any costs and any calibrated probability."""
    policy = make_policy(CardPolicy(cost_default, cost_good, cost_review))
    expected = [probability * cost_default, cost_review or np.inf, (1 - probability) * cost_good]

    taken = expected[int(decide(np.array([probability]), policy)[0])]

    assert taken <= min(expected) + 1e-9 * cost_default


def test_cost_per_applicant_counts_each_kind_of_mistake() -> None:
    """An accepted default, a refused good, a review, and two right decisions."""
    policy = make_policy(CardPolicy(5.0, 1.0, 0.4))

    assert mean_cost(np.array([1, 0, 1, 0, 1]), np.array([0, 2, 1, 0, 2]), policy) == (5.0 + 1.0 + 0.4) / 5


@given(threshold=st.floats(1e-6, 1 - 1e-6))
def test_a_stated_threshold_is_taken_as_it_is(threshold: float) -> None:
    """It is the cheapest for the costs that are noted; nobody is reviewed."""
    policy = make_policy(CardPolicy(threshold=threshold))

    assert (policy.review_from, policy.refuse_from, policy.stated) == (threshold, threshold, "threshold")
    costs = make_policy(CardPolicy(policy.cost_default, policy.cost_good))
    assert costs.refuse_from == pytest.approx(threshold, rel=1e-12)
    assert costs.stated == "costs"
