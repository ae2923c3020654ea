"""Facts of bins: what is published can't be subtracted from a field's totals to find a small bin."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.scorecard.facts import UNKNOWN, find_facts


def find_unknown(counts: list[int], weight: float = 1.0) -> list[int]:
    """The bins without facts, of fields with so many rows in each bin, a quarter of them defaults."""
    places = np.repeat(np.arange(len(counts)), counts)
    facts, value = find_facts(places, len(counts), np.arange(len(places)) % 4 // 3, np.full(len(places), weight))
    unknown = [number for number, one in enumerate(facts) if one == UNKNOWN]
    assert (value is None) == bool(unknown)
    return unknown


@pytest.mark.parametrize(
    ("counts", "weight", "unknown"),
    [
        ([100, 40, 60], 1, []),
        ([100, 5, 60, 40], 1, [1, 3]),
        ([100, 5, 60, 0], 1, [1, 2]),
        ([100, 12, 60, 8], 1, [1, 3]),
        ([100, 12, 60, 7], 1, [1, 2, 3]),
        ([100, 30, 0], 0.5, [0, 1]),
        ([7, 0], 1, [0]),
    ],
)
def test_a_small_bin_hides_another(counts: list[int], weight: float, unknown: list[int]) -> None:
    """If small bins together have fewer than 20 rows or people; empty ones are known to be."""
    assert find_unknown(counts, weight) == unknown


@given(counts=st.lists(st.integers(0, 60), min_size=2, max_size=6).filter(sum))
def test_hidden_rows_are_none_or_at_least_20(counts: list[int]) -> None:
    """Unless the table itself has fewer."""
    hidden = sum(counts[number] for number in find_unknown(counts))

    assert hidden == 0 or hidden >= min(20, sum(counts))
