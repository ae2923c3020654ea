"""imblearn's pipelines: its samplers change the training rows alone, and have no step in the description."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from train.readers.describe import describe

# By name: the library has no types.
over_sampling: Any = importlib.import_module("imblearn.over_sampling")
under_sampling: Any = importlib.import_module("imblearn.under_sampling")
pipeline: Any = importlib.import_module("imblearn.pipeline")


def test_samplers_are_skipped() -> None:
    """Wherever they stand."""
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 3))
    y = (X[:, 0] + random.normal(size=300) > 1).astype(int)
    X[random.random(X.shape) < 0.1] = np.nan
    steps = [
        ("under", under_sampling.RandomUnderSampler(sampling_strategy=0.8, random_state=0)),
        ("impute", SimpleImputer()),
        ("smote", over_sampling.SMOTE(random_state=0)),
        ("scale", StandardScaler()),
        ("classify", LogisticRegression()),
    ]
    model = pipeline.Pipeline(steps).fit(X, y)

    described = describe(model)

    assert len(described.members[0].steps) == 3  # fill, subtract, divide
    np.testing.assert_allclose(described.probability(X), model.predict_proba(X)[:, 1], rtol=0, atol=1e-15)
