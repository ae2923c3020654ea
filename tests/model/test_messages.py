"""Values in error messages."""

from __future__ import annotations

from typing import Any

import pytest

from model.contract import Field
from model.messages import describe_expected, quote_value, truncate

HOME = Field("h", "Home", "", "category", ("own", "rent"), None, None, True, "why")
INCOME = Field("i", "Income", "EUR", "number", (), None, None, True, "why")
RATIO = Field("r", "Ratio", "", "number", (), None, None, True, "why")


@pytest.mark.parametrize(
    ("field", "expected"), [(HOME, "one of: own, rent"), (INCOME, "a number in EUR"), (RATIO, "a number")]
)
def test_what_is_expected_follows_the_kind_of_the_field(field: Field, expected: str) -> None:
    """Levels of a category, unit of a number."""
    assert describe_expected(field) == expected


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("a", "'a'"),
        (1.5, "1.5"),
        (True, "true"),
        (None, "None"),
        ([1], "a list"),
        ({}, "an object"),
        ("x" * 200, f"'{'x' * 99}…"),
    ],
)
def test_values_are_quoted_in_at_most_100_characters(value: Any, quoted: str) -> None:
    """Lists and objects are only named."""
    assert quote_value(value) == quoted


def test_only_longer_texts_are_truncated() -> None:
    """An ellipsis stands for the rest."""
    assert (truncate("abc", 3), truncate("abcd", 3)) == ("abc", "abc…")
