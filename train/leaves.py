"""Comparison of leaves: the library's own leaf of each row against the one that our reading of its trees gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from train.dataset import Matrix
from train.export.learners import LEAF_FINDERS
from train.export.trees import Trees

Numbers = npt.NDArray[np.int64]


def compare_leaves(classifier: Any, trees: Trees, encoded: Matrix) -> tuple[int, int]:
    """The number of leaves compared, rows × trees, and how many of them differ.

    `encoded`: float64, shape (m, n_columns). `classifier`: of a class in learners.LEAF_FINDERS. Libraries number leaves
    differently: in every tree both numberings must group the rows in the same way.
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
    """Rows left over by a greedy one-to-one match of two numberings, largest groups first; 0 for the same groups."""
    pairs, counts = np.unique(np.stack([ours, theirs]), axis=1, return_counts=True)
    our_taken: set[int] = set()
    their_taken: set[int] = set()
    matched = 0
    for place in np.argsort(-counts):
        our, their = pairs[:, place].tolist()
        if our not in our_taken and their not in their_taken:
            our_taken.add(our)
            their_taken.add(their)
            matched += int(counts[place])
    return len(ours) - matched
