"""Reasons and warnings in words."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract import Field
from model.reasons import FieldWarning, describe_value, find_warnings, name_reasons, plain_number
from model.session import Matrix

FIELDS = [
    Field("a", "Age of car", "years", "number", (), None, None, True, "Old car"),
    Field("b", "Home", "", "category", ("own", "rent"), None, None, True, "Rented home"),
    Field("c", "Income", "EUR", "number", (), None, None, True, "Low income"),
]
DEBT = "Debt/Income~12m"


def test_fields_that_raised_the_risk_are_reasons_largest_first() -> None:
    """A field that lowered the risk is not a reason."""
    reasons = name_reasons(np.array([3.0, 1.0, 900.0]), np.array([0.1, 0.7, -2.0]), FIELDS, 4)

    assert [(reason.field, reason.value, reason.contribution, reason.text) for reason in reasons] == [
        ("b", "rent", 0.7, "Rented home"),
        ("a", "3 years", 0.1, "Old car"),
    ]


def test_the_reason_of_a_missing_value_says_so() -> None:
    """'Low income' would be wrong for an unknown income."""
    (reason,) = name_reasons(np.array([1.0, 0.0, np.nan]), np.array([-1.0, 0.0, 0.5]), FIELDS, 4)

    assert (reason.value, reason.text) == ("missing", "Income: missing")


@given(contributions=st.lists(st.floats(-5, 5), min_size=3, max_size=3), max_reasons=st.integers(0, 5))
def test_there_are_at_most_max_reasons(contributions: list[float], max_reasons: int) -> None:
    """Positive contributions in descending order, as many as there are up to the maximum."""
    reasons = name_reasons(np.array([1.0, 1.0, 1.0]), np.array(contributions), FIELDS, max_reasons)

    found = [reason.contribution for reason in reasons]
    assert found == sorted(found, reverse=True)
    assert len(found) == min(max_reasons, sum(value > 0 for value in contributions))
    assert all(value > 0 for value in found)


@pytest.mark.parametrize(
    ("value", "text"), [(2.0, "2 years"), (0.25, "0.25 years"), (1e30, "1e+30 years"), (float("nan"), "missing")]
)
def test_values_in_words_have_a_unit_and_no_needless_fraction(value: float, text: str) -> None:
    """A missing value is called missing."""
    assert describe_value(value, FIELDS[0]) == text
    assert plain_number(1500.0) == "1500"


WARNINGS: list[tuple[list[float], list[FieldWarning]]] = [
    ([50, 500, 1, 1, 1], []),
    ([0, 0, 0, 0, 0], []),
    ([100, 1e9, 2, 1, 2], []),
    (
        [50, math.nan, math.nan, 1, 1],
        [FieldWarning("Income", "Income: missing"), FieldWarning("Home", "Housing: missing")],
    ),
    (
        [100.5, 500, 1, 1, 1],
        [FieldWarning("Amount", "Amount of the loan is 100.5 EUR, above the documented maximum of 100")],
    ),
    ([50, -3, 1, 1, 1], [FieldWarning("Income", "Income is -3, below the documented minimum of 0")]),
    ([50, 500, 1, 1, 2.25], [FieldWarning(DEBT, "Debt to income is 2.25, above the documented maximum of 2")]),
]


@pytest.mark.parametrize(("row", "warnings"), WARNINGS, ids=[f"{row}" for row, _ in WARNINGS])
def test_missing_values_and_values_out_of_bounds_are_warned_of(
    row: list[float], warnings: list[FieldWarning], fields: tuple[Field, ...]
) -> None:
    """Values equal to a bound are within it."""
    applicant: Matrix = np.array(row, dtype=np.float64)

    assert find_warnings(applicant, fields) == warnings
