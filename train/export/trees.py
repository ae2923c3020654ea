"""Boosted trees as one `TreeEnsemble` node of ai.onnx.ml 5, float64 from split to leaf.

`Trees` is the one form every boosting library is brought into; the graph is made from it alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import TensorProto

from train.export.converter import PLACEHOLDER_DOMAIN, Nodes, tensor

LEAST_OR_EQUAL = 0
"""Branch mode of TreeEnsemble: true where x <= split."""


@dataclass(slots=True)
class Trees:
    """Flat trees: a node asks `x[feature] <= split` and goes to `true` or `false`; a missing x as `missing_true` says.

    `true` and `false` index the nodes, or the leaves where `true_is_leaf`, `false_is_leaf` say so. The
    log-odds of a row are `base` plus the values of the leaves it reaches.
    """

    base: float = 0.0
    roots: list[int] = field(default_factory=list)
    feature: list[int] = field(default_factory=list)
    split: list[float] = field(default_factory=list)
    missing_true: list[int] = field(default_factory=list)
    true: list[int] = field(default_factory=list)
    false: list[int] = field(default_factory=list)
    true_is_leaf: list[int] = field(default_factory=list)
    false_is_leaf: list[int] = field(default_factory=list)
    leaf: list[float] = field(default_factory=list)

    def add_leaf_alone(self, value: float) -> None:
        """A tree without a question: ONNX wants a node all the same, both its branches go to the leaf."""
        self.roots.append(len(self.feature))
        self._add_node(0, 0.0, 0, (len(self.leaf), 1), (len(self.leaf), 1))
        self.leaf.append(value)

    def _add_node(
        self, feature: int, split: float, missing_true: int, true: tuple[int, int], false: tuple[int, int]
    ) -> None:
        self.feature.append(feature)
        self.split.append(split)
        self.missing_true.append(missing_true)
        for branch, index, is_leaf in ((true, self.true, self.true_is_leaf), (false, self.false, self.false_is_leaf)):
            index.append(branch[0])
            is_leaf.append(branch[1])

    def add_tree(self, nodes: Any) -> None:
        """A tree of scikit-learn's histogram boosting: its array of node records, the root first."""
        if nodes["is_leaf"][0]:
            self.add_leaf_alone(float(nodes["value"][0]))
            return
        if nodes["is_categorical"].any():
            raise ValueError("splits on native categories can't be exported; one-hot encode them before the classifier")
        is_leaf = nodes["is_leaf"].astype(bool)
        # Position of each record among the nodes or among the leaves of the whole ensemble.
        place = np.where(is_leaf, np.cumsum(is_leaf) - 1 + len(self.leaf), np.cumsum(~is_leaf) - 1 + len(self.feature))
        self.roots.append(len(self.feature))
        for node in nodes[~is_leaf]:
            left, right = ((int(place[node[side]]), int(is_leaf[node[side]])) for side in ("left", "right"))
            self._add_node(
                int(node["feature_idx"]), float(node["num_threshold"]), int(node["missing_go_to_left"]), left, right
            )
        self.leaf.extend(nodes["value"][is_leaf].tolist())


def read_hist_gradient_boosting(model: Any) -> Trees:
    """The trees of a fitted HistGradientBoostingClassifier with two classes."""
    trees = Trees(base=float(np.ravel(model._baseline_prediction)[0]))
    for (predictor,) in model._predictors:
        trees.add_tree(predictor.nodes)
    return trees


def convert_hist_gradient_boosting(scope: Any, operator: Any, container: Any) -> None:
    """HistGradientBoostingClassifier with two classes: log-odds of the second. (n, k) → (n, 1)."""
    nodes = Nodes(scope, container)
    trees = read_hist_gradient_boosting(operator.raw_operator)
    total = str(scope.get_unique_variable_name("sum_of_leaves"))
    nodes.finish("TreeEnsemble", [operator.inputs[0].full_name], total, **ensemble_attributes(trees))
    nodes.finish("Add", [total, nodes.constant("base", [trees.base])], operator.outputs[0].full_name)


def ensemble_attributes(trees: Trees) -> dict[str, Any]:
    """The attributes of `TreeEnsemble` that sum the leaves of all trees into one target."""
    return {
        "domain": PLACEHOLDER_DOMAIN,
        "n_targets": 1,
        "aggregate_function": 1,
        "post_transform": 0,
        "tree_roots": trees.roots,
        "nodes_featureids": trees.feature,
        "nodes_splits": tensor("splits", TensorProto.DOUBLE, trees.split),
        "nodes_modes": tensor("modes", TensorProto.UINT8, [LEAST_OR_EQUAL] * len(trees.feature)),
        "nodes_missing_value_tracks_true": trees.missing_true,
        "nodes_truenodeids": trees.true,
        "nodes_falsenodeids": trees.false,
        "nodes_trueleafs": trees.true_is_leaf,
        "nodes_falseleafs": trees.false_is_leaf,
        "leaf_targetids": [0] * len(trees.leaf),
        "leaf_weights": tensor("leaves", TensorProto.DOUBLE, trees.leaf),
    }
