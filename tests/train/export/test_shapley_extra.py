"""Shapley values against shap, whose numbers go through float32."""

from __future__ import annotations

import numpy as np
import shap
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from tests.train.export.test_reasons import PIPELINES, POLICY, draw, explain
from tests.train.export.test_shapley import look_up
from tests.train.readers.trees_of import trees_of
from train.export.graph import convert
from train.readers.describe import describe

SHAP_TOLERANCE = 1e-6
"""shap stores leaf values and sums in places in float32."""


def test_a_linear_model_agrees_with_shap() -> None:
    """shap.LinearExplainer on the same reference rows."""
    X, y = draw(300, 5)
    pipeline = Pipeline([("classify", LogisticRegression(max_iter=1000))]).fit(X, y)

    expected = shap.LinearExplainer(pipeline[-1], X[:80]).shap_values(X)

    _, contributions = explain(convert(describe(pipeline), POLICY, X[:80]), X)
    np.testing.assert_allclose(expected, contributions, rtol=0, atol=SHAP_TOLERANCE)


def test_boosting_agrees_with_shap() -> None:
    """shap.TreeExplainer, interventional, on the same reference rows, through the graph."""
    X, y = draw(400, 6)
    pipeline = PIPELINES["boosting"]().fit(X, y)

    explainer = shap.TreeExplainer(pipeline[-1], X[:100], feature_perturbation="interventional")
    expected = explainer.shap_values(X[:50], check_additivity=False)

    _, contributions = explain(convert(describe(pipeline), POLICY, X[:100]), X[:50])
    np.testing.assert_allclose(expected, contributions, rtol=0, atol=SHAP_TOLERANCE)


def test_they_agree_with_shap() -> None:
    """shap.TreeExplainer, interventional, on the same reference rows.

    The numbers are such that float32 holds them: shap rounds applicants to float32, which moves those that lie
    on a split into another leaf. (Without rounding its own values miss the log-odds by up to 0.2 here, and its
    additivity check says so.)
    """
    random = np.random.default_rng(1)
    X = random.normal(size=(400, 6)).astype(np.float32).astype(np.float64)
    classifier = HistGradientBoostingClassifier(max_iter=50, max_leaf_nodes=8, random_state=0)
    classifier.fit(X, X[:, 0] * X[:, 1] + X[:, 2] > 0)
    reference, rows = X[:100], X[100:150]

    expected = shap.TreeExplainer(classifier, reference, feature_perturbation="interventional").shap_values(
        rows, check_additivity=False
    )

    actual = look_up(trees_of(classifier), np.arange(6), reference, rows, 6)
    np.testing.assert_allclose(expected, actual, rtol=0, atol=SHAP_TOLERANCE)
