"""Rows at the limits of rules: each edit of a rule decides another way on one of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from msgspec import structs

from model.policy import Points, Policy
from model.rules import Compares, Condition, IsMissing, IsOneOf, Joined, Rule
from tests.model.policies import AMOUNT, FIELDS, HOME, INCOME
from train.export.golden import N_RULE_BASES, draw_applicants
from train.export.rule_rows import MAX_GOLDEN_ROWS, choose_rule_rows, draw_rule_rows

POLICY = Policy(
    5.0,
    1.0,
    None,
    0.2,
    0.2,
    Points(),
    rules=(
        Rule("multiple", "refuse", "r", Compares(AMOUNT, "above", 3.0, times=INCOME)),
        Rule("level", "review", "r", Joined("all", (IsOneOf(HOME, (1.0, 2.0)), Compares(INCOME, "below", 100.0)))),
        Rule("missing", "refuse", "r", Joined("any", (IsMissing(AMOUNT), Compares(INCOME, "at_least", 800.0)))),
        Rule("beyond the bounds", "refuse", "r", Compares(AMOUNT, "at_most", -250.0)),
    ),
)
BASES = draw_applicants(list(FIELDS), N_RULE_BASES, 3)


def list_edits(condition: Condition) -> Iterator[Condition]:
    """The condition with one of its tests edited a little."""
    if isinstance(condition, Joined):
        yield structs.replace(condition, join="any" if condition.join == "all" else "all")
        for place, part in enumerate(condition.parts):
            for edited in list_edits(part):
                yield structs.replace(
                    condition, parts=(*condition.parts[:place], edited, *condition.parts[place + 1 :])
                )
    elif isinstance(condition, Compares):
        for limit in (condition.value * 0.9, condition.value * 1.1):
            yield structs.replace(condition, value=limit)
        strict = {"above": "at_least", "at_least": "above", "below": "at_most", "at_most": "below"}
        yield structs.replace(condition, comparison=strict[condition.comparison])
    elif isinstance(condition, IsOneOf):
        yield structs.replace(condition, negated=True)
        for value in condition.values if len(condition.values) > 1 else ():
            yield structs.replace(condition, values=tuple(one for one in condition.values if one != value))
    else:
        yield structs.replace(condition, input=INCOME)


def no_risk(rows: np.ndarray) -> np.ndarray:
    """Everybody would be accepted without rules."""
    return np.zeros(len(rows))


@pytest.mark.parametrize("number", range(len(POLICY.rules)), ids=lambda number: POLICY.rules[number].name)
def test_every_edit_of_a_rule_changes_a_decision(number: int) -> None:
    """Of limits, comparisons, levels, all and any, and the decision: such a file is refused when it is loaded."""
    rows = choose_rule_rows(POLICY, FIELDS, BASES, no_risk)
    decision, rule = POLICY.decide(no_risk(rows), rows), POLICY.rules[number]
    edits = [structs.replace(rule, when=edited) for edited in list_edits(rule.when)]
    edits.append(structs.replace(rule, decision="review" if rule.decision == "refuse" else "refuse"))

    for edit in edits:
        edited = structs.replace(POLICY, rules=(*POLICY.rules[:number], edit, *POLICY.rules[number + 1 :]))
        assert (edited.decide(no_risk(rows), rows) != decision).any(), edit


def test_rows_of_the_proof_are_at_the_limit_and_one_step_beside_it() -> None:
    """Missing, and by each code, too; every field takes them."""
    rows = draw_rule_rows(POLICY.rules[:1], FIELDS, BASES[1:2])

    limit = 3.0 * rows[0, 1]
    np.testing.assert_array_equal(
        rows[:, 0], [limit, np.nextafter(limit, np.inf), np.nextafter(limit, -np.inf), np.nan, -1.0, 999.0]
    )
    limited = [structs.replace(field, lowest=0.0, nullable=False) for field in FIELDS]
    drawn = draw_rule_rows(POLICY.rules, limited, np.nan_to_num(BASES, nan=1.0))
    assert all(field.takes(value) for field, column in zip(limited, drawn.T, strict=True) for value in column.tolist())


def test_many_rules_have_few_golden_rows() -> None:
    """So that a file stays small and loads fast; without rules there are none."""
    many = structs.replace(POLICY, rules=POLICY.rules * 15)

    assert len(choose_rule_rows(many, FIELDS, BASES, no_risk)) == MAX_GOLDEN_ROWS
    assert len(choose_rule_rows(structs.replace(POLICY, rules=()), FIELDS, BASES, no_risk)) == 0
