"""DistinctSplits and patterns of a tree, compared with the tree itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.train.export.random_trees import COLUMNS, cells, nodes
from train.export.splits import MAX_SPLITS, collect_distinct_splits
from train.export.trees import Node, Split, Trees


@given(tree=st.integers(1, 8).flatmap(nodes), row=st.tuples(*[cells] * COLUMNS))
def test_the_pattern_of_an_applicant_has_the_value_of_its_leaf(tree: Node, row: tuple[float, ...]) -> None:
    """With repeated splits and missing values."""
    rows = np.array([row])
    own = collect_distinct_splits(tree)

    pattern = sum(int(split.is_true(rows)[0]) << bit for bit, split in enumerate(own.splits))

    assert Trees(0.0, (tree,)).log_odds(rows)[0] == own.values()[pattern]
    assert len(own.values()) == len(own.outcomes()) == 2 ** len(own.splits)


def test_a_repeated_split_is_counted_once() -> None:
    """Equal column, threshold and side of missing values; with the other side it is a different split."""
    again = Split(0, 1.0, False, 1.0, 2.0)
    other = Split(0, 1.0, True, 3.0, 4.0)

    assert len(collect_distinct_splits(Split(0, 1.0, False, again, other)).splits) == 2


def test_more_than_seven_splits_are_refused() -> None:
    """The table would be too large; the message says how to fit smaller trees."""
    tree: Node = 0.0
    for number in range(MAX_SPLITS + 1):
        tree = Split(0, float(number), False, tree, 1.0)

    with pytest.raises(ValueError, match="a tree has 8 distinct splits, expected at most 7"):
        collect_distinct_splits(tree)
