"""The distinct splits of a boosted tree, and the outcomes that lead to each leaf.

A tree of 8 leaves has at most 7 distinct splits, so its result depends on one of at most 128 patterns of outcomes:
bit q of a pattern is set if split q is true.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from train.dataset import Matrix
from train.export.trees import Node, Split, Trees, collect_splits

MAX_SPLITS = 7
"""The maximum of a tree of 8 leaves; each further split would double its table."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf: its value in log-odds, and its path as (number of the split, outcome)."""

    value: float
    path: tuple[tuple[int, bool], ...]


@dataclass(frozen=True, slots=True)
class DistinctSplits:
    """The Q distinct splits of a tree, in the order of the bits of a pattern, and the tree's leaves."""

    splits: tuple[Split, ...]
    leaves: tuple[Leaf, ...]

    def outcomes(self) -> npt.NDArray[np.bool_]:
        """The outcomes of every pattern: shape (2^Q, Q)."""
        patterns = np.arange(2 ** len(self.splits))
        outcomes: npt.NDArray[np.bool_] = (patterns[:, None] >> np.arange(len(self.splits))) & 1 == 1
        return outcomes

    def values(self) -> Matrix:
        """The value of the leaf that every pattern reaches: float64, shape (2^Q,)."""
        outcomes = self.outcomes()
        values = np.zeros(len(outcomes))
        for leaf in self.leaves:
            values[np.all([outcomes[:, number] == outcome for number, outcome in leaf.path], axis=0)] = leaf.value
        return values


def has_tables(trees: Trees) -> bool:
    """Whether every tree has at most 7 distinct splits."""
    return all(
        len({_key(split) for split in collect_splits(Trees(0.0, (tree,)))}) <= MAX_SPLITS for tree in trees.trees
    )


def collect_distinct_splits(tree: Node, most: int = MAX_SPLITS) -> DistinctSplits:
    """Number the distinct splits of a tree; raises ValueError if there are more than `most`."""
    splits: list[Split] = []
    leaves: list[Leaf] = []
    _collect(tree, splits, leaves, ())
    if len(splits) > most:
        raise ValueError(f"a tree has {len(splits)} distinct splits, expected at most {most}")
    return DistinctSplits(tuple(splits), tuple(leaves))


def _collect(node: Node, splits: list[Split], leaves: list[Leaf], path: tuple[tuple[int, bool], ...]) -> None:
    if not isinstance(node, Split):
        leaves.append(Leaf(node, path))
        return
    known = [_key(split) for split in splits]
    if _key(node) in known:
        number = known.index(_key(node))
    else:
        number = len(splits)
        splits.append(node)
    _collect(node.if_true, splits, leaves, (*path, (number, True)))
    _collect(node.if_false, splits, leaves, (*path, (number, False)))


def _key(split: Split) -> tuple[int, float, bool]:
    return split.column, split.threshold, split.missing_goes_true
