"""What the policy costs, held against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.card import CardPolicy
from train.policy import make_policy, mean_cost
from train.report.costs import Costs, measure_costs

TWO_WAY, THREE_WAY = make_policy(CardPolicy()), make_policy(CardPolicy(cost_review=0.4))


@pytest.fixture(scope="module")
def costs() -> Costs:
    """Of 5,000 calibrated probabilities."""
    random = np.random.default_rng(0)
    probability = random.beta(1, 3, 5000)
    y = (random.random(5000) < probability).astype(np.int64)
    return measure_costs(y, probability, THREE_WAY, seed=0)


@given(
    rows=st.lists(
        st.tuples(st.sampled_from([0, 1]), st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.8])), min_size=2, max_size=30
    )
)
def test_no_threshold_would_have_been_cheaper_than_the_best_in_hindsight(rows: list[tuple[int, float]]) -> None:
    """Every threshold tried by hand."""
    y, probability = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])

    found = measure_costs(y, probability, TWO_WAY, seed=0)

    by_hand = [mean_cost(y, np.where(probability < at, 0, 2), TWO_WAY) for at in (0.0, 0.15, 0.25, 0.4, 0.6, 1.1)]
    assert pytest.approx(min(by_hand)) == found.empirical_cost
    at_best = mean_cost(y, np.where(probability < found.empirical.value, 0, 2), TWO_WAY)
    assert pytest.approx(found.empirical_cost) == at_best


def test_calibrated_probabilities_need_no_other_threshold_than_the_costs_give(costs: Costs) -> None:
    """The theoretical threshold lies in the bootstrap interval of the best; the best costs no more."""
    assert pytest.approx(1 / 6) == costs.theoretical
    assert not costs.empirical.excludes(costs.theoretical)
    assert costs.empirical_cost <= costs.two_way < min(costs.accept_all, costs.refuse_all)


def test_a_review_that_costs_little_saves(costs: Costs) -> None:
    """Three answers are cheaper than two; each kind of applicant pays as its answer expects."""
    assert costs.cost.value < costs.two_way
    assert ["accept", "review", "refuse"] == [answer.decision for answer in costs.answers]
    rates = [answer.default_rate.value for answer in costs.answers]
    assert sorted(rates) == rates
    assert pytest.approx(1.0) == sum(answer.share for answer in costs.answers)


def test_the_curve_ends_in_refusing_and_accepting_all(costs: Costs) -> None:
    """From 0 to 1."""
    assert pytest.approx(costs.refuse_all, abs=0.02) == costs.curve[0]
    assert pytest.approx(costs.accept_all, abs=0.02) == costs.curve[-1]


def test_accepting_more_raises_the_bad_rate_up_to_that_of_all(costs: Costs) -> None:
    """The last row of the table is everybody."""
    rates = [step.bad_rate.value for step in costs.tradeoffs]

    assert sorted(rates) == rates
    assert pytest.approx(costs.accept_all) == costs.tradeoffs[-1].cost


def test_bands_of_points_part_the_applicants_and_more_points_pay_better(costs: Costs) -> None:
    """No gap, no overlap, open at both ends."""
    assert pytest.approx(1.0) == sum(band.share for band in costs.bands)
    assert (None, None) == (costs.bands[0].low, costs.bands[-1].high)
    assert [band.high for band in costs.bands[:-1]] == [band.low for band in costs.bands[1:]]
    assert costs.bands[0].default_rate.value > costs.bands[-1].default_rate.value
