"""The rules of a card: what they become in the contract, and the faults that are named."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from model.inputs import Input
from model.rules import Compares, IsMissing, IsOneOf, Joined, Rule
from train.card import Card, format_card, read_card
from train.errors import TrainingError
from train.policy import make_policy

CARD = """
[dataset]
name = "t"
path = "t.csv"
target = "y"
default = 1

[policy]
cost_default = 5.0
cost_good = 1.0

%s

[fields.Amount]
label = "Amount"
kind = "number"
reason = "High amount"
missing = [-1.0]

[fields.Age]
label = "Age"
kind = "number"
use = false

[fields.Income]
label = "Income"
kind = "number"
nullable = true
reason = "Low income"

[fields.Home]
label = "Home"
kind = "category"
levels = ["own", "rent"]
reason = "Home"
"""

HEAD = '[[policy.rules]]\nname = "Large"\ndecision = "review"\nreason = "A large loan"\n'
RULES = (
    HEAD
    + """date = 2026-11-01
any = [
  { field = "Amount", above = { times = 5, field = "Income" } },
  { all = [ { field = "Home", in = ["rent"] }, { field = "Amount", at_least = 100, below = 200 } ] },
  { field = "Income", missing = true },
]

[[policy.rules]]
name = "Levels"
decision = "refuse"
reason = "Another home"
all = [ { field = "Home", not_in = ["own"] }, { field = "Income", in = [1, 2.5] } ]
"""
)
AMOUNT, INCOME, HOME = Input("Amount", 0, (-1.0,)), Input("Income", 1), Input("Home", 2)


def read(rules: str, folder: Path) -> Card:
    """The card with these rules."""
    path = folder / "card.toml"
    path.write_text(CARD % rules)
    return read_card(path)


def test_names_become_columns_and_levels_their_indices(tmp_path: Path) -> None:
    """Columns are those of the model's inputs, without protected fields; several tests of a field must all hold."""
    card = read(RULES, tmp_path)

    large, levels = make_policy(card.policy, card.inputs).rules

    between = Joined("all", (Compares(AMOUNT, "below", 200.0), Compares(AMOUNT, "at_least", 100.0)))
    assert large == Rule(
        "Large",
        "review",
        "A large loan",
        Joined(
            "any",
            (
                Compares(AMOUNT, "above", 5.0, times=INCOME),
                Joined("all", (IsOneOf(HOME, (1.0,)), between)),
                IsMissing(INCOME),
            ),
        ),
        datetime.date(2026, 11, 1),
    )
    assert levels.when == Joined("all", (IsOneOf(HOME, (0.0,), negated=True), IsOneOf(INCOME, (1.0, 2.5))))


def test_a_card_with_rules_and_money_reads_back_the_same(tmp_path: Path) -> None:
    """read_card inverts format_card; dates stay dates."""
    card = read(RULES, tmp_path)
    copy = tmp_path / "copy.toml"
    copy.write_bytes(format_card(card))

    assert read_card(copy) == card
    assert "date = 2026-11-01\n" in copy.read_text()


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ("", "has neither all nor any, or an empty list; give one of all"),
        ("all = []", "has neither all nor any"),
        ("all = [{ field = 'Income', below = 1 }]\nany = [{ field = 'Income', below = 1 }]", "has both all and any"),
        ("all = [{}]", "in a condition without a field"),
        ("all = [{ field = 'Income', all = [{ field = 'Income', below = 1 }] }]", "write them as two conditions"),
        ("all = [{ field = 'Income' }]", "without a test; give one of below, at_most, above, at_least, in, not_in"),
        ("all = [{ field = 'Salary', below = 1 }]", "refers to 'Salary', which is no input of the model"),
        ("all = [{ field = 'Age', below = 18 }]", "such as protected ones, decide nothing"),
        ("all = [{ field = 'Home', below = 1 }]", "'Home' is a category; of a category test in or not_in"),
        ("all = [{ field = 'Income', below = { times = 2, field = 'Home' } }]", "needs a number, and 'Home'"),
        ("all = [{ field = 'Income', below = { times = 2, field = 'Age' } }]", "refers to 'Age'"),
        ("all = [{ field = 'Income', below = nan }]", "compares 'Income' with nan, expected a number within"),
        ("all = [{ field = 'Income', below = 1e200 }]", "expected a number within ±1e+100"),
        (f"all = [{{ field = 'Income', below = {10**400} }}]", "expected a number within ±1e+100"),
        (f"all = [{{ field = 'Income', in = [{10**400}] }}]", "expected numbers within ±1e+100"),
        ("all = [{ field = 'Income', in = [1, 9007199254740993] }]", "it would be 9007199254740992; write that one"),
        ("all = [{ field = 'Income', not_in = [-9007199254740993] }]", "the number -9007199254740993, which a float64"),
        ("all = [{ field = 'Income', above = 9007199254740993 }]", "the number 9007199254740993, which a float64"),
        ("all = [{ field = 'Income', above = { times = 9007199254740993, field = 'Amount' } }]", "which a float64"),
        ("all = [{ field = 'Home', in = [] }]", "has an empty list for 'Home'"),
        ("all = [{ field = 'Home', in = ['rents'] }]", "names 'rents' for 'Home', expected own, rent"),
        ("all = [{ field = 'Income', in = ['1'] }]", "names '1' for 'Income', expected numbers"),
        ("all = [{ field = 'Amount', in = [-1] }]", "means a missing value there; write missing = true"),
        ("all = [{ field = 'Income', missing = false }]", "Invalid enum value"),
        ("all = [{ field = 'Income', over = 1 }]", "unknown field `over` - at `$.policy.rules[0].all[0]`"),
        ("all = [{ field = 'Income', below = '1' }]", "at `$.policy.rules[0].all[0].below`"),
    ],
)
def test_a_fault_in_a_condition_is_named(tmp_path: Path, conditions: str, message: str) -> None:
    """With the rule, what was found, and what to write instead."""
    with pytest.raises(TrainingError) as caught:
        make_policy((card := read(HEAD + conditions, tmp_path)).policy, card.inputs)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (HEAD.replace("Large", ""), "Expected `str` of length >= 1"),
        (HEAD.replace("Large", "x" * 81), "at most 80 characters in one line"),
        (HEAD.replace("A large loan", "x" * 201), "at most 200 characters in one line"),
        (HEAD.replace("A large", "A\\nlarge"), "in one line"),
        (HEAD.replace("Large", "Large; old"), "has a semicolon in its name"),
        (HEAD.replace("review", "accept"), "`$.policy.rules[0].decision`, expected review or refuse; its keys"),
        (HEAD.replace("A large loan", ""), "Expected `str` of length >= 1"),
        (HEAD + "date = 'today'\n", "at `$.policy.rules[0].date`"),
        (HEAD + "all = [{ field = 'Income', below = 1 }]\n" + HEAD, "has two rules named 'Large'"),
    ],
)
def test_a_fault_in_a_rule_is_named(tmp_path: Path, head: str, message: str) -> None:
    """Names and reasons are in answers, records and tables."""
    with pytest.raises(TrainingError) as caught:
        make_policy((card := read(head + "all = [{ field = 'Income', below = 1 }]", tmp_path)).policy, card.inputs)

    assert message in str(caught.value)
