"""Values in error messages."""

from __future__ import annotations

import math
from typing import Any

import pytest
from msgspec import structs

from model.contract import Field
from model.messages import describe_expected, describe_limit, quote_value, truncate

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
    ("lowest", "highest", "number", "expected"),
    [
        (None, None, -1e101, "within ±1e+100"),
        (0.5, None, 1e101, "within ±1e+100"),
        (math.nextafter(-1, 0), None, -1.0, "greater than -1"),
        (5e-324, None, 0.0, "greater than 0"),
        (-0.0, None, -3.0, "of at least 0"),
        (300.0, 850.0, 299.5, "of at least 300"),
        (300.0, 850.0, 10**400, "of at most 850"),
        (None, math.nextafter(1, 0), 1.0, "less than 1"),
        (None, 709.782712893384, 710.0, "of at most 709.782712893384"),
    ],
)
def test_a_limit_is_told_in_as_few_digits_as_possible(
    lowest: float | None, highest: float | None, number: float, expected: str
) -> None:
    """By the number itself, or by the next one, which is refused."""
    assert describe_limit(structs.replace(RATIO, lowest=lowest, highest=highest), number) == expected


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
