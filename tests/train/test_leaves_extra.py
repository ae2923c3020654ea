"""Comparison of the leaves of boosting libraries with ours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from catboost import CatBoostClassifier  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from lightgbm import LGBMClassifier
from xgboost import XGBClassifier

from train.export.trees import Split, Trees
from train.leaves import compare_leaves, count_unmatched
from train.readers.describe import describe

CLASSIFIERS = {
    "xgboost": XGBClassifier(n_estimators=8, max_leaves=8, max_depth=0, grow_policy="lossguide", n_jobs=1),
    "lightgbm": LGBMClassifier(n_estimators=8, num_leaves=8, n_jobs=1, verbose=-1),
    "catboost": CatBoostClassifier(iterations=8, depth=3, thread_count=1, verbose=False, allow_writing_files=False),
}

numbers = st.lists(st.integers(0, 5), min_size=1, max_size=60).map(lambda values: np.array(values, np.int64))


@given(numbers)
def test_renumbered_leaves_match(leaves: Any) -> None:
    """Only the grouping of rows is compared, not the numbers."""
    assert count_unmatched(leaves, 31 - 3 * leaves) == 0


@given(numbers, st.data())
def test_one_row_in_another_leaf_is_counted(leaves: Any, data: st.DataObject) -> None:
    """A row moved to a leaf of its own differs, unless it was alone before."""
    row = data.draw(st.integers(0, len(leaves) - 1))
    moved = leaves.copy()
    moved[row] = 99

    assert count_unmatched(leaves, moved) == int((leaves == leaves[row]).sum() > 1)


@given(numbers, st.data())
def test_a_leaf_may_be_several_of_ours(leaves: Any, data: st.DataObject) -> None:
    """But not the other way round."""
    parts = leaves + 10 * data.draw(
        st.lists(st.integers(0, 1), min_size=len(leaves), max_size=len(leaves)).map(np.array)
    )

    assert count_unmatched(parts, leaves) == 0
    assert (count_unmatched(leaves, parts) == 0) == (len(np.unique(parts)) == len(np.unique(leaves)))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_shifted_split_is_found(name: str) -> None:
    """All leaves are compared, and a split that is off by 0.01 gives other leaves."""
    random = np.random.default_rng(0)
    X = random.normal(size=(2_000, 3))
    model = CLASSIFIERS[name].fit(X, X @ [1.0, -1.0, 0.5] + random.normal(size=2_000) > 0)
    trees = describe(model).members[0].function
    assert isinstance(trees, Trees)
    first, *others = trees.trees
    assert isinstance(first, Split)
    moved = Split(first.column, first.threshold + 1e-2, first.missing_goes_true, first.if_true, first.if_false)

    assert compare_leaves(model, trees, X) == (16_000, 0)
    assert compare_leaves(model, Trees(trees.base, (moved, *others)), X)[1] > 0
    assert compare_leaves(model, Trees(trees.base, tuple(others)), X) == (16_000 - 2_000,) * 2
