"""Boosted trees as one `TreeEnsemble` node of ai.onnx.ml 5, with float64 splits and leaves.

`Trees` is the common representation of all boosting libraries; graph and reasons are built from it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from train.dataset import Matrix
from train.export.converter import PLACEHOLDER_DOMAIN, Nodes, tensor

LESS_OR_EQUAL = 0
"""Branch mode of TreeEnsemble: true where x <= split."""


@dataclass(frozen=True, slots=True)
class Split:
    """The comparison `x[column] <= threshold` in float64, and the subtrees of its two outcomes.

    A missing value goes to `if_true` if `missing_goes_true`, else to `if_false`.
    """

    column: int
    threshold: float
    missing_goes_true: bool
    if_true: Node
    if_false: Node

    def is_true(self, rows: Matrix) -> npt.NDArray[np.bool_]:
        """The outcome for encoded rows, shape (m, n_columns): bool, shape (m,)."""
        x = rows[:, self.column]
        return np.where(np.isnan(x), self.missing_goes_true, x <= self.threshold)


Node: TypeAlias = "Split | float"
"""A split, or the value of a leaf in log-odds."""


@dataclass(frozen=True, slots=True)
class Trees:
    """An ensemble: the log-odds of a row are `base` plus the leaves it reaches in every tree."""

    base: float
    trees: tuple[Node, ...]

    def log_odds(self, rows: Matrix) -> Matrix:
        """Log-odds, shape (m,), of encoded rows, shape (m, n_columns): the leaves added in the order of the trees."""
        total = np.full(len(rows), self.base)
        for tree in self.trees:
            total += _leaf_values(tree, rows)
        return total

    def negated(self) -> Trees:
        """The log-odds of the other class; exact, because only signs change."""
        return Trees(-self.base, tuple(_negate(tree) for tree in self.trees))

    def leaves(self, rows: Matrix) -> npt.NDArray[np.int64]:
        """The number of the leaf that each row reaches in each tree, numbered by path: shape (m, n_trees)."""
        return np.column_stack(
            [_leaf_values(_numbered(tree), rows) * np.ones(len(rows)) for tree in self.trees]
        ).astype(np.int64)


def _numbered(node: Node, path: int = 1) -> Node:
    """The same tree with leaf numbers as values: a leading 1, then one bit for each outcome on the path."""
    if not isinstance(node, Split):
        return float(path)
    true, false = _numbered(node.if_true, 2 * path + 1), _numbered(node.if_false, 2 * path)
    return Split(node.column, node.threshold, node.missing_goes_true, true, false)


def _negate(node: Node) -> Node:
    if not isinstance(node, Split):
        return -node
    return replace(node, if_true=_negate(node.if_true), if_false=_negate(node.if_false))


def _leaf_values(node: Node, rows: Matrix) -> Matrix | float:
    if not isinstance(node, Split):
        return node
    return np.where(node.is_true(rows), _leaf_values(node.if_true, rows), _leaf_values(node.if_false, rows))


def read_hist_gradient_boosting(model: Any) -> Trees:
    """The trees of a fitted HistGradientBoostingClassifier; raises ValueError for splits on native categories."""

    def read(nodes: Any, index: int) -> Node:
        node = nodes[index]
        if node["is_leaf"]:
            return float(node["value"])
        if node["is_categorical"]:
            raise ValueError("splits on native categories can't be exported; one-hot encode them before the classifier")
        return Split(
            column=int(node["feature_idx"]),
            threshold=float(node["num_threshold"]),
            missing_goes_true=bool(node["missing_go_to_left"]),
            if_true=read(nodes, node["left"]),
            if_false=read(nodes, node["right"]),
        )

    base = float(np.ravel(model._baseline_prediction)[0])
    return Trees(base, tuple(read(predictor.nodes, 0) for (predictor,) in model._predictors))


def convert_trees(trees: Trees, scope: Any, operator: Any, container: Any) -> None:
    """Add an ensemble to skl2onnx's container: log-odds of a row. (n, k) → (n, 1)."""
    # The base is the first tree, a single leaf; scikit-learn sums in this order too.
    attributes = ensemble_attributes([trees.base, *trees.trees], [0] * (len(trees.trees) + 1), 1)
    Nodes(scope, container).finish(
        "TreeEnsemble",
        [operator.inputs[0].full_name],
        operator.outputs[0].full_name,
        domain=PLACEHOLDER_DOMAIN,
        **attributes,
    )


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

    def add(self, node: Node, target: int) -> int:
        """Add a node and its subtrees; returns its index among the splits, or among the leaves."""
        if not isinstance(node, Split):
            self.leaves.append(node)
            self.targets.append(target)
            return len(self.leaves) - 1
        place = len(self.columns)
        self.columns.append(node.column)
        self.thresholds.append(node.threshold)
        self.missing_goes_true.append(int(node.missing_goes_true))
        branches = ((node.if_true, self.if_true, self.true_is_leaf), (node.if_false, self.if_false, self.false_is_leaf))
        for _, index, is_leaf in branches:
            index.append(-1)
            is_leaf.append(-1)
        for child, index, is_leaf in branches:
            index[place] = self.add(child, target)
            is_leaf[place] = int(not isinstance(child, Split))
        return place


def collect_splits(trees: Trees) -> list[Split]:
    """Every split of every tree, in the order of the trees."""

    def walk(node: Node) -> list[Split]:
        return [node, *walk(node.if_true), *walk(node.if_false)] if isinstance(node, Split) else []

    return [split for tree in trees.trees for split in walk(tree)]
