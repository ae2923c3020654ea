"""Rules: what holds for which applicant; a rule makes a decision stricter, never milder."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import json, structs

from model.inputs import Matrix
from model.policy import Policy
from model.rules import Compares, Condition, IsMissing, IsOneOf, Joined, Rule, find_inputs
from tests.model.policies import AMOUNT, HOME, INCOME, applicants, conditions, policies, probabilities

LARGE = Compares(AMOUNT, "above", 15.0, times=INCOME)
RENTS = IsOneOf(HOME, (1.0,))


def holds(condition: Condition, amount: float = 100.0, income: float = 10.0, home: float = 0.0) -> bool:
    """For one applicant."""
    return bool(condition.holds(np.array([[amount, income, home]]))[0])


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        ("below", [True, False, False]),
        ("at_most", [True, True, False]),
        ("above", [False, False, True]),
        ("at_least", [False, True, True]),
    ],
)
def test_comparisons_at_their_limit(comparison: str, expected: list[bool]) -> None:
    """One number below 100, 100 itself, and one above."""
    limit = Compares(AMOUNT, comparison, 100.0)  # type: ignore[arg-type]

    assert [holds(limit, amount) for amount in (99.0, 100.0, 101.0)] == expected


def test_a_multiple_of_another_input() -> None:
    """150 isn't above 15 × 10; 151 is."""
    assert [holds(LARGE, amount) for amount in (150.0, 151.0)] == [False, True]


def test_nothing_holds_for_a_missing_value_but_the_question_for_it() -> None:
    """Missing itself, by a code, or in the multiple; also the negated membership doesn't hold."""
    missing, nan = IsMissing(AMOUNT), np.nan
    for amount in (nan, -1.0, 999.0):
        assert holds(missing, amount)
        assert not holds(LARGE, amount)
        assert not holds(Compares(AMOUNT, "below", 0.0), amount)
        assert not holds(IsOneOf(AMOUNT, (-1.0, 999.0)), amount)
    assert not holds(missing)
    assert not holds(LARGE, income=nan)
    assert not holds(IsOneOf(HOME, (1.0,), negated=True), home=nan)
    assert holds(IsOneOf(HOME, (1.0,), negated=True), home=2.0)


def test_all_and_any() -> None:
    """Nested as deep as the card has them."""
    both, either = Joined("all", (LARGE, RENTS)), Joined("any", (LARGE, RENTS))

    assert [holds(both, 151.0, home=home) for home in (0.0, 1.0)] == [False, True]
    assert [holds(either, amount) for amount in (150.0, 151.0)] == [False, True]
    assert holds(Joined("any", (Joined("all", (LARGE, RENTS)), IsMissing(INCOME))), income=np.nan)


def test_the_inputs_of_a_condition_in_its_order_each_once() -> None:
    """Also those that are multiplied."""
    assert find_inputs(Joined("all", (LARGE, RENTS, LARGE))) == [AMOUNT, INCOME, HOME]


@given(policy=policies, people=applicants(), data=st.data())
def test_a_rule_makes_no_decision_milder(policy: Policy, people: Matrix, data: st.DataObject) -> None:
    """Where none holds, the decision is that of the policy; where one does, it is at least the rule's."""
    probability = np.full(len(people), data.draw(probabilities))
    plain = structs.replace(policy, rules=()).decide(probability, people)
    least = [np.where(rule.when.holds(people), rule.index, 0) for rule in policy.rules]

    assert policy.decide(probability, people).tolist() == np.max([plain, *least], axis=0).tolist()


@given(condition=conditions)
def test_a_rule_is_the_same_in_the_file(condition: Condition) -> None:
    """As JSON in the contract, with its date."""
    rule = Rule("name", "refuse", "reason", condition, date(2026, 11, 1))

    assert json.decode(json.encode(rule), type=Rule) == rule
