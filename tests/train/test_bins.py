"""Reference bins: they partition the rows, and no small group is published."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.bins import MIN_COUNT, count_values, published_counts
from train.bins import bin_levels, bin_numbers

KINDS = {
    "wide range": lambda random, rows: random.normal(0, 1e6, rows),
    "few values": lambda random, rows: random.integers(0, 5, rows).astype(float),
    "many zeros": lambda random, rows: np.maximum(random.normal(-1, 1, rows), 0),
    "narrow range": lambda random, rows: 1e5 + random.random(rows),
    "heavy tail": lambda random, rows: random.lognormal(0, 20, rows),
}


def draw(kind: str, rows: int, missing: float, seed: int) -> np.ndarray:
    """Values of a distribution, the share `missing` of them NaN."""
    random = np.random.default_rng(seed)
    values: np.ndarray = KINDS[kind](random, rows)
    return np.where(random.random(rows) < missing, np.nan, values)


NUMBERS = st.builds(
    draw, st.sampled_from(list(KINDS)), st.integers(1, 600), st.sampled_from([0, 0.02, 0.5, 1]), st.integers(0, 10**6)
)


@given(NUMBERS)
def test_bins_of_numbers_partition_the_rows(values: np.ndarray) -> None:
    """Each value is in one bin or missing, edges ascend, and only counts below 20 are published as 10."""
    bins = bin_numbers(values)
    found = count_values(values, bins)

    assert found.sum() == len(values)
    assert list(bins.edges) == sorted(set(bins.edges))
    assert len(bins.counts) == len(bins.edges) + 1
    assert found[-2] == np.isnan(values).sum()
    is_few = (found > 0) & (found < MIN_COUNT)
    np.testing.assert_array_equal(published_counts(bins), np.where(is_few, MIN_COUNT // 2, found))


@given(
    rows=st.integers(1, 600),
    skew=st.floats(0.1, 5),
    missing=st.sampled_from([0, 0.02, 0.5]),
    seed=st.integers(0, 10**6),
)
def test_bins_of_levels_partition_the_rows(rows: int, skew: float, missing: float, seed: int) -> None:
    """Each level is in exactly one bin, and no count of 1 to 19 but 10 is published."""
    random = np.random.default_rng(seed)
    values = np.where(random.random(rows) < missing, np.nan, np.floor(31 * random.random(rows) ** skew))

    bins = bin_levels(values, 31)

    assert sorted(level for group in bins.levels for level in group) == list(range(31))
    assert count_values(values, bins)[:-1].sum() == len(values)
    assert not {count for count in published_counts(bins).tolist() if 0 < count < MIN_COUNT} - {MIN_COUNT // 2}


def test_a_frequent_value_has_its_own_bin() -> None:
    """Four in ten values are 0: they aren't mixed with small ones."""
    values = np.concatenate([np.zeros(400), np.arange(1.0, 601.0)])

    bins = bin_numbers(values)

    assert (bins.edges[0], bins.counts[0]) == (0.0, 400)
    assert sum(bins.counts) == 1000


def test_an_edge_is_never_a_value_of_the_data() -> None:
    """Edges have three digits of the range: 123456.789 becomes 123000."""
    values = np.random.default_rng(0).lognormal(11, 1, 5000)

    edges = np.array(bin_numbers(values).edges)

    assert not np.isin(edges, values).any()
    np.testing.assert_array_equal(edges, np.round(edges / 1000) * 1000)


@pytest.mark.parametrize("values", [np.full(50, np.nan), np.full(50, 7.0), np.array([1.0])])
def test_degenerate_columns_can_be_binned(values: np.ndarray) -> None:
    """All missing, one value, one row."""
    assert count_values(values, bin_numbers(values)).sum() == len(values)
