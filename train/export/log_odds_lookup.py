"""The sum of trees for large batches by table look-up; small batches keep the TreeEnsemble node.

Both add the same leaves in the same order, so that an applicant gets bit-identical log-odds alone and in any batch.
"""

from __future__ import annotations

import numpy as np
from onnx import GraphProto, NodeProto, helper, numpy_helper

from train.export.branch import Branch
from train.export.leaf_masks import fits_masks, look_up_masked_leaves
from train.export.opsets import TREES_DOMAIN
from train.export.patterns import index_patterns, order_by_comparison
from train.export.splits import collect_distinct_splits, has_tables
from train.export.trees import Node, Trees

UNPAIRED_ROWS = 7
"""Rows appended to a batch: onnxruntime sums the last rows of a batch, less than a block of eight, in another order,
which may differ in the last bit."""

MIN_LOOKUP_ROWS = 16
"""Smallest batch for which the look-up of trees with at most 7 distinct splits is faster."""

MIN_MASK_ROWS = 32
"""Smallest batch for which the look-up of larger trees is faster."""


def add_log_odds_lookup(graph: GraphProto, applicants: str, trees: Trees) -> None:
    """Move the graph's TreeEnsemble into an `If` whose other branch looks leaves up, if the batch is large enough.

    `applicants` names the input, (n, n_fields). With a tree of more than 62 leaves the TreeEnsemble stays as it
    is.
    """
    if not fits_masks(trees):
        return
    is_small = has_tables(trees)
    (place,) = (number for number, node in enumerate(graph.node) if node.op_type == "TreeEnsemble")
    ensemble = NodeProto()
    ensemble.CopyFrom(graph.node[place])
    log_odds = ensemble.output[0]
    ensemble.domain, ensemble.output[0] = TREES_DOMAIN, "walked"
    small_batch, large_batch = Branch("walked"), Branch("looked_up")
    small_batch.nodes.append(ensemble)
    # As in TreeEnsemble, the base is the first tree, a single leaf.
    all_trees = [trees.base, *trees.trees]
    look_up = look_up_leaves if is_small else look_up_masked_leaves
    first = large_batch.constant("first_rows", np.zeros(UNPAIRED_ROWS, np.int64))
    padding = large_batch.add("Gather", [ensemble.input[0], first], axis=0)
    padded = large_batch.add("Concat", [ensemble.input[0], padding], axis=0)
    leaves = look_up(large_batch, padded, all_trees)
    sums = large_batch.add("ReduceSum", [leaves, large_batch.constant("trees", np.array([0]))], keepdims=0)
    ends = [large_batch.constant("start", np.array([0])), large_batch.constant("stop", np.array([-UNPAIRED_ROWS]))]
    total = large_batch.add("Slice", [sums, *ends])
    large_batch.add("Reshape", [total, large_batch.constant("column", np.array([-1, 1]))], large_batch.name)
    nodes = [
        helper.make_node("Shape", [applicants], ["count"], name="count", start=0, end=1),
        helper.make_node("GreaterOrEqual", ["count", "enough"], ["is_many"], name="is_many"),
        helper.make_node(
            "If",
            ["is_many"],
            [log_odds],
            name="log_odds",
            then_branch=large_batch.graph(1),
            else_branch=small_batch.graph(1),
        ),
    ]
    graph.initializer.append(
        numpy_helper.from_array(np.array([MIN_LOOKUP_ROWS if is_small else MIN_MASK_ROWS]), "enough")
    )
    rest = [*graph.node[:place], *nodes, *graph.node[place + 1 :]]
    del graph.node[:]
    graph.node.extend(rest)


def look_up_leaves(branch: Branch, encoded: str, trees: list[Node]) -> str:
    """The value of the leaf of each tree, of at most 7 distinct splits: encoded (n, n_columns) → (n_trees, n)."""
    own = [collect_distinct_splits(tree) for tree in trees]
    leaves = np.concatenate([order_by_comparison(tree.splits, tree.values()) for tree in own])
    index = index_patterns(branch, encoded, [tree.splits for tree in own])
    found = branch.add("GatherElements", [branch.constant("leaves", leaves[None, :]), index], axis=1)
    return branch.add("Reshape", [found, branch.constant("leaves_by_tree", np.array([len(trees), -1]))])
