"""The champion's applicants as a challenger takes them: by the names of fields and levels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from model.contract import Field
from model.field_map import FieldMap, UnfitChallenger

NAN = float("nan")


def number(name: str, *, nullable: bool = False, lowest: float | None = None) -> Field:
    """A number."""
    return Field(name, name, "", "number", (), None, None, nullable, name, lowest=lowest)


def category(name: str, *levels: str, nullable: bool = False) -> Field:
    """A category."""
    return Field(name, name, "", "category", levels, None, None, nullable, name)


CHAMPION = (number("Amount"), category("Home", "own", "rent", "other", nullable=True), number("Income", nullable=True))


def name_values(fields: tuple[Field, ...], row: list[float]) -> dict[str, float | str | None]:
    """A row by name, a category as its level."""
    return {
        field.name: None if np.isnan(value) else field.levels[int(value)] if field.levels else value
        for field, value in zip(fields, row, strict=True)
    }


@given(st.data())
def test_fields_and_levels_keep_their_names(data: st.DataObject) -> None:
    """Whatever their order and number: each row says the same of the fields that the challenger has."""
    given_levels = [data.draw(st.lists(st.text(max_size=3), min_size=1, max_size=5, unique=True)) for _ in range(3)]
    champion = (number("a"), *(category(f"c{k}", *levels) for k, levels in enumerate(given_levels)), number("b"))
    champion = tuple(replace(field, nullable=True) for field in champion)
    chosen = data.draw(st.permutations(champion))[: data.draw(st.integers(1, 5))]
    challenger = tuple(replace(field, levels=tuple(data.draw(st.permutations(field.levels)))) for field in chosen)
    values = [
        st.one_of(st.just(NAN), st.integers(0, max(0, len(field.levels) - 1)) if field.levels else st.floats(-1e9, 1e9))
        for field in champion
    ]
    rows = np.array(data.draw(st.lists(st.tuples(*values), min_size=1, max_size=5)), np.float64)

    fields = FieldMap(champion, challenger)
    mapped = fields.map(rows)

    for before, after in zip(rows.tolist(), mapped.tolist(), strict=True):
        named = name_values(champion, before)
        assert name_values(challenger, after) == {field.name: named[field.name] for field in challenger}
    assert fields.find_taken(mapped).all()
    assert fields.unknown == []


def test_a_field_that_the_champion_lacks_is_refused() -> None:
    """The message names it, what there is, and what to do."""
    expected = r"its field 'Age' is none of the champion's, expected some of these: Amount, Home, Income; train it"
    with pytest.raises(UnfitChallenger, match=expected):
        FieldMap(CHAMPION, [number("Amount"), number("Age")])


def test_a_field_of_another_kind_is_refused() -> None:
    """A category's index is no number."""
    with pytest.raises(UnfitChallenger, match="its field 'Home' is a number, expected a category as at the champion"):
        FieldMap(CHAMPION, [number("Home")])


def test_a_category_without_common_levels_is_refused() -> None:
    """Each applicant would be skipped."""
    expected = "its field 'Home' has none of the champion's levels, expected some of these: own, rent, other"
    with pytest.raises(UnfitChallenger, match=expected):
        FieldMap(CHAMPION, [category("Home", "1", "2", "3")])


def test_applicants_that_it_does_not_take_are_found() -> None:
    """A level it doesn't know, a value it needs, a number beyond its limits; further levels of its own don't matter."""
    challenger = [category("Home", "rent", "new", "own", nullable=True), number("Income", lowest=1.0)]
    fields = FieldMap(CHAMPION, challenger)
    rows = np.array([[1, 0, 5], [1, 1, 1], [1, 2, 5], [1, NAN, 5], [1, 0, NAN], [NAN, 0, 0.5], [1, 0, np.inf]])

    mapped = fields.map(rows)

    assert fields.unknown == ["Home=other"]
    assert mapped[:2].tolist() == [[2, 5], [0, 1]]
    assert fields.find_taken(mapped).tolist() == [True, True, False, True, False, False, False]
    assert rows[0].tolist() == [1, 0, 5]
