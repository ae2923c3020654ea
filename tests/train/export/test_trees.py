"""Trees read from scikit-learn reach the same leaves, on and beside every split."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from train.export.trees import Split, collect_splits, ensemble_attributes, read_hist_gradient_boosting


def walk(classifier: HistGradientBoostingClassifier, row: list[float]) -> float:
    """Log-odds of one row, by walking the trees in plain Python."""
    trees = read_hist_gradient_boosting(classifier)
    total = trees.base
    for node in trees.trees:
        while isinstance(node, Split):
            x = row[node.column]
            node = node.if_true if (node.missing_goes_true if np.isnan(x) else x <= node.threshold) else node.if_false
        total += node
    return total


def test_trees_reach_the_leaves_that_scikit_learn_reaches() -> None:
    """On rows with missing values, and exactly on, one ulp below and one ulp above every split."""
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 3)).round(1)
    X[random.random(X.shape) < 0.2] = np.nan
    classifier = HistGradientBoostingClassifier(max_iter=10, max_leaf_nodes=8, random_state=0)
    classifier.fit(X, np.nan_to_num(X[:, 0]) + random.normal(size=300) > 0)
    trees = read_hist_gradient_boosting(classifier)
    rows = X[:50].tolist()
    for split in collect_splits(trees):
        at = split.threshold
        for value in (np.nextafter(at, -np.inf), at, np.nextafter(at, np.inf)):
            rows.append([*X[7, : split.column], float(value), *X[7, split.column + 1 :]])
    rows = [row for row in rows if not np.isinf(row).any()]

    expected = classifier.decision_function(np.array(rows))

    np.testing.assert_allclose([walk(classifier, row) for row in rows], expected, rtol=0, atol=1e-12)


def test_a_tree_without_splits_is_a_node_with_equal_leaves() -> None:
    """ONNX has no tree without a node."""
    classifier = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=40, random_state=0)
    classifier.fit(np.arange(50.0).reshape(-1, 1), np.arange(50) % 2)

    trees = read_hist_gradient_boosting(classifier)
    attributes = ensemble_attributes(list(trees.trees), [0, 0, 0], 1)

    assert attributes["tree_roots"] == [0, 1, 2]
    assert not any(isinstance(tree, Split) for tree in trees.trees)
    assert walk(classifier, [3.0]) == pytest.approx(float(classifier.decision_function([[3.0]])[0]))


def test_native_categories_are_refused() -> None:
    """`Split` can't represent a set of categories."""
    X = np.random.default_rng(0).integers(0, 5, (200, 1)).astype(float)
    classifier = HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]).fit(X, X[:, 0] % 2)

    with pytest.raises(ValueError, match="one-hot encode them"):
        read_hist_gradient_boosting(classifier)
