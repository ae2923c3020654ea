"""Calibration: do predicted probabilities agree with observed default rates?

The decision threshold is derived from the costs, which is right only if they do; so training stops if they disagree on
the hold-out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from model.estimates import Estimate, Z
from train.dataset import Matrix
from train.errors import TrainingError
from train.quality import CALIBRATION_BINS, calibration_error
from train.report.intervals import default_rate, ratio_of_means
from train.target import Labels

RATIO_LIMITS = (0.95, 1.05)
"""Mean predicted probability divided by default rate on the hold-out; check_calibration stops training outside
these limits."""

N_SIMULATIONS = 200

MIN_PROBABILITY = 1e-9
"""Probabilities are kept this far from 0 and 1 before the logit is taken."""


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Applicants with similar predicted probabilities."""

    count: int
    mean_probability: float
    default_rate: Estimate


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibration of predicted probabilities on known outcomes.

    ratio: mean predicted probability divided by default rate; ideal 1. error: mean absolute difference of the two over
    ten bins of equal count. noise_error: the expected error of perfectly calibrated probabilities on as many
    applicants. slope, intercept: logistic regression of the outcomes on the predicted log-odds; ideal 1 and 0 (Cox,
    Biometrika 45, 1958).
    """

    count: int
    ratio: Estimate
    error: float
    noise_error: float
    slope: Estimate
    intercept: Estimate
    bins: tuple[CalibrationBin, ...]


def measure_calibration(y: Labels, probability: Matrix, seed: int) -> Calibration:
    """Measure predicted probabilities, float64, shape (n,), on outcomes y, int64, shape (n,), 1 = default."""
    random = np.random.default_rng(seed)
    simulated = [
        calibration_error((random.random(len(y)) < probability).astype(np.int64), probability)
        for _ in range(N_SIMULATIONS)
    ]
    slope, intercept = _regress(y, probability)
    return Calibration(
        count=len(y),
        ratio=ratio_of_means(probability, y.astype(np.float64)),
        error=calibration_error(y, probability),
        noise_error=float(np.mean(simulated)),
        slope=slope,
        intercept=intercept,
        bins=tuple(_bin(y, probability)),
    )


def check_calibration(calibration: Calibration) -> None:
    """Raise TrainingError if the ratio is outside RATIO_LIMITS by more than sampling noise.

    On a few hundred applicants sampling noise alone can move the ratio outside the limits. Training then goes on, and
    the report asks for a review.
    """
    low, high = RATIO_LIMITS
    ratio = calibration.ratio
    if low <= ratio.value <= high or not ratio.excludes(1.0):
        return
    raise TrainingError(
        f"on the {calibration.count:,} hold-out rows the mean predicted probability is {ratio.value:.3f} times the "
        f"default rate, expected {low} to {high} (sampling noise explains only ±{ratio.high - ratio.value:.3f}); the "
        "threshold would be wrong, so nothing was written: fit without class weights or resampling, name the --id "
        "column so that no applicant is in two rows, or try --model logistic"
    )


def _bin(y: Labels, probability: Matrix) -> list[CalibrationBin]:
    """Ten bins of equal count; fewer if many applicants have the same probability."""
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, CALIBRATION_BINS + 1)))[1:-1]
    numbers = np.searchsorted(edges, probability, side="right")
    return [
        CalibrationBin(int(rows.sum()), float(probability[rows].mean()), default_rate(y, rows))
        for number in range(len(edges) + 1)
        for rows in [numbers == number]
        if rows.any()
    ]


def _regress(y: Labels, probability: Matrix) -> tuple[Estimate, Estimate]:
    """Slope and intercept with Wald intervals from the Fisher information."""
    x = logit(np.clip(probability, MIN_PROBABILITY, 1 - MIN_PROBABILITY))
    if np.ptp(x) == 0:
        unknown = Estimate(float("nan"), float("-inf"), float("inf"))
        return unknown, unknown
    fitted = LogisticRegression(C=np.inf, max_iter=1000, tol=1e-8).fit(x[:, None], y)
    p = fitted.predict_proba(x[:, None])[:, 1]
    design = np.column_stack([x, np.ones_like(x)])
    half_width = Z * np.sqrt(np.diag(np.linalg.pinv((design * (p * (1 - p))[:, None]).T @ design)))
    values = (float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))
    slope, intercept = (Estimate(v, v - float(r), v + float(r)) for v, r in zip(values, half_width, strict=True))
    return slope, intercept
