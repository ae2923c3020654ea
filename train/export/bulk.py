"""Log-odds of boosted trees for large batches by table look-up; small batches keep the TreeEnsemble node.

Both add the same leaves in the same order, so that an applicant gets bit-identical log-odds alone and in any batch.
"""

from __future__ import annotations

import numpy as np
from onnx import GraphProto, NodeProto, helper, numpy_helper

from train.export.branch import Branch
from train.export.converter import TREES_DOMAIN
from train.export.patterns import number_patterns, order_by_test
from train.export.questions import Questions, read_questions
from train.export.trees import Trees

MIN_BULK_ROWS = 16
"""Smallest batch for which the look-up is faster."""


def add_bulk(graph: GraphProto, applicants: str, trees: Trees) -> None:
    """Move the graph's TreeEnsemble into an `If` whose other branch looks leaves up, for MIN_BULK_ROWS rows or more.

    `applicants` names the input, (n, n_fields). Raises ValueError if a tree has more than 7 different questions.
    """
    (place,) = (number for number, node in enumerate(graph.node) if node.op_type == "TreeEnsemble")
    walk = NodeProto()
    walk.CopyFrom(graph.node[place])
    log_odds = walk.output[0]
    walk.domain, walk.output[0] = TREES_DOMAIN, "walked"
    few, many = Branch("walked"), Branch("looked_up")
    few.nodes.append(walk)
    _add_up_leaves(many, walk.input[0], trees)
    nodes = [
        helper.make_node("Shape", [applicants], ["count"], name="count", start=0, end=1),
        helper.make_node("GreaterOrEqual", ["count", "enough"], ["is_many"], name="is_many"),
        helper.make_node(
            "If", ["is_many"], [log_odds], name="log_odds", then_branch=many.graph(1), else_branch=few.graph(1)
        ),
    ]
    graph.initializer.append(numpy_helper.from_array(np.array([MIN_BULK_ROWS]), "enough"))
    rest = [*graph.node[:place], *nodes, *graph.node[place + 1 :]]
    del graph.node[:]
    graph.node.extend(rest)


def _add_up_leaves(branch: Branch, encoded: str, trees: Trees) -> None:
    # As in TreeEnsemble, the base is the first tree, a single leaf.
    all_trees: list[Questions] = [read_questions(tree) for tree in (trees.base, *trees.trees)]
    leaves = np.concatenate([order_by_test(tree.asked, tree.values()) for tree in all_trees])
    index = number_patterns(branch, encoded, [tree.asked for tree in all_trees])
    found = branch.add("GatherElements", [branch.constant("leaves", leaves[None, :]), index], axis=1)
    by_tree = branch.add("Reshape", [found, branch.constant("leaves_by_tree", np.array([len(all_trees), -1]))])
    total = branch.add("ReduceSum", [by_tree, branch.constant("trees", np.array([0]))], keepdims=0)
    branch.add("Reshape", [total, branch.constant("column", np.array([-1, 1]))], branch.name)
