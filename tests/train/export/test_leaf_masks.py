"""Values of trees of any size are the same to the bit in small and in large batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.train.export.random_trees import COLUMNS, cells, nodes
from tests.train.export.test_log_odds_lookup import log_odds, run
from train.export.log_odds_lookup import MIN_MASK_ROWS
from train.export.trees import Node, Split, Trees


@settings(max_examples=40, deadline=None)
@given(
    trees=st.lists(st.integers(1, 70).flatmap(nodes), min_size=1, max_size=3),
    rows=st.lists(st.tuples(*[cells] * COLUMNS), min_size=MIN_MASK_ROWS, max_size=2 * MIN_MASK_ROWS),
)
def test_any_trees_give_the_same_bits_in_small_and_large_batches(
    trees: list[Node], rows: list[tuple[float, ...]]
) -> None:
    """Masks of 31 and of 62 bits, and trees that are too large for them; compared with numpy too."""
    model, X = Trees(0.25, tuple(trees)), np.array(rows)
    session = log_odds(model, COLUMNS)

    np.testing.assert_array_equal(run(session, X), model.log_odds(X))
    np.testing.assert_array_equal(run(session, X[:5]), model.log_odds(X)[:5])


@pytest.mark.parametrize("leaves", [9, 31, 32, 62, 63, 500])
def test_every_leaf_is_found(leaves: int) -> None:
    """In chains of splits, which have a leaf at every depth."""
    tree: Node = 0.0
    for number in range(1, leaves):
        tree = Split(0, float(-number), False, tree, float(number))
    X = -np.arange(leaves + 1.0)[:, None]
    model = Trees(0.0, (tree, tree))

    actual = run(log_odds(model, 1), np.tile(X, (MIN_MASK_ROWS, 1)))

    assert actual.tolist() == model.log_odds(X).tolist() * MIN_MASK_ROWS
