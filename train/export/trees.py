"""Trees as the attributes of one `TreeEnsemble` node of ai.onnx.ml 5, with float64 splits and leaves."""

from __future__ import annotations

from typing import Any

from onnx import TensorProto

from train.export.opsets import tensor
from train.fitted.trees import Node, Split, Trees, collect_splits

__all__ = ["Node", "Split", "Trees", "collect_splits", "ensemble_attributes"]

LESS_OR_EQUAL = 0
"""Branch mode of TreeEnsemble: true where x <= split."""


def ensemble_attributes(trees: list[Node], targets: list[int], n_targets: int) -> dict[str, Any]:
    """The attributes of a `TreeEnsemble` that sums the leaves of each tree into its target, an output column."""
    flat = _Flat()
    for tree, target in zip(trees, targets, strict=True):
        flat.roots.append(len(flat.columns))
        # ONNX has no tree without a node: a single leaf becomes a split with the same leaf for both outcomes.
        flat.add(tree if isinstance(tree, Split) else Split(0, 0.0, False, tree, tree), target)
    return {
        "n_targets": n_targets,
        "aggregate_function": 1,
        "post_transform": 0,
        "tree_roots": flat.roots,
        "nodes_featureids": flat.columns,
        "nodes_splits": tensor("splits", TensorProto.DOUBLE, flat.thresholds),
        "nodes_modes": tensor("modes", TensorProto.UINT8, [LESS_OR_EQUAL] * len(flat.columns)),
        "nodes_missing_value_tracks_true": flat.missing_goes_true,
        "nodes_truenodeids": flat.if_true,
        "nodes_falsenodeids": flat.if_false,
        "nodes_trueleafs": flat.true_is_leaf,
        "nodes_falseleafs": flat.false_is_leaf,
        "leaf_targetids": flat.targets,
        "leaf_weights": tensor("leaves", TensorProto.DOUBLE, flat.leaves),
    }


class _Flat:
    """Trees as parallel lists, with one entry for each split or each leaf."""

    def __init__(self) -> None:
        self.roots: list[int] = []
        self.columns: list[int] = []
        self.thresholds: list[float] = []
        self.missing_goes_true: list[int] = []
        self.if_true: list[int] = []
        self.if_false: list[int] = []
        self.true_is_leaf: list[int] = []
        self.false_is_leaf: list[int] = []
        self.leaves: list[float] = []
        self.targets: list[int] = []

    def add(self, tree: Split, target: int) -> None:
        """Add a tree: its nodes from the root down, the true subtree first."""
        # Not recursive: a chain of splits may be deeper than Python's recursion limit.
        pending: list[tuple[Node, list[int], list[int], int]] = [(tree, [-1], [-1], 0)]
        while pending:
            node, index, is_leaf, parent = pending.pop()
            is_leaf[parent] = int(not isinstance(node, Split))
            if not isinstance(node, Split):
                index[parent] = len(self.leaves)
                self.leaves.append(node)
                self.targets.append(target)
                continue
            place = index[parent] = len(self.columns)
            self.columns.append(node.column)
            self.thresholds.append(node.threshold)
            self.missing_goes_true.append(int(node.missing_goes_true))
            for column in (self.if_true, self.true_is_leaf, self.if_false, self.false_is_leaf):
                column.append(-1)
            pending.append((node.if_false, self.if_false, self.false_is_leaf, place))
            pending.append((node.if_true, self.if_true, self.true_is_leaf, place))
