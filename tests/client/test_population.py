"""Where a value stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.answers import Applicant, Field, Value
from client.population import Standing, population_of

NUMBER, LEVEL = Field("n", "N", "number"), Field("c", "C", "category", levels=("a", "b"))
ROWS: list[Applicant] = [{"n": n, "c": c} for n, c in ((1.0, "a"), (2.0, "a"), (2.0, "b"), (5.0, None), (None, None))]


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        (2.0, NUMBER, Standing(0.25, 0.5)),
        (0.0, NUMBER, Standing(0.0, 0.0)),
        (9.0, NUMBER, Standing(1.0, 0.0)),
        (None, NUMBER, Standing(0.0, 0.2)),
        ("text", NUMBER, Standing(0.0, 0.0)),
        ("a", LEVEL, Standing(0.0, 2 / 3)),
        ("z", LEVEL, Standing(0.0, 0.0)),
        (None, LEVEL, Standing(0.0, 0.4)),
    ],
)
def test_a_value_stands_among_those_that_are_known(value: Value, field: Field, expected: Standing) -> None:
    """A gap among all."""
    assert expected == population_of(ROWS, [NUMBER, LEVEL]).stand(value, field)


def test_nobody_stands_among_none() -> None:
    """No division by zero."""
    nobody = population_of([], [NUMBER, LEVEL])

    assert [Standing(0.0, 0.0)] * 3 == [nobody.stand(1.0, NUMBER), nobody.stand("a", LEVEL), nobody.stand(None, LEVEL)]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.floats(allow_nan=False))
def test_a_rank_is_a_share(numbers: list[float], value: float) -> None:
    """Never outside 0 to 1, and the same as counting."""
    place = population_of([{"n": number} for number in numbers], [NUMBER]).stand(value, NUMBER)

    assert sum(number < value for number in numbers) / len(numbers) == pytest.approx(place.below)
    assert 0 <= place.rank <= 1
