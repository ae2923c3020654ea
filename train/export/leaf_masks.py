"""The leaves that a batch reaches in trees of up to 62 leaves, as nodes of the graph. Used by log_odds_lookup.py.

The splits of a tree are dealt out into parts of at most 8. The outcomes of a part rule out some of the leaves: their
pattern is looked up as a mask, with a bit for each leaf that is left. One bit is left by all parts, that of the leaf
(Lucchese et al., QuickScorer: a fast algorithm to rank documents with additive ensembles of regression trees, SIGIR
2015).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from train.dataset import Matrix
from train.export.branch import Branch
from train.export.patterns import TreeSplits, index_patterns, order_by_comparison
from train.export.splits import DistinctSplits, collect_distinct_splits
from train.export.trees import Node, Trees, collect_splits

PART = 8
"""Splits of a part: index_patterns has one byte for each."""

MAX_LEAVES = 62
"""Bits of a mask, a positive int64."""

SMALL_LEAVES, SMALL_MODULUS, MODULUS = 31, 37, 67
"""Leaves for which an int32 is enough, and moduli that tell the powers of 2 in an int32 or an int64 apart."""


def fits_masks(trees: Trees) -> bool:
    """Whether no tree has more than 62 leaves."""
    return all(len(collect_splits(Trees(0.0, (tree,)))) < MAX_LEAVES for tree in trees.trees)


def look_up_masked_leaves(branch: Branch, encoded: str, trees: list[Node]) -> str:
    """The value of the leaf of each tree: encoded (n, n_columns) → float64, (n_trees, n)."""
    own = [collect_distinct_splits(tree, MAX_LEAVES) for tree in trees]
    is_small = max(len(tree.leaves) for tree in own) <= SMALL_LEAVES
    modulus = SMALL_MODULUS if is_small else MODULUS
    n_parts = max(-(-len(tree.splits) // PART) for tree in own)
    parts = [part for number in range(n_parts) for part in (_rule_out(tree, number, n_parts) for tree in own)]
    index = index_patterns(branch, encoded, [splits for splits, _ in parts])
    masks = np.concatenate([mask for _, mask in parts]).astype(np.int32 if is_small else np.int64)
    found = branch.add("GatherElements", [branch.constant("masks", masks[None, :]), index], axis=1)
    by_part = branch.add("Reshape", [found, branch.constant("by_part", np.array([n_parts, -1]))])
    common = ""
    for number in range(n_parts):
        left = branch.add("Gather", [by_part, branch.constant("part", np.array(number))], axis=0)
        common = branch.add("BitwiseAnd", [common, left]) if common else left
    rest = branch.add("Mod", [common, branch.constant("modulus", np.array(modulus, masks.dtype))])
    place = rest if is_small else branch.add("Cast", [rest], to=TensorProto.INT32)
    by_tree = branch.add("Reshape", [place, branch.constant("by_tree", np.array([len(trees), -1]))])
    starts = branch.constant("starts", (np.arange(len(trees), dtype=np.int32) * modulus)[:, None])
    in_a_row = branch.constant("in_a_row", np.array([1, -1]))
    entry = branch.add("Reshape", [branch.add("Add", [by_tree, starts]), in_a_row])
    values = branch.constant("leaves", np.concatenate([_by_rest(tree, modulus) for tree in own])[None, :])
    reached = branch.add("GatherElements", [values, entry], axis=1)
    return branch.add("Reshape", [reached, branch.constant("leaves_by_tree", np.array([len(trees), -1]))])


def _rule_out(tree: DistinctSplits, number: int, n_parts: int) -> tuple[TreeSplits, npt.NDArray[np.int64]]:
    """The splits of one part of a tree, and the mask of the leaves that each pattern of their outcomes leaves."""
    here = range(number, len(tree.splits), n_parts)
    left: npt.NDArray[Any] = np.array([2 ** len(tree.leaves) - 1])
    for split in here:
        sides = [left.copy(), left.copy()]
        for bit, leaf in enumerate(tree.leaves):
            for outcome in (False, True):
                if (split, not outcome) in leaf.path:
                    sides[outcome] &= ~(1 << bit)
        left = np.concatenate(sides)
    splits = tuple(tree.splits[split] for split in here)
    return splits, order_by_comparison(splits, left).astype(np.int64)


def _by_rest(tree: DistinctSplits, modulus: int) -> Matrix:
    """The values of the leaves at the places 2^bit mod `modulus`."""
    values = np.zeros(modulus)
    for bit, leaf in enumerate(tree.leaves):
        values[pow(2, bit, modulus)] = leaf.value
    return values
