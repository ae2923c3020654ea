"""Steps of the waterfall from the base points to the points of a result."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from client.responses import Model, Policy, Reason, Result
from client.waterfall import steps


def model_of(base_points: int) -> Model:
    """A model in which 20 points double the odds."""
    return Model("m", "1", "", "", (), Policy(0.2, 0.4), base_points, 20 / math.log(2), {})


def result_of(contributions: list[float], points: int) -> Result:
    """A result with these contributions and points."""
    reasons = tuple(Reason(f"f{i}", "", "", value, "") for i, value in enumerate(contributions))
    return Result(0.1, "accept", points, reasons, ())


@given(st.lists(st.floats(1e-6, 5), max_size=12), st.integers(200, 900), st.integers(200, 900))
def test_steps_lead_from_the_base_to_the_total(contributions: list[float], points: int, base: int) -> None:
    """Each starts where the previous one ended, the last ends at the points, and no reason adds points."""
    walk = steps(result_of(contributions, points), model_of(base), base)

    ends = [base, *(step.after for step in walk)]
    assert ends[:-1] == [step.before for step in walk]
    assert ends[-1] == points
    assert all(step.points <= 0 for step in walk if step.field)


def test_a_contribution_of_ln_2_is_worth_the_points_that_double_the_odds() -> None:
    """The scale of the model says 20."""
    assert steps(result_of([math.log(2)], 500), model_of(520), 520)[0].points == -20
