"""Comparison of leaves: the library's own leaf of each row against the one that our reading of its trees gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from train.dataset import Matrix
from train.export.trees import Trees
from train.readers.classifiers import LEAF_FINDERS

Numbers = npt.NDArray[np.int64]


def compare_leaves(classifier: Any, trees: Trees, encoded: Matrix) -> tuple[int, int]:
    """The number of leaves compared, rows × trees, and how many of them differ.

    `encoded`: float64, shape (m, n_columns). `classifier`: of a class in classifiers.LEAF_FINDERS. Libraries number
    leaves differently: in every tree the rows of one of our leaves must be in one of theirs.
    """
    # XGBoost gives no leaf for numbers beyond float32.
    rows = encoded[~(np.abs(encoded) > np.finfo(np.float32).max).any(axis=1)]
    if not len(rows) or not trees.trees:
        return 0, 0
    ours = trees.leaves(rows)
    theirs = np.asarray(LEAF_FINDERS[type(classifier).__name__](classifier, rows), np.int64).reshape(len(rows), -1)
    if ours.shape != theirs.shape:
        return ours.size, ours.size
    return ours.size, sum(count_unmatched(our, their) for our, their in zip(ours.T, theirs.T, strict=True))


def count_unmatched(ours: Numbers, theirs: Numbers) -> int:
    """Rows that reach another of their leaves than most rows of their own one of ours; 0 if ours group rows alike.

    Several of ours may be one of theirs: LightGBM's treatment of zero takes several splits, whose subtrees are equal.
    """
    ours, theirs = ours - ours.min(), theirs - theirs.min()
    width = int(theirs.max()) + 1
    rows = np.bincount(ours * width + theirs, minlength=(int(ours.max()) + 1) * width).reshape(-1, width)
    return len(ours) - int(rows.max(axis=1).sum())
