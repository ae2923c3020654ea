"""Counting values in bins, and the labels of bins."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.bins import Bins, count_values, name_bins, published_counts
from model.contract import Field
from train.bins import bin_numbers

HOME = Field("Home", "Home", "", "category", ("own", "rent", "other"), None, None, True, "Home")


@given(arrays(np.float64, st.integers(0, 50), elements=st.sampled_from([-1e9, 0.0, 1.0, 1.5, 2.5, 7.0, np.nan])))
def test_every_number_is_counted_once(values: np.ndarray) -> None:
    """A bin holds the numbers above the edge before it up to and with its own."""
    found = count_values(values, Bins((20, 20, 20), 0, (1.0, 2.5)))

    bounds = zip((-np.inf, 1.0, 2.5), (1.0, 2.5, np.inf), strict=True)
    expected = [int(np.sum((values > low) & (values <= high))) for low, high in bounds]
    assert found.tolist() == [*expected, int(np.isnan(values).sum()), 0]


def test_a_level_that_training_never_saw_is_in_no_bin() -> None:
    """-1 is the code of an unknown level, which the last count is of."""
    bins = Bins((30, 20), 0, (), ((1,), (0, 2)))

    assert count_values(np.array([0, 1, 2, np.nan, -1, -1, -1]), bins).tolist() == [1, 2, 1, 3]


def test_published_counts_are_in_the_same_layout() -> None:
    """Training saw no level that the model doesn't know."""
    bins = Bins((30, 20), 10, (), ((1,), (0, 2)))

    assert published_counts(bins).tolist() == [30, 20, 10, 0]
    assert published_counts(bins).shape == count_values(np.zeros(1), bins).shape


def test_a_count_that_is_not_published_is_the_one_closest_to_what_is_seen() -> None:
    """10 stands for 1 to 19; other counts stay."""
    bins = Bins((10, 990), 10)

    seen = [np.array([few, 1000, missing, 0]) for few, missing in ((0, 12), (3, 40))]

    assert [published_counts(bins, one)[:3].tolist() for one in seen] == [[1, 990, 12], [3, 990, 19]]


def test_bins_have_labels() -> None:
    """Ranges of numbers, names of levels."""
    assert name_bins(Bins((20, 20, 20), 0, (1.0, 2.5))) == ["≤ 1", "1 – 2.5", "> 2.5", "missing", "unknown level"]
    assert name_bins(Bins((20,), 0)) == ["any value", "missing", "unknown level"]
    assert name_bins(Bins((30, 20), 0, (), ((1,), (0, 2))), HOME.levels) == [
        "rent",
        "own, other",
        "missing",
        "unknown level",
    ]


@given(arrays(np.float64, st.integers(200, 400), elements=st.floats(-1e6, 1e6)))
def test_edges_of_training_are_named_by_all_their_digits(values: np.ndarray) -> None:
    """They were rounded when they were made."""
    edges = bin_numbers(values).edges

    named = name_bins(Bins((20,) * (len(edges) + 1), 0, edges))[: len(edges)]

    assert [name.split(" ")[-1] for name in named] == [f"{edge:g}" for edge in edges]


def test_edges_that_were_moved_are_named_by_the_digits_that_matter() -> None:
    """They tell the bins apart, and counting takes all digits."""
    bins = Bins((20, 20, 20, 20), 0, (0.0184431712345, 0.0363524712345, 0.31247))

    assert name_bins(bins)[:4] == ["≤ 0.018", "0.018 – 0.036", "0.036 – 0.312", "> 0.312"]
    assert count_values(np.array([0.0183, 0.0185]), bins).tolist() == [1, 1, 0, 0, 0, 0]
