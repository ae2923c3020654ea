"""Reference bins: they part the rows, publish no handful of people, and know their own counts again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.bins import Bins
from model.contract import Field
from train.bins import FEWEST, bin_levels, bin_numbers, count, make_bins, name_bins, published

KINDS = {
    "spread": lambda random, rows: random.normal(0, 1e6, rows),
    "few": lambda random, rows: random.integers(0, 5, rows).astype(float),
    "mostly nothing": lambda random, rows: np.maximum(random.normal(-1, 1, rows), 0),
    "close together": lambda random, rows: 1e5 + random.random(rows),
    "heavy": lambda random, rows: random.lognormal(0, 20, rows),
}


def draw(kind: str, rows: int, gaps: float, seed: int) -> np.ndarray:
    """Values of a kind, some of them missing."""
    random = np.random.default_rng(seed)
    values: np.ndarray = KINDS[kind](random, rows)
    return np.where(random.random(rows) < gaps, np.nan, values)


NUMBERS = st.builds(
    draw, st.sampled_from(list(KINDS)), st.integers(1, 600), st.sampled_from([0, 0.02, 0.5, 1]), st.integers(0, 10**6)
)


@given(NUMBERS)
def test_bins_of_numbers_part_the_rows(values: np.ndarray) -> None:
    """Every value is in one bin or missing; edges ascend; what is published differs by few people only."""
    bins = bin_numbers(values)
    found = count(values, bins)

    assert len(values) == found.sum()
    assert list(bins.edges) == sorted(set(bins.edges))
    assert len(bins.edges) + 1 == len(bins.counts)
    assert np.isnan(values).sum() == found[-2]
    is_few = (found > 0) & (found < FEWEST)
    np.testing.assert_array_equal(np.where(is_few, FEWEST // 2, found), published(bins))


@given(NUMBERS)
def test_no_bin_tells_of_a_handful_of_people(values: np.ndarray) -> None:
    """A count of 1 to 19 is published as 10, whoever they are."""
    assert not {told for told in published(bin_numbers(values)).tolist() if 0 < told < FEWEST} - {FEWEST // 2}


@given(
    rows=st.integers(1, 600), skew=st.floats(0.1, 5), gaps=st.sampled_from([0, 0.02, 0.5]), seed=st.integers(0, 10**6)
)
def test_bins_of_levels_part_the_rows(rows: int, skew: float, gaps: float, seed: int) -> None:
    """Every level is in exactly one bin, levels of few people share one, and nothing is in no bin."""
    random = np.random.default_rng(seed)
    values = np.where(random.random(rows) < gaps, np.nan, np.floor(31 * random.random(rows) ** skew))

    bins = bin_levels(values, 31)

    assert list(range(31)) == sorted(level for group in bins.levels for level in group)
    assert len(values) == count(values, bins)[:-1].sum()
    assert not {told for told in published(bins).tolist() if 0 < told < FEWEST} - {FEWEST // 2}


def test_a_value_that_many_share_has_its_own_bin() -> None:
    """Assets are 0 for four in ten: a bin of these, not one that mixes them with little."""
    values = np.concatenate([np.zeros(400), np.arange(1.0, 601.0)])

    bins = bin_numbers(values)

    assert (0.0, 400) == (bins.edges[0], bins.counts[0])
    assert 1000 == sum(bins.counts)


def test_an_edge_is_nobodys_exact_value() -> None:
    """Three digits of the spread: 123456.789 becomes 123000."""
    values = np.random.default_rng(0).lognormal(11, 1, 5000)

    edges = np.array(bin_numbers(values).edges)

    assert not np.isin(edges, values).any()
    np.testing.assert_array_equal(edges, np.round(edges / 1000) * 1000)


def test_a_level_that_training_never_saw_is_in_no_bin() -> None:
    """-1 stands for a level that the model doesn't know."""
    bins = bin_levels(np.repeat([0.0, 1.0], 50), 2)

    assert [1, 2, 1, 3] == count(np.array([0, 1, 1, np.nan, -1, -1, -1]), bins).tolist()


@pytest.mark.parametrize("values", [np.full(50, np.nan), np.full(50, 7.0), np.array([1.0])])
def test_nothing_one_value_or_one_person_can_be_binned(values: np.ndarray) -> None:
    """The degenerate columns of real tables."""
    assert len(values) == count(values, bin_numbers(values)).sum()


def test_bins_are_named_for_people() -> None:
    """Ranges of numbers, words of levels."""
    home = Field("Home", "Home", "", "category", ("own", "rent", "other"), None, None, True, "Home")

    assert ["≤ 1", "1 – 2.5", "> 2.5", "missing", "unknown level"] == name_bins(Bins((20, 20, 20), 0, (1.0, 2.5)), None)
    assert ["any value", "missing", "unknown level"] == name_bins(Bins((20,), 0), None)
    assert ["rent", "own, other", "missing", "unknown level"] == name_bins(Bins((30, 20), 0, (), ((1,), (0, 2))), home)
    assert 1 == len(make_bins([home], np.zeros((30, 1))))
