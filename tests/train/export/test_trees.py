"""Trees read from scikit-learn reach the same leaves, on and beside every split."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from tests.train.readers.trees_of import trees_of
from train.export.trees import Split, ensemble_attributes


def walk(classifier: HistGradientBoostingClassifier, row: list[float]) -> float:
    """Log-odds of one row, by walking the trees in plain Python."""
    trees = trees_of(classifier)
    total = trees.base
    for node in trees.trees:
        while isinstance(node, Split):
            x = row[node.column]
            node = node.if_true if (node.missing_goes_true if np.isnan(x) else x <= node.threshold) else node.if_false
        total += node
    return total


def test_a_tree_without_splits_is_a_node_with_equal_leaves() -> None:
    """ONNX has no tree without a node."""
    classifier = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=40, random_state=0)
    classifier.fit(np.arange(50.0).reshape(-1, 1), np.arange(50) % 2)

    trees = trees_of(classifier)
    attributes = ensemble_attributes(list(trees.trees), [0, 0, 0], 1)

    assert attributes["tree_roots"] == [0, 1, 2]
    assert not any(isinstance(tree, Split) for tree in trees.trees)
    assert walk(classifier, [3.0]) == pytest.approx(float(classifier.decision_function([[3.0]])[0]))
