"""Inference of a card from a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from train.card_inference import Choices, infer_card, round_out
from train.column_roles import MAX_LEVELS
from train.table import read_table


def test_kinds_levels_and_missing_values_are_inferred(write_table: Callable[..., Path]) -> None:
    """Kind, levels and nullable of each column; target and id are no fields."""
    card = infer_card(read_table(write_table()), Choices("outcome", "number"))

    assert {name: field.kind for name, field in card.fields.items()} == {
        "income": "number",
        "amount": "number",
        "home": "category",
        "is_client": "category",
    }
    assert {name for name, field in card.fields.items() if field.nullable} == {"income", "home"}
    assert card.fields["home"].levels == ("other", "own", "rent")
    assert card.fields["is_client"].levels == ("False", "True")
    assert card.dataset.default == "1"


def test_a_text_with_too_many_values_is_no_input(write_table: Callable[..., Path]) -> None:
    """It is in the card with use = false."""
    path = write_table(name=[f"person {i}" for i in range(300)])

    card = infer_card(read_table(path), Choices("outcome", "number"))

    assert MAX_LEVELS < 300
    assert "name" in card.fields
    assert "name" not in card.inputs


@given(value=st.floats(-1e12, 1e12).filter(lambda value: abs(value) > 1e-9))
def test_bounds_are_rounded_outwards_to_one_digit(value: float) -> None:
    """The bounds enclose the value and have one significant digit."""
    low, high = round_out(value, down=True), round_out(value, down=False)

    assert low <= value <= high
    assert all(float(f"{bound:.1g}") == bound for bound in (low, high))
