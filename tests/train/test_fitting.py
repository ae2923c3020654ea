"""Fitting with the weights of rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from train.dataset import Dataset
from train.errors import TrainingError
from train.fitting import fit


def draw_data(weight: float | None) -> Dataset:
    """Sixty rows of two classes, every third of another weight."""
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 2))
    weights = None if weight is None else np.where(np.arange(60) % 3, 1.0, weight)
    return Dataset(X, (X[:, 0] + random.normal(size=60) > 0).astype(np.int64), weights)


def test_weights_reach_the_classifier() -> None:
    """A row of weight two counts as two rows."""
    weighted = draw_data(2.0)
    rows = np.repeat(np.arange(60), np.where(np.arange(60) % 3, 1, 2))
    repeated = draw_data(None).take(rows)

    one, other = (
        fit(Pipeline([("classify", LogisticRegression(tol=1e-10))]), data).predict_proba(weighted.X)
        for data in (weighted, repeated)
    )

    np.testing.assert_allclose(one, other, atol=1e-8)


def test_a_classifier_without_weights_is_refused() -> None:
    """Its name is in the sentence; without weights it is fitted."""
    pipeline = Pipeline([("classify", LinearDiscriminantAnalysis())])

    fit(pipeline, draw_data(None))

    with pytest.raises(TrainingError, match="LinearDiscriminantAnalysis can't be fitted with weights"):
        fit(pipeline, draw_data(2.0))
