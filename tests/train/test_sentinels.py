"""Numbers that stand for a missing value, found in a column of numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.sentinels import describe_sentinels, find_sentinels

PLAIN = {float(number): 4 for number in range(500)}
"""500 numbers from 0 on."""


def as_floats(counts: Mapping[int, int] | Mapping[float, int]) -> dict[float, int]:
    """The same counts of float64 numbers."""
    return {float(number): rows for number, rows in counts.items()}


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (PLAIN | {9999: 100}, (9999,)),
        (PLAIN | {-999: 100}, (-999,)),
        (PLAIN | {-9999: 60, -999: 60, 99999: 60}, (-9999, -999, 99999)),
        (PLAIN | {-9: 120, -8: 40, -7: 900}, (-9, -8, -7)),
        (PLAIN | {-99: 120, -98: 40}, (-99, -98)),
        ({-float(day): 3 for day in range(10, 600)} | {365243: 300}, (365243,)),
        (PLAIN, ()),
        (PLAIN | {9999: 3}, ()),
        (PLAIN | {550: 100, 9998: 100}, ()),
        (dict.fromkeys(range(1000), 30), ()),
        (dict.fromkeys(range(-20, 20), 30), ()),
        ({-2: 30, -1: 30, 0: 30, 1: 30}, ()),
        ({0: 10, 999: 10}, ()),
        ({0: 10, 1: 10, 999: 10}, (999,)),
        ({0.5: 10, 1.5: 10, -9: 10}, (-9,)),
        ({-9: 10, 3: 10}, ()),
        ({}, ()),
    ],
)
def test_codes_are_frequent_and_far_from_all_other_numbers(
    counts: Mapping[float, int], expected: tuple[float, ...]
) -> None:
    """At both ends, several at once; a rare one, one among others, or one of two numbers is no code."""
    assert find_sentinels(as_floats(counts)) == expected


@given(
    numbers=st.dictionaries(st.integers(0, 300), st.integers(1, 50), min_size=3),
    codes=st.sets(st.sampled_from([-9999, -999, 9999, 365243]), min_size=1),
)
def test_every_code_is_found_whatever_the_others_are(numbers: dict[int, int], codes: set[int]) -> None:
    """Codes in a tenth of the rows, beside numbers from 0 to 300."""
    rows = max(2, sum(numbers.values()) // 10)

    assert find_sentinels(as_floats(numbers | dict.fromkeys(codes, rows))) == tuple(sorted(codes))


@given(st.lists(st.floats(-900, 900, allow_nan=False), min_size=1))
def test_numbers_without_nines_are_no_codes(values: list[float]) -> None:
    """Whatever their distribution, unless they are -7, -8 and -9."""
    numbers, counts = np.unique([value for value in values if value not in (-7, -8, -9)], return_counts=True)
    counted = dict(zip(numbers.tolist(), counts.tolist(), strict=True))

    assert not set(find_sentinels(counted)) - {-float(f"{nines}{last}") for nines in ("9", "99") for last in (7, 8, 9)}


def test_they_are_told_with_their_rows_and_the_range_of_all_others() -> None:
    """One sentence without an end."""
    assert describe_sentinels((), PLAIN) == ""
    assert describe_sentinels((9999,), PLAIN | {9999: 1200}) == (
        "9999 in 1,200 rows, all others from 0 to 499: most likely a code for a missing value"
    )
    assert describe_sentinels((-9, -8), PLAIN | {-9: 120, -8: 40}) == (
        "-9 in 120 rows, -8 in 40 rows, all others from 0 to 499: most likely codes for a missing value"
    )
