"""Points: the scale of a policy."""

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
def test_points_follow_the_scale_of_the_policy(good_to_bad: float, points: int) -> None:
    """500 points at even odds, 50 to double them."""
    policy = structs.replace(POLICY, points=Points(score=500.0, odds=1.0, double=50.0))

    assert policy.score_points(1 / (1 + good_to_bad)) == points


@given(st.lists(st.floats(0, 1)))
def test_a_higher_probability_of_default_never_has_more_points(probabilities: list[float]) -> None:
    """Points are whole numbers that fall over all of [0, 1]."""
    points = POLICY.score_points(sorted(probabilities))

    assert points.dtype == np.int64
    assert points.tolist() == sorted(points.tolist(), reverse=True)


def test_probabilities_of_0_and_1_have_finite_points() -> None:
    """They are clipped to 1e-9 and 1 - 1e-9."""
    assert POLICY.score_points([0.0, 1.0]).tolist() == POLICY.score_points([1e-9, 1 - 1e-9]).tolist()


@given(
    probabilities=st.lists(st.floats(0, 1)),
    points=st.builds(Points, st.floats(-1000, 1000), st.floats(0.01, 1000), st.floats(0.1, 100)),
)
def test_points_do_not_depend_on_the_other_rows(probabilities: list[float], points: Points) -> None:
    """A single applicant has the same points in a request and in a portfolio."""
    policy = structs.replace(POLICY, points=points)

    assert policy.score_points(probabilities).tolist() == [int(policy.score_points(p)) for p in probabilities]


@given(st.floats(1e-6, 1 - 1e-6))
def test_points_at_log_odds_are_those_of_the_probability(probability: float) -> None:
    """Log-odds of being good; the rounded points may differ by one at a half point."""
    at_log_odds = POLICY.points.at_log_odds(math.log((1 - probability) / probability))

    assert abs(int(at_log_odds) - int(POLICY.score_points(probability))) <= 1


def test_one_unit_of_log_odds_is_worth_the_factor() -> None:
    """20 / ln 2 on the default scale."""
    assert Points().factor == pytest.approx(28.8539, abs=1e-4)
