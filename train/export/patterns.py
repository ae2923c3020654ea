"""The outcomes of all splits for a batch, as nodes of the graph. Used by log_odds_lookup.py and contribution_lookup.py.

Walking a tree takes a data-dependent branch at each node, which the processor mispredicts. Here all splits of all
trees are evaluated by vectorized comparisons without branches: from some hundred rows on in a fraction of the time of
onnxruntime's TreeEnsemble (`make bench-explain`).

A split becomes a comparison that is never true of a missing value: `x <= threshold`, or, if a missing value goes to the
true side, the inverted comparison `x >= the next number above threshold`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from onnx import TensorProto

from train.dataset import Matrix
from train.export.branch import Branch
from train.export.trees import Split

TreeSplits = tuple[Split, ...]
"""The distinct splits of a tree, in the order of the bits of a pattern."""

Comparison = tuple[bool, int, float]
"""Whether it is inverted, column, limit."""

NEVER_TRUE: Comparison = (False, 0, -np.inf)
"""The comparison of an unused bit: false for every finite number."""

MIN_LIMITS = 32
"""Comparisons for each column from which on a node for each column is faster than one node for all."""


def index_patterns(branch: Branch, encoded: str, trees: Sequence[TreeSplits]) -> str:
    """Index of each applicant's pattern in the concatenated tables of all trees.

    encoded (n, n_columns) → int32, shape (1, n_trees · n), tree by tree. The table of a tree of Q splits has 2^Q
    entries, in the order of `order_by_comparison`.
    """
    bits = max([1, *(len(splits) for splits in trees)])
    by_tree_and_bit = [[*map(compare, splits), *[NEVER_TRUE] * (bits - len(splits))] for splits in trees]
    comparisons = sorted({NEVER_TRUE, *(comparison for tree in by_tree_and_bit for comparison in tree)})
    place = {comparison: number for number, comparison in enumerate(comparisons)}
    places = np.array([[place[tree[bit]] for tree in by_tree_and_bit] for bit in range(bits)])

    outcomes = branch.add("Cast", [evaluate(branch, encoded, comparisons)], to=TensorProto.UINT8)
    # One row for each bit of each tree; the patterns of all trees are one integer matrix product.
    needed = branch.add("Gather", [outcomes, branch.constant("needed", places.ravel())], axis=0)
    by_bit = branch.add("Reshape", [needed, branch.constant("by_bit", np.array([bits, -1]))])
    weights = branch.constant("weights", (1 << np.arange(bits, dtype=np.uint8))[None, :])
    pattern = branch.add("MatMulInteger", [weights, by_bit])
    by_tree = branch.add("Reshape", [pattern, branch.constant("by_tree", np.array([len(trees), -1]))])
    starts = np.cumsum([0, *(2 ** len(splits) for splits in trees[:-1])], dtype=np.int32)
    index = branch.add("Add", [by_tree, branch.constant("starts", starts[:, None])])
    return branch.add("Reshape", [index, branch.constant("in_a_row", np.array([1, -1]))])


def evaluate(branch: Branch, encoded: str, comparisons: Sequence[Comparison]) -> str:
    """Whether comparisons, sorted, are true of each applicant: encoded (n, n_columns) → bool, (n_comparisons, n)."""
    x = branch.add("Transpose", [encoded])
    same_side: list[list[Comparison]] = [list(group) for _, group in groupby(comparisons, lambda one: one[0])]
    same_column = [list(group) for _, group in groupby(comparisons, lambda one: one[:2])]
    # A row that is compared with many limits needn't be copied; many nodes with few limits each would be slower.
    groups = same_column if len(comparisons) >= MIN_LIMITS * len(same_column) else same_side
    parts = [_compare_all(branch, x, group) for group in groups]
    return branch.add("Concat", parts, axis=0) if len(parts) > 1 else parts[0]


def order_by_comparison(splits: TreeSplits, values: Matrix) -> Matrix:
    """Reorder values, shape (2^Q, …), from patterns of split outcomes to patterns of true comparisons."""
    inverted = sum(split.missing_goes_true << bit for bit, split in enumerate(splits))
    sorted_values: Matrix = values[np.arange(len(values)) ^ inverted]
    return sorted_values


def compare(split: Split) -> Comparison:
    """The comparison that is true if the split is, or, if a missing value goes to the true side, if it is false."""
    limit = np.nextafter(split.threshold, np.inf) if split.missing_goes_true else split.threshold
    return split.missing_goes_true, split.column, float(limit)


def _compare_all(branch: Branch, x: str, comparisons: Sequence[Comparison]) -> str:
    """The outcomes of comparisons of the same side: x (n_columns, n) → bool, (n_comparisons, n)."""
    columns = np.array([column for _, column, _ in comparisons])
    if len(set(columns.tolist())) == 1:
        columns = columns[:1]
    values = branch.add("Gather", [x, branch.constant("columns", columns)], axis=0)
    limits = branch.constant("limits", np.array([[limit] for *_, limit in comparisons]))
    return branch.add("GreaterOrEqual" if comparisons[0][0] else "LessOrEqual", [values, limits])
