"""Correction of a model's probabilities: a line through its log-odds, fitted on out-of-fold predictions.

The line is part of the fitted model (CorrectedClassifier), and so of the graph: reasons, base value and golden rows
follow. It is used only where it is beyond noise, and never fitted on the hold-out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import Pipeline

from model.calibration import Line, expit, fit_line, log_odds, measure_likelihood
from model.estimates import Estimate, Z
from train.dataset import Dataset, Matrix
from train.folds import FoldRows
from train.scorecard.classifier import ScorecardClassifier
from train.weights import scale_effective, select

SIGNIFICANCE = 0.01
"""A line is used only if calibrated probabilities would ask for one as much in fewer of all cases than this share."""


@dataclass(frozen=True, slots=True)
class Correction:
    """New log-odds = intercept + slope · log-odds."""

    intercept: Estimate
    slope: Estimate

    @property
    def line(self) -> tuple[float, float]:
        """Intercept and slope."""
        return self.intercept.value, self.slope.value

    def __str__(self) -> str:
        intercept, slope = (
            f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})" for one in (self.intercept, self.slope)
        )
        return (
            f"Corrected: log-odds = intercept {intercept} + slope {slope} · log-odds of the fitted model, by its "
            "predictions across the folds; the line is part of the graph"
        )


def fit_correction(data: Dataset, probability: Matrix) -> Correction | None:
    """The correction that out-of-fold probabilities, shape (n,), ask for; None if they are calibrated up to noise.

    Likelihood-ratio test of the line against intercept 0 and slope 1, with the effective number of rows. A line with a
    slope that isn't above 0, which would reverse the order of applicants, is no correction.
    """
    rows = np.isfinite(probability)
    x, y, weight = log_odds(probability[rows]), data.y[rows], select(data.weight, rows)
    if not 0 < y.sum() < len(y) or not np.ptp(x):
        return None
    scaled = scale_effective(weight)
    line = fit_line(x, y, weight=scaled)
    gain = 2 * (line.likelihood - measure_likelihood(x, y, scaled))
    if gain <= chi2.isf(SIGNIFICANCE, 2) or line.slope <= 0:
        return None
    return _make_correction(line)


def correct_across_folds(data: Dataset, probability: Matrix, folds: list[FoldRows]) -> Matrix:
    """Out-of-fold probabilities, shape (n,), corrected in each fold by the line of the other folds.

    The rows of a fold don't influence their own correction. A fold whose other folds give no slope above 0 stays.
    """
    corrected = probability.copy()
    for rows in folds:
        other = np.isfinite(probability)
        other[rows.measured] = False
        line = fit_line(log_odds(probability[other]), data.y[other], weight=select(data.weight, other))
        if line.slope > 0:
            corrected[rows.measured] = expit(line.intercept + line.slope * log_odds(probability[rows.measured]))
    return corrected


def correct(pipeline: Pipeline, line: tuple[float, float]) -> Any:
    """The fitted pipeline with corrected probabilities; a scorecard is rounded to whole points after it."""
    *before, (name, classifier) = pipeline.steps
    if isinstance(classifier, ScorecardClassifier):
        return Pipeline([*before, (name, classifier.corrected(*line))])
    return CorrectedClassifier(pipeline, *line)


def _make_correction(line: Line) -> Correction:
    half = Z * np.sqrt(np.diag(line.covariance))
    intercept, slope = (
        Estimate(value, value - float(width), value + float(width))
        for value, width in zip((line.intercept, line.slope), half, strict=True)
    )
    return Correction(intercept, slope)


class CorrectedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted classifier with two classes whose log-odds are moved by a line."""

    def __init__(self, estimator: Any, intercept: float, slope: float) -> None:
        self.estimator = estimator
        self.intercept = intercept
        self.slope = slope

    def __sklearn_is_fitted__(self) -> bool:
        """It is made of a fitted classifier."""
        return True

    @property
    def classes_(self) -> Any:
        """Those of the classifier."""
        return self.estimator.classes_

    @property
    def n_features_in_(self) -> int:
        """Number of columns that the classifier takes."""
        return int(self.estimator.n_features_in_)

    def fit(self, X: Any, y: Any) -> CorrectedClassifier:
        """Nothing to do."""
        return self

    def predict_proba(self, X: Any) -> Matrix:
        """Probabilities of both classes: float64, shape (n, 2)."""
        if hasattr(self.estimator, "decision_function"):
            x = self.estimator.decision_function(X)
        else:
            x = log_odds(np.asarray(self.estimator.predict_proba(X)[:, 1], dtype=np.float64))
        p = expit(self.intercept + self.slope * x)
        return np.column_stack([1 - p, p])
