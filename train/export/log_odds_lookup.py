"""Log-odds of boosted trees for large batches by table look-up; small batches keep the TreeEnsemble node.

Both add the same leaves in the same order, so that an applicant gets bit-identical log-odds alone and in any batch.
"""

from __future__ import annotations

import numpy as np
from onnx import GraphProto, NodeProto, helper, numpy_helper

from train.export.branch import Branch
from train.export.converter import TREES_DOMAIN
from train.export.patterns import index_patterns, order_by_comparison
from train.export.splits import DistinctSplits, collect_distinct_splits
from train.export.trees import Trees

MIN_LOOKUP_ROWS = 16
"""Smallest batch for which the look-up is faster."""


def add_log_odds_lookup(graph: GraphProto, applicants: str, trees: Trees) -> None:
    """Move the graph's TreeEnsemble into an `If` whose other branch looks leaves up, for MIN_LOOKUP_ROWS rows or more.

    `applicants` names the input, (n, n_fields). Raises ValueError if a tree has more than 7 distinct splits.
    """
    (place,) = (number for number, node in enumerate(graph.node) if node.op_type == "TreeEnsemble")
    ensemble = NodeProto()
    ensemble.CopyFrom(graph.node[place])
    log_odds = ensemble.output[0]
    ensemble.domain, ensemble.output[0] = TREES_DOMAIN, "walked"
    small_batch, large_batch = Branch("walked"), Branch("looked_up")
    small_batch.nodes.append(ensemble)
    _add_up_leaves(large_batch, ensemble.input[0], trees)
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
    graph.initializer.append(numpy_helper.from_array(np.array([MIN_LOOKUP_ROWS]), "enough"))
    rest = [*graph.node[:place], *nodes, *graph.node[place + 1 :]]
    del graph.node[:]
    graph.node.extend(rest)


def _add_up_leaves(branch: Branch, encoded: str, trees: Trees) -> None:
    # As in TreeEnsemble, the base is the first tree, a single leaf.
    all_trees: list[DistinctSplits] = [collect_distinct_splits(tree) for tree in (trees.base, *trees.trees)]
    leaves = np.concatenate([order_by_comparison(tree.splits, tree.values()) for tree in all_trees])
    index = index_patterns(branch, encoded, [tree.splits for tree in all_trees])
    found = branch.add("GatherElements", [branch.constant("leaves", leaves[None, :]), index], axis=1)
    by_tree = branch.add("Reshape", [found, branch.constant("leaves_by_tree", np.array([len(all_trees), -1]))])
    total = branch.add("ReduceSum", [by_tree, branch.constant("trees", np.array([0]))], keepdims=0)
    branch.add("Reshape", [total, branch.constant("column", np.array([-1, 1]))], branch.name)
