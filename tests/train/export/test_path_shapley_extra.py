"""Path-dependent Shapley values against LightGBM's own and shap's."""

from __future__ import annotations

import numpy as np
import pytest
import shap
from lightgbm import LGBMClassifier
from sklearn.ensemble import RandomForestClassifier

from tests.train.export.test_path_shapley import integrate
from tests.train.readers.trees_of import trees_of
from train.dataset import Matrix
from train.export.paths import expected_value

TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def fitted() -> tuple[LGBMClassifier, Matrix]:
    """A model of trees with 31 leaves, and its training rows, with zeros and missing values."""
    random = np.random.default_rng(0)
    X = random.normal(size=(3000, 12)).round(1)
    X[random.random(X.shape) < 0.1] = np.nan
    y = np.nan_to_num(X[:, 0] * X[:, 1]) + random.normal(size=3000) > 0
    return LGBMClassifier(n_estimators=40, num_leaves=31, subsample=0.7, subsample_freq=1, verbose=-1).fit(X, y), X


def test_they_are_those_of_pred_contrib(fitted: tuple[LGBMClassifier, Matrix]) -> None:
    """LightGBM's own, with its expected value in the last column."""
    classifier, X = fitted
    trees = trees_of(classifier)

    (actual,) = integrate(trees, np.arange(12), 12).run(None, {"x": X[:300]})

    expected = np.asarray(classifier.predict(X[:300], pred_contrib=True))
    np.testing.assert_allclose(actual, expected[:, :-1], rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(expected_value(trees), expected[:, -1], rtol=0, atol=TOLERANCE)


def test_those_of_a_forest_are_those_of_shap() -> None:
    """shap.TreeExplainer, path-dependent; for LightGBM it would ask LightGBM."""
    random = np.random.default_rng(0)
    # Numbers that float32 holds, because shap rounds to float32.
    X = random.normal(size=(1000, 8)).astype(np.float32).astype(np.float64)
    y = X[:, 0] * X[:, 1] + random.normal(size=1000) > 0
    forest = RandomForestClassifier(10, max_depth=7, random_state=0).fit(X, y)

    explainer = shap.TreeExplainer(forest, feature_perturbation="tree_path_dependent")
    expected = explainer.shap_values(X[:50], check_additivity=False)[:, :, 1]

    trees = trees_of(forest)
    (actual,) = integrate(trees, np.arange(8), 8).run(None, {"x": X[:50]})
    np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(expected_value(trees), explainer.expected_value[1], rtol=0, atol=TOLERANCE)
