"""Contributions of the exported graph: additive, by field, and computed only on request."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from scipy.special import logit
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from train.card import CardPolicy
from train.dataset import Matrix
from train.export.graph import convert, serialize
from train.policy import make_policy
from train.readers.describe import describe

POLICY = make_policy(CardPolicy())
ADDITIVITY = 1e-9


def draw(rows: int, columns: int) -> tuple[Matrix, Matrix]:
    """Numbers, and an outcome that depends on two of them."""
    random = np.random.default_rng(columns)
    # Numbers that float32 holds, because shap rounds to float32 (test_shapley_extra.py).
    X = random.normal(2, 3, (rows, columns)).astype(np.float32).astype(np.float64)
    return X, (X[:, 0] - X[:, -1] + random.normal(0, 2, rows) > 0).astype(int)


def explain(model: onnx.ModelProto, applicants: Matrix, explain: bool | None = True) -> list[Matrix]:
    """Probability and contributions of a graph; None omits the optional input."""
    session = onnxruntime.InferenceSession(serialize(model), providers=["CPUExecutionProvider"])
    feed = {"applicants": applicants} | ({} if explain is None else {"explain": np.array(explain)})
    answers: list[Matrix] = session.run(["probability", "contributions"], feed)
    return answers


def boosting(trees: int = 30) -> HistGradientBoostingClassifier:
    """Boosting of 8-leaf trees."""
    return HistGradientBoostingClassifier(max_iter=trees, max_leaf_nodes=8, random_state=0)


PIPELINES = {
    "boosting": lambda: Pipeline([("classify", boosting())]),
    "scaled boosting": lambda: Pipeline([("scale", StandardScaler()), ("classify", boosting())]),
    "logistic": lambda: Pipeline([("scale", StandardScaler()), ("classify", LogisticRegression())]),
}


@pytest.mark.parametrize("kind", sorted(PIPELINES))
@pytest.mark.parametrize("columns", [3, 60])
def test_base_value_and_contributions_sum_to_the_log_odds(kind: str, columns: int) -> None:
    """For every kind of pipeline, on few and on many fields."""
    X, y = draw(300, columns)
    pipeline = PIPELINES[kind]().fit(X, y)
    reference = X[:100]

    probability, contributions = explain(convert(describe(pipeline), POLICY, reference), X)

    base_value = pipeline.decision_function(reference).mean()
    assert contributions.shape == (300, columns)
    np.testing.assert_allclose(logit(probability), base_value + contributions.sum(axis=1), rtol=0, atol=ADDITIVITY)


@pytest.mark.parametrize("explain_input", [None, False])
def test_contributions_are_empty_unless_requested(explain_input: bool | None) -> None:
    """Without the optional input, or with false; the probabilities are the same."""
    X, y = draw(200, 4)
    model = convert(describe(PIPELINES["boosting"]().fit(X, y)), POLICY, X[:50])

    probability, contributions = explain(model, X, explain_input)

    assert contributions.shape == (0, 4)
    np.testing.assert_array_equal(probability, explain(model, X)[0])


def test_a_model_without_splits_has_contributions_of_zero() -> None:
    """Boosting on noise gives every applicant the base value."""
    X = np.arange(50.0).reshape(-1, 1)
    pipeline = Pipeline([("classify", HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=40))])
    model = convert(describe(pipeline.fit(X, np.arange(50) % 2)), POLICY, X)

    _, contributions = explain(model, X)

    np.testing.assert_array_equal(contributions, np.zeros((50, 1)))


def test_the_file_size_does_not_grow_with_the_number_of_fields() -> None:
    """The same number of trees on 40 times as many fields."""
    sizes = []
    for columns in (20, 800):
        X, y = draw(300, columns)
        pipeline = Pipeline([("classify", boosting(50))]).fit(X, y)
        sizes.append(len(serialize(convert(describe(pipeline), POLICY, X[:50]))))

    assert sizes[1] < 1.5 * sizes[0]


def test_the_reference_population_is_not_in_the_file() -> None:
    """No value of its applicants occurs in the bytes."""
    X, y = draw(300, 3)
    pipeline = PIPELINES["boosting"]().fit(X, y)
    reference = X[:20] + 0.123456789

    content = serialize(convert(describe(pipeline), POLICY, reference))

    assert not any(value.tobytes() in content for value in reference.ravel())
