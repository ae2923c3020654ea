"""Counterfactuals: every proposal gives the promised decision, within bounds and for changeable fields only."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from model.changes import find_changes
from model.money import list_amounts
from model.policy import DECISIONS
from model.session import Matrix, Model

AMOUNT = 0
COLUMNS = {"Amount": 0, "Income": 1, "Home": 2, "Client": 3, "Debt/Income~12m": 4}
numbers = st.floats(0, 100)


@pytest.fixture(scope="module")
def open_model(model: Model) -> Model:
    """The model with Amount, Income (no upper bound) and Home changeable."""
    fields = tuple(
        structs.replace(field, changeable=field.name in ("Amount", "Income", "Home")) for field in model.contract.fields
    )
    return structs.replace(model, contract=structs.replace(model.contract, fields=fields))


def decide(model: Model, row: Matrix) -> int:
    """The decision on one row."""
    return int(model.score(row[None, :]).decision[0])


def parse(model: Model, field: str, text: str) -> float:
    """A proposed value as a cell of the matrix."""
    known = model.contract.fields[COLUMNS[field]]
    return float(known.levels.index(text)) if known.levels else float(text.split()[0])


@given(amount=st.floats(-50, 500), income=st.floats(-1e6, 1000), home=st.integers(0, 2), debt=st.floats(0, 2))
def test_every_proposal_gives_the_decision_it_promises(
    open_model: Model, amount: float, income: float, home: int, debt: float
) -> None:
    """The proposed value, put into the applicant's row, gives the proposed decision and lies within the bounds."""
    row = np.array([amount, income, float(home), 0.0, debt])
    decision = decide(open_model, row)

    for change in find_changes(open_model, row, decision):
        column = COLUMNS[change.field]
        changed = row.copy()
        changed[column] = parse(open_model, change.field, change.to)
        field = open_model.contract.fields[column]
        assert field.changeable
        assert change.decision == DECISIONS[decide(open_model, changed)]
        assert DECISIONS.index(change.decision) < decision
        assert field.minimum is None or changed[column] >= field.minimum
        assert field.maximum is None or changed[column] <= field.maximum


def test_a_number_is_changed_as_little_as_possible(open_model: Model) -> None:
    """99 % of the change doesn't improve the decision, and the proposed number has three digits."""
    row = np.array([100.0, 900.0, 1.0, 0.0, 1.9])
    decision = decide(open_model, row)
    assert DECISIONS[decision] == "refuse"

    (change,) = [change for change in find_changes(open_model, row, decision) if change.field == "Amount"]

    to = parse(open_model, "Amount", change.to)
    nearly = row.copy()
    nearly[AMOUNT] = row[AMOUNT] + 0.99 * (to - row[AMOUNT])
    assert decide(open_model, nearly) == decision
    assert float(f"{to:.3g}") == to


def test_every_proposal_has_the_amounts_after_the_change(money_model: Model, money_applicants: Matrix) -> None:
    """Of refusals by rules too; a model whose policy isn't in money gives none."""
    refused = [row for row in money_applicants if decide(money_model, row) == 2]

    changes = [(row, change) for row in refused for change in find_changes(money_model, row, 2)]

    for row, change in changes:
        loss, gain = 0.45 * row[COLUMNS["Income"]], 0.3 * row[COLUMNS["Income"]]
        p = change.probability
        expected = [p * loss, (1 - p) * gain - p * loss]
        assert [change.expected_loss, change.expected_profit] == list_amounts(np.array(expected))
    assert {change.field for _, change in changes} == {"Amount", "Debt/Income~12m"}


def test_a_field_that_is_not_changeable_is_never_proposed(model: Model) -> None:
    """No field of this model is changeable."""
    row = np.array([100.0, 0.0, 1.0, 0.0, 2.0])

    assert find_changes(model, row, decide(model, row)) == []


def test_no_change_of_a_missing_number_is_proposed(open_model: Model) -> None:
    """There is no smallest change from a missing value."""
    row = np.array([50.0, np.nan, 1.0, 0.0, 1.0])

    proposed = {change.field for change in find_changes(open_model, row, decide(open_model, row))}

    assert proposed == {"Amount", "Home"}
