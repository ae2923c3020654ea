"""Points: the scale of a policy, for one probability and for many."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from model.policy import Points, Policy

POLICY = Policy(5.0, 1.0, None, 1 / 6, 1 / 6, Points())


@pytest.mark.parametrize(
    ("good_to_bad", "points"), [(12.5, 560), (25, 580), (50, 600), (100, 620), (200, 640), (1, 487)]
)
def test_600_points_are_odds_of_50_to_1_and_20_more_double_them(good_to_bad: float, points: int) -> None:
    """The default scale; even odds are 600 - 20 · log2(50)."""
    assert POLICY.score_points(1 / (1 + good_to_bad)) == points


@pytest.mark.parametrize(("good_to_bad", "points"), [(0.5, 450), (1, 500), (8, 650)])
def test_the_scale_of_the_contract_is_the_one_used(good_to_bad: float, points: int) -> None:
    """500 points at even odds, 50 to double them."""
    policy = structs.replace(POLICY, points=Points(score=500.0, odds=1.0, double=50.0))

    assert policy.score_points(1 / (1 + good_to_bad)) == points


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_higher_probability_of_default_never_has_more_points(one: float, other: float) -> None:
    """Points fall as the probability grows, over all of [0, 1]."""
    low, high = sorted([one, other])

    assert POLICY.score_points(low) >= POLICY.score_points(high)


@pytest.mark.parametrize(("certainty", "nearly"), [(0.0, 1e-9), (1.0, 1 - 1e-9)])
def test_a_certainty_has_finite_points(certainty: float, nearly: float) -> None:
    """0 and 1 count as 1e-9 away from themselves, where the odds are finite."""
    assert POLICY.score_points(certainty) == POLICY.score_points(nearly)


@given(
    probabilities=st.lists(st.floats(0, 1)),
    points=st.builds(Points, st.floats(-1000, 1000), st.floats(0.01, 1000), st.floats(0.1, 100)),
)
def test_points_of_many_are_those_of_each(probabilities: list[float], points: Points) -> None:
    """Whatever the scale, certainties and nobody at all included."""
    policy = structs.replace(POLICY, points=points)

    many = policy.score_many_points(np.array(probabilities, dtype=np.float64))

    assert many.dtype == np.int64
    assert many.tolist() == [policy.score_points(p) for p in probabilities]


def test_points_of_many_on_the_edge_between_two_are_those_of_each() -> None:
    """A half point, and the nearest probabilities on either side of it."""
    factor = 20 / math.log(2)
    edges = [1 / (1 + math.exp((half - 600 + factor * math.log(50)) / factor)) for half in np.arange(350.5, 800.5)]
    beside = [near for edge in edges for near in (math.nextafter(edge, 0), edge, math.nextafter(edge, 1))]

    assert POLICY.score_many_points(np.array(beside)).tolist() == [POLICY.score_points(p) for p in beside]
