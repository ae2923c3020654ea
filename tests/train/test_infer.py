"""A card inferred from a table nobody has described."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.infer import MOST_LEVELS, infer_card, round_out
from train.table import read_table


def test_kinds_levels_and_gaps_are_what_the_table_shows(write_table: Callable[..., Path]) -> None:
    """Numbers, texts, booleans and gaps are told apart; target and id are no fields."""
    card = infer_card(read_table(write_table()), "outcome", "number", None)

    assert {"income": "number", "amount": "number", "home": "category", "is_client": "category"} == {
        name: field.kind for name, field in card.fields.items()
    }
    assert {"income", "home"} == {name for name, field in card.fields.items() if field.nullable}
    assert ("other", "own", "rent") == card.fields["home"].levels
    assert ("False", "True") == card.fields["is_client"].levels
    assert "1" == card.dataset.default


def test_a_text_with_too_many_values_is_described_and_not_used(write_table: Callable[..., Path]) -> None:
    """Names, dates and free texts would be learned by heart."""
    path = write_table(name=[f"person {i}" for i in range(300)])

    card = infer_card(read_table(path), "outcome", "number", None)

    assert MOST_LEVELS < 300
    assert "name" in card.fields
    assert "name" not in card.inputs


@given(value=st.floats(-1e12, 1e12).filter(lambda value: abs(value) > 1e-9))
def test_bounds_are_rounded_outwards_to_one_digit(value: float) -> None:
    """The artifact publishes a round number that encloses the value, never the value of a person."""
    low, high = round_out(value, down=True), round_out(value, down=False)

    assert low <= value <= high
    assert all(float(f"{bound:.1g}") == bound for bound in (low, high))


@pytest.mark.parametrize(("words", "expected"), [(("good", "bad"), "bad"), (("No", "Yes"), "Yes"), ((0.0, 1.0), "1.0")])
def test_common_words_for_default_are_understood(
    write_table: Callable[..., Path], words: tuple[object, object], expected: str
) -> None:
    """Where one of the two values is plain, nobody has to say it."""
    card = infer_card(read_table(write_table(outcome=list(words) * 150)), "outcome", None, None)

    assert expected == card.dataset.default
