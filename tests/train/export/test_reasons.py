"""Contributions as the graph gives them: additive, per field, free of charge when nobody asks."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import shap
from scipy.special import logit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from train.card import CardPolicy
from train.dataset import Matrix
from train.export.graph import convert_pipeline, serialize
from train.policy import make_policy

POLICY = make_policy(CardPolicy())
ADDITIVITY = 1e-9
SHAP_TOLERANCE = 1e-6


def draw(rows: int, columns: int) -> tuple[Matrix, Matrix]:
    """Numbers and an outcome that hangs on a few of them."""
    random = np.random.default_rng(columns)
    # Numbers that float32 holds, because shap rounds to float32 (test_shapley.py).
    X = random.normal(2, 3, (rows, columns)).astype(np.float32).astype(np.float64)
    return X, (X[:, 0] - X[:, -1] + random.normal(0, 2, rows) > 0).astype(int)


def explain(model: onnx.ModelProto, applicants: Matrix, explain: bool | None = True) -> list[Matrix]:
    """probability and contributions of a graph; None leaves the optional input out."""
    session = onnxruntime.InferenceSession(serialize(model), providers=["CPUExecutionProvider"])
    feed = {"applicants": applicants} | ({} if explain is None else {"explain": np.array(explain)})
    answers: list[Matrix] = session.run(["probability", "contributions"], feed)
    return answers


def boosting(trees: int = 30) -> HistGradientBoostingClassifier:
    """Small trees."""
    return HistGradientBoostingClassifier(max_iter=trees, max_leaf_nodes=8, random_state=0)


PIPELINES = {
    "boosting": lambda: Pipeline([("classify", boosting())]),
    "scaled boosting": lambda: Pipeline([("scale", StandardScaler()), ("classify", boosting())]),
    "logistic": lambda: Pipeline([("scale", StandardScaler()), ("classify", LogisticRegression())]),
}


@pytest.mark.parametrize("kind", sorted(PIPELINES))
@pytest.mark.parametrize("columns", [3, 60])
def test_base_value_and_contributions_rebuild_the_log_odds(kind: str, columns: int) -> None:
    """For every classifier, on few fields and on many."""
    X, y = draw(300, columns)
    pipeline = PIPELINES[kind]().fit(X, y)
    reference = X[:100]

    probability, contributions = explain(convert_pipeline(pipeline, POLICY, reference), X)

    base_value = pipeline.decision_function(reference).mean()
    assert (300, columns) == contributions.shape
    np.testing.assert_allclose(logit(probability), base_value + contributions.sum(axis=1), rtol=0, atol=ADDITIVITY)


@pytest.mark.parametrize("explain_input", [None, False])
def test_nothing_is_explained_unless_asked(explain_input: bool | None) -> None:
    """Without the optional input, or with false, there are no rows of contributions and the same probabilities."""
    X, y = draw(200, 4)
    model = convert_pipeline(PIPELINES["boosting"]().fit(X, y), POLICY, X[:50])

    probability, contributions = explain(model, X, explain_input)

    assert (0, 4) == contributions.shape
    np.testing.assert_array_equal(explain(model, X)[0], probability)


def test_a_linear_model_agrees_with_shap() -> None:
    """shap.LinearExplainer on the same reference rows."""
    X, y = draw(300, 5)
    pipeline = Pipeline([("classify", LogisticRegression(max_iter=1000))]).fit(X, y)

    expected = shap.LinearExplainer(pipeline[-1], X[:80]).shap_values(X)

    _, contributions = explain(convert_pipeline(pipeline, POLICY, X[:80]), X)
    np.testing.assert_allclose(expected, contributions, rtol=0, atol=SHAP_TOLERANCE)


def test_boosting_agrees_with_shap() -> None:
    """shap.TreeExplainer, interventional, on the same reference rows, through the graph."""
    X, y = draw(400, 6)
    pipeline = PIPELINES["boosting"]().fit(X, y)

    explainer = shap.TreeExplainer(pipeline[-1], X[:100], feature_perturbation="interventional")
    expected = explainer.shap_values(X[:50], check_additivity=False)

    _, contributions = explain(convert_pipeline(pipeline, POLICY, X[:100]), X[:50])
    np.testing.assert_allclose(expected, contributions, rtol=0, atol=SHAP_TOLERANCE)


def test_a_model_without_a_question_has_no_contributions() -> None:
    """Boosting on nothing but noise gives every applicant the base value."""
    X = np.arange(50.0).reshape(-1, 1)
    pipeline = Pipeline([("classify", HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=40))])
    model = convert_pipeline(pipeline.fit(X, np.arange(50) % 2), POLICY, X)

    _, contributions = explain(model, X)

    np.testing.assert_array_equal(np.zeros((50, 1)), contributions)


def test_tables_grow_with_the_trees_and_not_with_the_fields() -> None:
    """As many trees on 40 times as many fields: the file stays as it is, but for the names of more columns."""
    sizes = []
    for columns in (20, 800):
        X, y = draw(300, columns)
        pipeline = Pipeline([("classify", boosting(50))]).fit(X, y)
        sizes.append(len(serialize(convert_pipeline(pipeline, POLICY, X[:50]))))

    assert sizes[1] < 1.5 * sizes[0]


def test_the_reference_population_isnt_in_the_file() -> None:
    """Its rows are counted into the tables; no value of an applicant can be found in the bytes."""
    X, y = draw(300, 3)
    pipeline = PIPELINES["boosting"]().fit(X, y)
    reference = X[:20] + 0.123456789

    content = serialize(convert_pipeline(pipeline, POLICY, reference))

    assert not any(value.tobytes() in content for value in reference.ravel())
