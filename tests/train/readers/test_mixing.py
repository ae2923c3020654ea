"""Linear models of PCA and PolynomialFeatures: exact probabilities and exact reasons by field."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import KBinsDiscretizer, MaxAbsScaler, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from train.card import CardPolicy
from train.dataset import Matrix
from train.export.graph import convert, serialize
from train.policy import make_policy
from train.readers.describe import describe

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::FutureWarning")

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(300, 4)) * [1.0, 10.0, 100.0, 0.1] + [0.0, 5.0, 300.0, 1.0]
Y = (X[:, 0] * X[:, 1] + X[:, 2] / 50 + RANDOM.normal(size=300) > 6).astype(int)
REFERENCE = X[:40]

CHAINS = {
    "pca": lambda: [StandardScaler(), PCA(3)],
    "whitened": lambda: [PCA(2, whiten=True), StandardScaler()],
    "svd": lambda: [StandardScaler(), TruncatedSVD(2, random_state=0)],
    "pca beside columns": lambda: [make_union(PCA(2), StandardScaler()), MaxAbsScaler()],
    "squares": lambda: [PolynomialFeatures()],
    "scaled squares": lambda: [StandardScaler(), PolynomialFeatures(), StandardScaler()],
    "interactions": lambda: [StandardScaler(), PolynomialFeatures(interaction_only=True, include_bias=False)],
    "pca of products": lambda: [StandardScaler(), PolynomialFeatures(), PCA(5)],
    "cubes of two": lambda: [
        ColumnTransformer(
            [
                ("cubes", make_pipeline(StandardScaler(), PolynomialFeatures(3)), [0, 1]),
                ("pca", make_pipeline(StandardScaler(), PCA(1)), [1, 2, 3]),
                ("bins", KBinsDiscretizer(3), [2]),
            ]
        ),
        MaxAbsScaler(),
    ],
    "products of bins": lambda: [
        ColumnTransformer([("bins", KBinsDiscretizer(3), [0, 1]), ("scale", StandardScaler(), [2, 3])]),
        PolynomialFeatures(),
    ],
}


def run(model: Any, applicants: Matrix) -> list[Matrix]:
    """Probability and contributions of the exported graph."""
    graph = convert(describe(model), make_policy(CardPolicy()), REFERENCE)
    session = onnxruntime.InferenceSession(serialize(graph), providers=["CPUExecutionProvider"])
    feed = {"applicants": applicants, "explain": np.array(True)}
    answers: list[Matrix] = session.run(["probability", "contributions"], feed)
    return answers


def shapley(model: Any, applicant: Matrix) -> Matrix:
    """Shapley values of the log-odds from their definition: absent fields are those of each reference applicant."""
    fields = range(len(applicant))

    def value(present: tuple[int, ...]) -> float:
        rows = REFERENCE.copy()
        rows[:, present] = applicant[list(present)]
        return float(model.decision_function(rows).mean())

    result = np.zeros(len(applicant))
    for field in fields:
        others = [other for other in fields if other != field]
        for size in range(len(applicant)):
            weight = 1 / (len(applicant) * comb(len(others), size))
            for present in combinations(others, size):
                result[field] += weight * (value((*present, field)) - value(present))
    return result


@pytest.mark.parametrize("name", sorted(CHAINS))
def test_probabilities_and_reasons_are_exact(name: str) -> None:
    """The graph gives the library's probability and the Shapley values of their definition, which add up."""
    model = make_pipeline(*CHAINS[name](), LogisticRegression(max_iter=300)).fit(X, Y)

    probability, contributions = run(model, X)

    np.testing.assert_allclose(probability, model.predict_proba(X)[:, 1], rtol=0, atol=1e-12)
    base = model.decision_function(REFERENCE).mean()
    np.testing.assert_allclose(base + contributions.sum(axis=1), model.decision_function(X), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(contributions[7], shapley(model, X[7]), rtol=1e-9, atol=1e-9)


@settings(max_examples=20)
@given(st.lists(st.sampled_from(["scale", "pca", "largest"]), max_size=3), st.integers(1, 4), st.booleans())
def test_chains_of_sums_fold_into_one_linear_model(steps: list[str], components: int, whiten: bool) -> None:
    """However many there are."""
    makers = {"scale": StandardScaler, "pca": lambda: PCA(whiten=whiten), "largest": MaxAbsScaler}
    model = make_pipeline(PCA(components), *(makers[step]() for step in steps), LogisticRegression()).fit(X, Y)

    described = describe(model)

    assert described.members[0].steps == ()
    np.testing.assert_allclose(described.probability(X), model.predict_proba(X)[:, 1], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (make_pipeline(PCA(), DecisionTreeClassifier()), "trees on columns that mix fields"),
        (make_pipeline(StandardScaler(), PolynomialFeatures(3), LogisticRegression()), "products of three fields"),
        (make_pipeline(PCA(2), PolynomialFeatures(), LogisticRegression()), "products of three fields, or of columns"),
        (make_pipeline(PCA(2), KBinsDiscretizer(), LogisticRegression()), "a step \\(OneHot\\) after PCA"),
        (
            make_pipeline(
                PCA(2),
                ColumnTransformer([("a", KBinsDiscretizer(), [0]), ("b", "passthrough", [1])]),
                LogisticRegression(),
            ),
            "after PCA",
        ),
    ],
)
def test_other_mixtures_are_refused(model: Any, message: str) -> None:
    """In one sentence."""
    model.fit(X, Y)

    with pytest.raises(ValueError, match=message):
        describe(model)
