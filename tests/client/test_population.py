"""Rank of a value in a population."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.population import Rank, population_of
from client.responses import Applicant, Field, Value

NUMBER, LEVEL = Field("n", "N", "number"), Field("c", "C", "category", levels=("a", "b"))
ROWS: list[Applicant] = [{"n": n, "c": c} for n, c in ((1.0, "a"), (2.0, "a"), (2.0, "b"), (5.0, None), (None, None))]


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        (2.0, NUMBER, Rank(0.25, 0.5)),
        (0.0, NUMBER, Rank(0.0, 0.0)),
        (9.0, NUMBER, Rank(1.0, 0.0)),
        (None, NUMBER, Rank(0.0, 0.2)),
        ("text", NUMBER, Rank(0.0, 0.0)),
        ("a", LEVEL, Rank(0.0, 2 / 3)),
        ("z", LEVEL, Rank(0.0, 0.0)),
        (None, LEVEL, Rank(0.0, 0.4)),
    ],
)
def test_a_value_is_ranked_among_known_values(value: Value, field: Field, expected: Rank) -> None:
    """A missing value is compared with all applicants."""
    assert population_of(ROWS, [NUMBER, LEVEL]).rank(value, field) == expected


def test_an_empty_population_has_ranks_of_zero() -> None:
    """There is no division by zero."""
    empty = population_of([], [NUMBER, LEVEL])

    assert [empty.rank(1.0, NUMBER), empty.rank("a", LEVEL), empty.rank(None, LEVEL)] == [Rank(0.0, 0.0)] * 3


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.floats(allow_nan=False))
def test_a_rank_is_the_share_of_smaller_numbers(numbers: list[float], value: float) -> None:
    """Its midpoint is between 0 and 1."""
    rank = population_of([{"n": number} for number in numbers], [NUMBER]).rank(value, NUMBER)

    assert rank.below == pytest.approx(sum(number < value for number in numbers) / len(numbers))
    assert 0 <= rank.midpoint <= 1
