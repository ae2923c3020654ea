"""Points and reasons of a portfolio are those of the service, applicant by applicant."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from score.answers import ReasonWords, largest_fields, score_points
from serve.contract import Field, Points, Policy
from serve.reasons import name_reasons

FIELDS = tuple(Field(f"f{i}", f"F {i}", "", "number", (), None, None, True, f"why {i}") for i in range(4))


@given(
    probabilities=st.lists(st.floats(0, 1)),
    points=st.builds(Points, st.floats(-1000, 1000), st.floats(0.01, 1000), st.floats(0.1, 100)),
)
def test_points_are_those_of_the_policy(probabilities: list[float], points: Points) -> None:
    """Whatever the scale, certainties included."""
    policy = Policy(5.0, 1.0, None, 0.2, 0.2, points)

    assert [policy.score_points(p) for p in probabilities] == score_points(np.array(probabilities), policy).tolist()


def test_points_on_the_edge_between_two_are_those_of_the_policy() -> None:
    """A half point, and the nearest probabilities on either side of it."""
    policy = Policy(5.0, 1.0, None, 0.2, 0.2, Points())
    factor = 20 / math.log(2)
    edges = [1 / (1 + math.exp((half - 600 + factor * math.log(50)) / factor)) for half in np.arange(350.5, 800.5)]
    beside = [near for edge in edges for near in (math.nextafter(edge, 0), edge, math.nextafter(edge, 1))]

    assert [policy.score_points(p) for p in beside] == score_points(np.array(beside), policy).tolist()


@given(
    rows=st.lists(
        st.lists(st.sampled_from([-1.0, 0.0, 0.5, 0.5, 2.0]) | st.floats(-9, 9), min_size=4, max_size=4), min_size=1
    ),
    most=st.integers(1, 6),
    gaps=st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_reasons_are_those_of_the_service(rows: list[list[float]], most: int, gaps: list[bool]) -> None:
    """Fields that raised the risk, largest first, the first of equals first; a gap is called a gap."""
    row = np.where(gaps, np.nan, 1.0)
    found = largest_fields(np.array(rows), most)
    columns = ReasonWords(FIELDS).columns(found, np.isnan(row)[found])

    for number, contributions in enumerate(rows):
        named = name_reasons(row, np.array(contributions), list(FIELDS), most)
        words = [
            (names[number].as_py(), texts[number].as_py()) for names, texts in zip(*[iter(columns)] * 2, strict=True)
        ]
        assert [(reason.field, reason.text) for reason in named] == [pair for pair in words if pair != (None, None)]
