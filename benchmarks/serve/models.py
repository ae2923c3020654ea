"""The models that every peer serves: pipelines fitted on synthetic applicants, pickled for them, exported for us.

No category and no gap, so that every peer takes the same numbers; the scaler and the classifier are scikit-learn's own,
without the project's preprocessing, which would slow the peers down and not us.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import joblib
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.serve.protocols import Rows, name_fields
from model.contract import Training
from model.session import Matrix
from train.card import Card, CardField, Dataset
from train.describe import describe
from train.export import draw_reference, export
from train.threads import limit_threads

ROWS, SEED = 4_000, 0
ASKED = 1_000
"""Applicants that are posted: the first of those that the model learnt from."""


@dataclass(frozen=True)
class Spec:
    """A model: logistic regression, or boosting if it has trees; of 8 leaves each."""

    name: str
    fields: int
    trees: int = 0


MODELS = {spec.name: spec for spec in (Spec("logistic", 23), Spec("boosting", 23, 400), Spec("wide", 768))}


@dataclass(frozen=True)
class Made:
    """A model on disk, applicants to post and the probabilities that are right for them."""

    spec: Spec
    folder: Path
    rows: Rows
    probability: list[float]

    @cached_property
    def name(self) -> str:
        """The name of the model."""
        return self.spec.name


def make(spec: Spec, folder: Path) -> Made:
    """Fit a model and write pipeline.joblib and model.onnx into a folder."""
    X, y = _draw(spec.fields)
    with limit_threads(X.size):
        pipeline = _pipeline(spec).fit(X, y)
        probability = pipeline.predict_proba(X[:ASKED])[:, 1].tolist()
    training = Training(spec.name, len(y), 0, float(y.mean()), SEED, "", "", "", {})
    contract = describe(_card(spec.fields), training, "2026-01-01T00:00:00Z", {})
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(pipeline, folder / "pipeline.joblib")
    (folder / "model.onnx").write_bytes(export(pipeline, contract, draw_reference(X, SEED)))
    return Made(spec, folder, X[:ASKED].tolist(), probability)


def _draw(fields: int) -> tuple[Matrix, Matrix]:
    """Applicants whose outcome hangs on every field a little; three decimals, as numbers in bodies have."""
    random = np.random.default_rng(SEED)
    X = random.normal(size=(ROWS, fields)).round(3)
    signal = np.tanh(X) @ random.normal(size=fields) / np.sqrt(fields)
    return X, (signal + random.normal(0, 0.5, ROWS) > 0.5).astype(np.float64)


def _pipeline(spec: Spec) -> Pipeline:
    if not spec.trees:
        return Pipeline([("scale", StandardScaler()), ("classify", LogisticRegression(max_iter=2000))])
    boosting = HistGradientBoostingClassifier(
        max_iter=spec.trees,
        max_leaf_nodes=8,
        max_features=0.3,
        learning_rate=0.05,
        early_stopping=False,
        random_state=SEED,
    )
    return Pipeline([("classify", boosting)])


def _card(fields: int) -> Card:
    columns = {
        name: CardField(f"Field {number}", "number", minimum=-10.0, maximum=10.0, reason=f"High field {number}")
        for number, name in enumerate(name_fields(fields), 1)
    }
    return Card(Dataset("credit", "synthetic.csv", "default", 1), columns)
