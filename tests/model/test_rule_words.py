"""Rules in words."""

from __future__ import annotations

import pytest

from model.rule_words import describe_condition
from model.rules import Compares, Condition, IsMissing, IsOneOf, Joined
from tests.model.policies import AMOUNT, FIELDS, HOME, INCOME

LARGE = Compares(AMOUNT, "above", 15.0, times=INCOME)
RENTS = IsOneOf(HOME, (1.0,))


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (LARGE, "Amount above 15 × Income"),
        (Compares(AMOUNT, "at_most", 1.0, times=INCOME), "Amount at most Income"),
        (Compares(AMOUNT, "below", 2500.0), "Amount below 2500 EUR"),
        (Compares(AMOUNT, "at_least", 1234567.25), "Amount at least 1234567.25 EUR"),
        (RENTS, "Home is rent"),
        (IsOneOf(HOME, (1.0,), negated=True), "Home is not rent"),
        (IsOneOf(HOME, (1.0, 2.0)), "Home is one of rent, other"),
        (IsOneOf(AMOUNT, (1.0, 2.5), negated=True), "Amount is none of 1, 2.5"),
        (IsMissing(INCOME), "Income is missing"),
        (
            Joined("any", (LARGE, Joined("all", (RENTS, IsMissing(INCOME))))),
            "Amount above 15 × Income or (Home is rent and Income is missing)",
        ),
    ],
)
def test_conditions_in_words(condition: Condition, words: str) -> None:
    """By the labels, units and levels of the fields; no digit of a limit is lost."""
    assert describe_condition(condition, FIELDS) == words
