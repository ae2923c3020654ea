"""What would change a refusal: proposals that hold, within bounds, along changeable fields alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from model.changes import find_changes
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
    """A proposed value back as a cell of the matrix."""
    known = model.contract.fields[COLUMNS[field]]
    return float(known.levels.index(text)) if known.levels else float(text.split()[0])


@given(amount=numbers, income=st.floats(0, 1000), home=st.integers(0, 2), debt=st.floats(0, 2))
def test_every_proposal_gives_the_decision_it_promises(
    open_model: Model, amount: float, income: float, home: int, debt: float
) -> None:
    """Put into the applicant's row, alone, it turns the decision; bounds and other fields are kept."""
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


def test_a_number_changes_no_more_than_it_must(open_model: Model) -> None:
    """One percent less of a change doesn't turn the decision, and the number has few digits."""
    row = np.array([100.0, 900.0, 1.0, 0.0, 1.9])
    decision = decide(open_model, row)
    assert DECISIONS[decision] == "refuse"

    (change,) = [change for change in find_changes(open_model, row, decision) if change.field == "Amount"]

    to = parse(open_model, "Amount", change.to)
    nearly = row.copy()
    nearly[AMOUNT] = row[AMOUNT] + 0.99 * (to - row[AMOUNT])
    assert decide(open_model, nearly) == decision
    assert float(f"{to:.3g}") == to


def test_a_field_that_cant_be_changed_is_never_proposed(model: Model) -> None:
    """The card marks none of this model's fields."""
    row = np.array([100.0, 0.0, 1.0, 0.0, 2.0])

    assert find_changes(model, row, decide(model, row)) == []


def test_a_missing_number_has_no_smallest_change(open_model: Model) -> None:
    """There is no distance from nothing; the other fields are tried all the same."""
    row = np.array([100.0, np.nan, 1.0, 0.0, 2.0])

    assert "Income" not in {change.field for change in find_changes(open_model, row, decide(open_model, row))}
