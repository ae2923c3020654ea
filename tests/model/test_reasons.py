"""Reasons and remarks in words: at most so many reasons, only what raised the risk; gaps and values out of bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract import Field
from model.reasons import Remark, describe_value, name_reasons, plain_number, warn
from model.session import Matrix

FIELDS = [
    Field("a", "Age of car", "years", "number", (), None, None, True, "Old car"),
    Field("b", "Home", "", "category", ("own", "rent"), None, None, True, "Rented home"),
    Field("c", "Income", "EUR", "number", (), None, None, True, "Low income"),
]
DEBT = "Debt/Income~12m"


def test_only_what_raised_the_risk_is_a_reason_and_the_largest_comes_first() -> None:
    """A field that lowered the risk is no reason for a refusal."""
    reasons = name_reasons(np.array([3.0, 1.0, 900.0]), np.array([0.1, 0.7, -2.0]), FIELDS, 4)

    assert [(reason.field, reason.value, reason.contribution, reason.text) for reason in reasons] == [
        ("b", "rent", 0.7, "Rented home"),
        ("a", "3 years", 0.1, "Old car"),
    ]


def test_a_missing_value_is_told_as_missing() -> None:
    """'Low income' would be wrong of an income that nobody knows."""
    (reason,) = name_reasons(np.array([1.0, 0.0, np.nan]), np.array([-1.0, 0.0, 0.5]), FIELDS, 4)

    assert (reason.value, reason.text) == ("missing", "Income: missing")


@given(contributions=st.lists(st.floats(-5, 5), min_size=3, max_size=3), most=st.integers(0, 5))
def test_there_are_never_more_than_asked_for(contributions: list[float], most: int) -> None:
    """Sorted, positive, at most `most`."""
    reasons = name_reasons(np.array([1.0, 1.0, 1.0]), np.array(contributions), FIELDS, most)

    given_order = [reason.contribution for reason in reasons]
    assert given_order == sorted(given_order, reverse=True)
    assert len(given_order) == min(most, sum(value > 0 for value in contributions))
    assert all(value > 0 for value in given_order)


@pytest.mark.parametrize(
    ("value", "text"), [(2.0, "2 years"), (0.25, "0.25 years"), (1e30, "1e+30 years"), (float("nan"), "missing")]
)
def test_values_are_said_as_people_say_them(value: float, text: str) -> None:
    """No needless fraction, with the unit."""
    assert describe_value(value, FIELDS[0]) == text
    assert plain_number(1500.0) == "1500"


REMARKS: list[tuple[list[float], list[Remark]]] = [
    ([50, 500, 1, 1, 1], []),
    ([0, 0, 0, 0, 0], []),
    ([100, 1e9, 2, 1, 2], []),
    ([50, math.nan, math.nan, 1, 1], [Remark("Income", "Income: missing"), Remark("Home", "Housing: missing")]),
    (
        [100.5, 500, 1, 1, 1],
        [Remark("Amount", "Amount of the loan is 100.5 EUR, above the documented maximum of 100")],
    ),
    ([50, -3, 1, 1, 1], [Remark("Income", "Income is -3, below the documented minimum of 0")]),
    ([50, 500, 1, 1, 2.25], [Remark(DEBT, "Debt to income is 2.25, above the documented maximum of 2")]),
]


@pytest.mark.parametrize(("row", "remarks"), REMARKS, ids=[f"{row}" for row, _ in REMARKS])
def test_gaps_and_values_out_of_bounds_are_remarked(
    row: list[float], remarks: list[Remark], fields: tuple[Field, ...]
) -> None:
    """A person should know of them; the bounds themselves are within."""
    applicant: Matrix = np.array(row, dtype=np.float64)

    assert warn(applicant, fields) == remarks
