"""Boosting with early stopping on a fold; one fit gives loss and predictions of every smaller number of trees.

For pipelines that end in a HistGradientBoostingClassifier, whose first n trees are those of a fit with n trees.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from train.dataset import Dataset, Matrix
from train.folds import FoldRows

PATIENCE = 3.0
"""A fit stops after PATIENCE / learning rate trees without a smaller loss: slow learning is noisy for longer."""


@dataclass(frozen=True, slots=True)
class StagedFit:
    """A pipeline fitted on a fold.

    `losses`: weighted log loss of the fold's measured rows with 1, 2, … trees, float64, shape (n_trees,). `seconds`: of
    the fit.
    """

    pipeline: Pipeline
    rows: FoldRows
    losses: Matrix
    seconds: float

    def predict(self, X: Matrix, trees: int) -> Matrix:
        """Probabilities of the measured rows of the table X with the first trees: float64, shape (n_measured,)."""
        *_, (_, booster) = self.pipeline.steps
        encoded = self.pipeline[:-1].transform(X[self.rows.measured])
        return np.asarray(next(islice(booster.staged_predict_proba(encoded), trees - 1, None))[:, 1])


def fit_staged(pipeline: Pipeline, data: Dataset, rows: FoldRows, *, stops_early: bool = True) -> StagedFit:
    """Fit an unfitted pipeline on a fold with its number of trees, or fewer if the loss no longer falls."""
    started = time.perf_counter()
    fitted, measured = data.take(rows.fitted), data.take(rows.measured)
    preprocess, (_, booster) = pipeline[:-1], pipeline.steps[-1]
    patience = round(PATIENCE / booster.learning_rate) if stops_early else booster.max_iter
    booster.set_params(early_stopping=True, n_iter_no_change=patience, scoring="loss", tol=0.0)
    X = preprocess.fit_transform(fitted.X, fitted.y)
    validation: dict[str, Any] = {"X_val": preprocess.transform(measured.X), "y_val": measured.y}
    if data.weight is not None:
        validation |= {"sample_weight": fitted.weight, "sample_weight_val": measured.weight}
    booster.fit(X, fitted.y, **validation)
    # The first score is that without trees.
    losses = -np.asarray(booster.validation_score_[1:], dtype=np.float64)
    return StagedFit(pipeline, rows, losses, time.perf_counter() - started)
