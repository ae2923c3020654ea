"""Costs of the policy, compared with direct computation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.card import CardPolicy
from train.judged import judge
from train.policy import make_policy
from train.report.costs import Costs, measure_costs

TWO_WAY, THREE_WAY = make_policy(CardPolicy()), make_policy(CardPolicy(cost_review=0.4))
NOTHING = np.empty((5000, 0))


@pytest.fixture(scope="module")
def costs() -> Costs:
    """Costs of a policy with review, on 5,000 calibrated probabilities."""
    random = np.random.default_rng(0)
    probability = random.beta(1, 3, 5000)
    y = (random.random(5000) < probability).astype(np.int64)
    return measure_costs(y, probability, judge(THREE_WAY, probability, NOTHING), seed=0)


@given(
    rows=st.lists(
        st.tuples(st.sampled_from([0, 1]), st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.8])), min_size=2, max_size=30
    )
)
def test_no_threshold_is_cheaper_than_the_empirical_one(rows: list[tuple[int, float]]) -> None:
    """Compared with every threshold that separates the rows differently."""
    y, probability = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])

    judged = judge(TWO_WAY, probability, np.empty((len(y), 0)))
    found = measure_costs(y, probability, judged, seed=0)

    costs = [judged.decide(np.where(probability < at, 0, 2)).mean_cost(y) for at in (0.0, 0.15, 0.25, 0.4, 0.6, 1.1)]
    assert found.empirical_cost == pytest.approx(min(costs))
    cost = judged.decide(np.where(probability < found.empirical_threshold.value, 0, 2)).mean_cost(y)
    assert cost == pytest.approx(found.empirical_cost)


def test_the_theoretical_threshold_is_optimal_for_calibrated_probabilities(costs: Costs) -> None:
    """It lies in the bootstrap interval of the empirical one, which costs no more."""
    assert costs.theoretical_threshold == pytest.approx(1 / 6)
    assert not costs.empirical_threshold.excludes(costs.theoretical_threshold)
    assert costs.empirical_cost <= costs.cost_without_review < min(costs.accept_all, costs.refuse_all)


def test_a_cheap_review_lowers_the_cost(costs: Costs) -> None:
    """Default rates rise from accept over review to refuse, and the shares add up to 1."""
    assert costs.cost.value < costs.cost_without_review
    assert [group.decision for group in costs.decisions] == ["accept", "review", "refuse"]
    rates = [group.default_rate.value for group in costs.decisions]
    assert sorted(rates) == rates
    assert sum(group.share for group in costs.decisions) == pytest.approx(1.0)


def test_the_cost_curve_starts_at_refusing_all_and_ends_at_accepting_all(costs: Costs) -> None:
    """At thresholds near 0 and near 1."""
    assert costs.curve[0] == pytest.approx(costs.refuse_all, abs=0.02)
    assert costs.curve[-1] == pytest.approx(costs.accept_all, abs=0.02)


def test_a_higher_acceptance_rate_raises_the_default_rate(costs: Costs) -> None:
    """The last row of the strategy table accepts all."""
    rates = [row.default_rate.value for row in costs.strategy]

    assert sorted(rates) == rates
    assert costs.strategy[-1].cost == pytest.approx(costs.accept_all)


def test_score_bands_partition_the_applicants(costs: Costs) -> None:
    """No gap, no overlap, open ends; the default rate falls with the points."""
    assert sum(band.share for band in costs.score_bands) == pytest.approx(1.0)
    assert (costs.score_bands[0].low, costs.score_bands[-1].high) == (None, None)
    assert [band.high for band in costs.score_bands[:-1]] == [band.low for band in costs.score_bands[1:]]
    assert costs.score_bands[0].default_rate.value > costs.score_bands[-1].default_rate.value
