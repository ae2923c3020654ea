"""Bounds hold whatever the outcomes of the rejected are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.card import CardPolicy
from train.judged import judge
from train.policy import make_policy
from train.rejects.bounds import FACTORS, measure_bounds, tilt
from train.rejects.door import Group, join
from train.target import Labels
from train.weights import weighted_mean

POLICY = make_policy(CardPolicy(cost_default=5.0, cost_good=1.0, cost_review=0.3))


def make_group(random: np.random.Generator, rows: int) -> Group:
    """Weighted applicants without fields."""
    return Group(np.zeros((rows, 0)), random.uniform(0.5, 2, rows))


@given(seed=st.integers(0, 10_000), outcomes=st.lists(st.integers(0, 1), min_size=1, max_size=40))
def test_default_rates_and_cost_are_within_the_bounds_for_any_outcomes(seed: int, outcomes: list[int]) -> None:
    """Of the rejected, of all, of those that the policy accepts; and no bounds are closer than they may be."""
    random, truth = np.random.default_rng(seed), np.array(outcomes)
    ours, theirs = make_group(random, 30), make_group(random, len(truth))
    y: Labels = random.integers(0, 2, 30)
    ours_judged, theirs_judged = (judge(POLICY, random.random(one.count), one.X) for one in (ours, theirs))

    bounds = measure_bounds(ours, theirs, y, random.random(len(truth)), ours_judged, theirs_judged)

    weight = join(ours.weight, theirs.weight)
    door = weighted_mean(join(y, truth), weight)
    cost = weighted_mean(join(ours_judged.costs(y), theirs_judged.costs(truth)), weight)
    assert bounds.best.of_door - 1e-12 <= door <= bounds.worst.of_door + 1e-12
    assert bounds.cost[0] - 1e-12 <= cost <= bounds.cost[1] + 1e-12
    assert (bounds.best.of_rejected, bounds.worst.of_rejected) == (0, 1)
    is_accepted = join(ours_judged.decision, theirs_judged.decision) == 0
    if is_accepted.any():
        accepted = weighted_mean(join(y, truth)[is_accepted], weight[is_accepted])
        assert bounds.best.of_policy - 1e-12 <= accepted <= bounds.worst.of_policy + 1e-12


@given(st.floats(0.001, 0.999), st.floats(0.1, 10))
def test_a_factor_multiplies_the_odds(probability: float, factor: float) -> None:
    """1 changes nothing."""
    (tilted,) = tilt(np.array([probability]), factor)

    assert tilted / (1 - tilted) == pytest.approx(factor * probability / (1 - probability))
    assert tilt(np.array([probability]), 1.0)[0] == pytest.approx(probability)


def test_default_rates_grow_with_the_factor() -> None:
    """From none to all, certain probabilities too."""
    p = np.array([0.0, 0.2, 1.0])

    rates = [float(tilt(p, factor).mean()) for factor in FACTORS]

    assert rates == sorted(rates)
    assert (rates[0], rates[-1], FACTORS[-1]) == (0, 1, math.inf)
