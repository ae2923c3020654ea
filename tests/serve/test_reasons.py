"""Reasons in words: at most so many, only what raised the risk, the largest first."""

from __future__ import annotations

from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.contract import Field
from serve.model import Model
from serve.reasons import describe_value, name_reasons, plain_number

FIELDS = [
    Field("a", "Age of car", "years", "number", (), None, None, True, "Old car"),
    Field("b", "Home", "", "category", ("own", "rent"), None, None, True, "Rented home"),
    Field("c", "Income", "EUR", "number", (), None, None, True, "Low income"),
]
ADDITIVITY = 1e-9


def test_only_what_raised_the_risk_is_a_reason_and_the_largest_comes_first() -> None:
    """A field that lowered the risk is no reason for a refusal."""
    reasons = name_reasons(np.array([3.0, 1.0, 900.0]), np.array([0.1, 0.7, -2.0]), FIELDS, 4)

    assert [("b", "rent", 0.7, "Rented home"), ("a", "3 years", 0.1, "Old car")] == [
        (reason.field, reason.value, reason.contribution, reason.text) for reason in reasons
    ]


def test_a_missing_value_is_told_as_missing() -> None:
    """'Low income' would be wrong of an income that nobody knows."""
    (reason,) = name_reasons(np.array([1.0, 0.0, np.nan]), np.array([-1.0, 0.0, 0.5]), FIELDS, 4)

    assert ("missing", "Income: missing") == (reason.value, reason.text)


@given(contributions=st.lists(st.floats(-5, 5), min_size=3, max_size=3), most=st.integers(0, 5))
def test_there_are_never_more_than_asked_for(contributions: list[float], most: int) -> None:
    """Sorted, positive, at most `most`."""
    reasons = name_reasons(np.array([1.0, 1.0, 1.0]), np.array(contributions), FIELDS, most)

    given_order = [reason.contribution for reason in reasons]
    assert sorted(given_order, reverse=True) == given_order
    assert len(given_order) == min(most, sum(value > 0 for value in contributions))
    assert all(value > 0 for value in given_order)


@pytest.mark.parametrize(
    ("value", "text"), [(2.0, "2 years"), (0.25, "0.25 years"), (1e30, "1e+30 years"), (float("nan"), "missing")]
)
def test_values_are_said_as_people_say_them(value: float, text: str) -> None:
    """No needless fraction, with the unit."""
    assert text == describe_value(value, FIELDS[0])
    assert "1500" == plain_number(1500.0)


def test_the_service_gives_four_reasons_unless_asked_otherwise(client: httpx.Client, named: dict[str, Any]) -> None:
    """`reasons` says how many; 0 gives none."""
    for asked, most in (({}, 4), ({"reasons": 1}, 1), ({"reasons": 0}, 0)):
        result = client.post("/score", json={"applicants": [named], **asked}).json()["results"][0]
        assert len(result["reasons"]) <= most
        assert all(["field", "label", "value", "contribution", "text"] == list(reason) for reason in result["reasons"])


@pytest.mark.parametrize("reasons", [-1, 1.5, "4", None])
def test_a_number_of_reasons_that_is_none_is_refused(
    client: httpx.Client, named: dict[str, Any], reasons: object
) -> None:
    """400, with its place."""
    answer = client.post("/score", json={"applicants": [named], "reasons": reasons})

    assert 400 == answer.status_code
    assert "/reasons" == answer.json()["errors"][0]["pointer"]


def test_contributions_and_base_value_rebuild_the_probability(
    model: Model, client: httpx.Client, named: dict[str, Any]
) -> None:
    """What /score tells and what the graph holds is one arithmetic: log-odds = base value + contributions."""
    matrix = np.array([[45.5, 320.0, 1.0, 1.0, 0.75]])
    scores = model.score(matrix, explain=True)
    answer = client.post("/score", json={"applicants": [named]}).json()["results"][0]

    log_odds = model.contract.base_value + float(scores.contributions.sum())

    assert pytest.approx(1 / (1 + np.exp(-log_odds)), abs=ADDITIVITY) == answer["probability"]
    assert {reason["contribution"] for reason in answer["reasons"]} <= set(scores.contributions[0].tolist())
