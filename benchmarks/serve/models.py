"""The models that all peers serve: pipelines fitted on synthetic applicants, as pickle and as ONNX file.

Without categories and missing values, so that every peer gets the same numbers, and with scikit-learn's own scaler and
classifier: the project's preprocessing would slow down the peers and not this service.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import joblib
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.serve.protocols import Rows, name_fields
from benchmarks.synthetic import SEED, draw_applicants, make_boosting
from model.contract import Training
from train.card import Card, CardDataset, CardField
from train.contract import make_contract
from train.export import draw_reference, export
from train.readers.describe import describe
from train.threads import limit_threads

BATCH_ROWS = 1_000
"""Rows of a large body, and the number of applicants that are posted: the first of the training data."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A model: logistic regression, or boosting with trees of 8 leaves if there are `trees`."""

    name: str
    fields: int
    trees: int = 0


MODELS = {spec.name: spec for spec in (Spec("logistic", 23), Spec("boosting", 23, 400), Spec("wide", 768))}


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model on disk, applicants to post, and scikit-learn's probabilities of them."""

    folder: Path
    rows: Rows
    probability: list[float]


def train_model(spec: Spec, folder: Path) -> TrainedModel:
    """Fit a model and write pipeline.joblib and model.onnx to a folder."""
    X, y = draw_applicants(spec.fields)
    with limit_threads(X.size):
        pipeline = _pipeline(spec).fit(X, y)
        probability = pipeline.predict_proba(X[:BATCH_ROWS])[:, 1].tolist()
    training = Training(spec.name, len(y), 0, float(y.mean()), SEED, "", "", "", {})
    contract = make_contract(_card(spec.fields), training, "2026-01-01T00:00:00Z", {})
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(pipeline, folder / "pipeline.joblib")
    (folder / "model.onnx").write_bytes(export(describe(pipeline), contract, draw_reference(X, SEED)))
    return TrainedModel(folder, X[:BATCH_ROWS].tolist(), probability)


def _pipeline(spec: Spec) -> Pipeline:
    if not spec.trees:
        return Pipeline([("scale", StandardScaler()), ("classify", LogisticRegression(max_iter=2000))])
    return Pipeline([("classify", make_boosting(spec.trees))])


def _card(fields: int) -> Card:
    columns = {
        name: CardField(f"Field {number}", "number", minimum=-10.0, maximum=10.0, reason=f"High field {number}")
        for number, name in enumerate(name_fields(fields), 1)
    }
    return Card(CardDataset("credit", "synthetic.csv", "default", 1), columns)
