"""Trees as the graph holds them: the same leaf as scikit-learn, on and beside every split."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from train.export.trees import read_hist_gradient_boosting


def walk(classifier: HistGradientBoostingClassifier, row: list[float]) -> float:
    """Log-odds of one row, by following the flat trees in plain Python."""
    trees = read_hist_gradient_boosting(classifier)
    total = trees.base
    for root in trees.roots:
        node, is_leaf = root, 0
        while not is_leaf:
            x = row[trees.feature[node]]
            goes_true = bool(trees.missing_true[node]) if np.isnan(x) else x <= trees.split[node]
            branch, leaf = (trees.true, trees.true_is_leaf) if goes_true else (trees.false, trees.false_is_leaf)
            node, is_leaf = branch[node], leaf[node]
        total += trees.leaf[node]
    return float(total)


def test_flat_trees_reach_the_leaves_that_scikit_learn_reaches() -> None:
    """On rows with gaps, and exactly on, one ulp below and one ulp above every split."""
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 3)).round(1)
    X[random.random(X.shape) < 0.2] = np.nan
    classifier = HistGradientBoostingClassifier(max_iter=10, max_leaf_nodes=8, random_state=0)
    classifier.fit(X, np.nan_to_num(X[:, 0]) + random.normal(size=300) > 0)
    trees = read_hist_gradient_boosting(classifier)
    rows = X[:50].tolist()
    for feature, split in zip(trees.feature, trees.split, strict=True):
        for value in (np.nextafter(split, -np.inf), split, np.nextafter(split, np.inf)):
            rows.append([*X[7, :feature], float(value), *X[7, feature + 1 :]])
    rows = [row for row in rows if not np.isinf(row).any()]

    expected = classifier.decision_function(np.array(rows))

    np.testing.assert_allclose(expected, [walk(classifier, row) for row in rows], rtol=0, atol=1e-12)


def test_a_tree_that_asks_nothing_is_a_node_with_one_leaf() -> None:
    """Boosting on noise may stop at the root; ONNX has no tree without a node."""
    classifier = HistGradientBoostingClassifier(max_iter=3, min_samples_leaf=40, random_state=0)
    classifier.fit(np.arange(50.0).reshape(-1, 1), np.arange(50) % 2)

    trees = read_hist_gradient_boosting(classifier)

    assert [0, 1, 2] == trees.roots
    assert trees.true == trees.false
    assert pytest.approx(float(classifier.decision_function([[3.0]])[0])) == walk(classifier, [3.0])


def test_native_categories_are_refused() -> None:
    """A split on a set of categories has no place in these trees."""
    X = np.random.default_rng(0).integers(0, 5, (200, 1)).astype(float)
    classifier = HistGradientBoostingClassifier(max_iter=2, categorical_features=[0]).fit(X, X[:, 0] % 2)

    with pytest.raises(ValueError, match="one-hot encode them"):
        read_hist_gradient_boosting(classifier)
