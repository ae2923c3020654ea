"""Hypothesis strategies: any policy in money and with rules, and applicants who are at its limits."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from model.contract import Field
from model.inputs import Input, Matrix
from model.money import Money
from model.policy import Points, Policy
from model.rules import Compares, Condition, IsMissing, IsOneOf, Joined, Rule

AMOUNT = Input("amount", 0, (-1.0, 999.0))
INCOME = Input("income", 1)
HOME = Input("home", 2)

FIELDS = (
    Field("amount", "Amount", "EUR", "number", (), 0.0, 5_000.0, True, "High amount", missing=AMOUNT.missing),
    Field("income", "Income", "EUR", "number", (), 0.0, 900.0, True, "Low income"),
    Field("home", "Home", "", "category", ("own", "rent", "other"), None, None, True, "Home"),
)

NUMBERS = (0.0, -0.0, 1.0, 1 + 1e-9, 2.0, -1.0, 999.0, 5e-324, -5e-324, 1e-300, 1e-50, 1e100, -1e100, 0.1, 0.3)
"""Among them those that float32 takes for 0 or 1."""

numbers = st.sampled_from(NUMBERS) | st.floats(-1e100, 1e100)
inputs = st.sampled_from([AMOUNT, INCOME])
_compared = st.builds(
    Compares, inputs, st.sampled_from(["below", "at_most", "above", "at_least"]), numbers, st.none() | inputs
)
_members = st.builds(IsOneOf, st.sampled_from([AMOUNT, HOME]), st.lists(numbers, min_size=1, max_size=3).map(tuple))
_leaves = (
    _compared
    | _members
    | _members.map(lambda one: IsOneOf(one.input, one.values, True))
    | st.builds(IsMissing, st.sampled_from([AMOUNT, INCOME, HOME]))
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    _leaves,
    lambda parts: st.builds(
        Joined, st.sampled_from(["all", "any"]), st.lists(parts, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=5,
)
rules = st.lists(
    st.builds(Rule, st.just("a rule"), st.sampled_from(["review", "refuse"]), st.just("a reason"), conditions),
    max_size=3,
).map(tuple)
amounts = st.sampled_from([1e-300, 1e-50, 1.0, 1 + 1e-9, 1e100]) | st.floats(1e-3, 1e6)
shares = st.sampled_from([1.0, 1 - 1e-9, 0.5]) | st.floats(0.001, 1)
costs_of_review = st.none() | amounts
moneys = st.builds(Money, inputs | amounts, shares, inputs | shares)


def _make_policy(
    money: Money | None, review: float | None, bounds: tuple[float, float], rules: tuple[Rule, ...]
) -> Policy:
    low, high = sorted(bounds)
    return Policy(5.0, 1.0, review, low, high, Points(), "money" if money else "costs", money, rules)


probabilities = st.sampled_from([0.0, 1.0, 0.5]) | st.floats(0, 1)
policies = st.builds(_make_policy, st.none() | moneys, costs_of_review, st.tuples(probabilities, probabilities), rules)


@st.composite
def applicants(draw: st.DrawFn) -> Matrix:
    """float64, shape (n, 3)."""
    size = draw(st.integers(1, 6))
    cells = st.just(np.nan) | numbers
    columns = [draw(npst.arrays(np.float64, size, elements=kind)) for kind in (cells, cells)]
    homes = draw(npst.arrays(np.float64, size, elements=st.sampled_from([np.nan, 0.0, 1.0, 2.0])))
    return np.column_stack([*columns, homes])
