"""Steps from the base to the total."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from client.answers import Model, Points, Policy, Reason, Result
from client.waterfall import base_points, steps

POLICY = Policy(0.2, 0.4, Points(600.0, 50.0, 20.0))


def result_of(contributions: list[float], log_odds: float) -> Result:
    """A result with these reasons at these log-odds of default, with the points of the service's own formula."""
    reasons = tuple(Reason(f"f{i}", "", "", value, "") for i, value in enumerate(contributions))
    points = round(600 - 20 / math.log(2) * (math.log(50) + log_odds))
    return Result(1 / (1 + math.exp(-log_odds)), "accept", points, reasons, ())


@given(st.lists(st.floats(1e-6, 5), max_size=12), st.floats(-10, 10), st.floats(-5, 5))
def test_steps_lead_from_the_base_to_the_total(contributions: list[float], log_odds: float, base: float) -> None:
    """Each begins where the one before ended, the last ends at the points, and reasons never give points."""
    model = Model("m", "1", "", "", (), POLICY, base, {})
    result = result_of(contributions, log_odds)

    walk = steps(result, model)

    ends = [base_points(model), *(step.after for step in walk)]
    assert ends[:-1] == [step.before for step in walk]
    assert result.points == ends[-1]
    assert all(step.points <= 0 for step in walk if step.field)


def test_a_contribution_of_ln_2_takes_the_points_that_double_the_odds() -> None:
    """20 of them."""
    model = Model("m", "1", "", "", (), POLICY, 0.0, {})

    assert -20 == steps(result_of([math.log(2)], 0.0), model)[0].points
