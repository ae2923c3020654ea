"""Calibration of probabilities by outcomes: the line through log-odds that is most likely.

Logistic regression of outcomes on predicted log-odds (Cox, Two further applications of a model for binary regression,
Biometrika 45, 1958). Used to check a model's probabilities, and to recalibrate a model.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model.estimates import Matrix
from model.policy import MIN_PROBABILITY

Outcomes = npt.NDArray[np.int64]
"""1 = default, 0 = none."""

MAX_STEPS = 60

MAX_SLOPE = 1_000.0
"""Beyond it probabilities separate the outcomes completely, and there is no estimate."""


class Line(NamedTuple):
    """Log-odds as intercept + slope · predicted log-odds; its log-likelihood, and the inverse of the information."""

    intercept: float
    slope: float
    likelihood: float
    covariance: Matrix


def log_odds(probability: Matrix) -> Matrix:
    """ln(p / (1 − p)), of probabilities kept off 0 and 1."""
    p = np.clip(probability, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    return np.log(p) - np.log1p(-p)


def expit(x: Matrix) -> Matrix:
    """Probabilities of log-odds."""
    return np.exp(-np.logaddexp(0.0, -x))


def measure_likelihood(log_odds: Matrix, y: Outcomes, weight: Matrix | None = None) -> float:
    """The log-likelihood of outcomes; `weight`: of each, shape (n,), None if all count the same."""
    if weight is None:
        return float(y @ log_odds - np.logaddexp(0.0, log_odds).sum())
    return float(weight @ (y * log_odds - np.logaddexp(0.0, log_odds)))


def fit_line(x: Matrix, y: Outcomes, *, is_slope_fixed: bool = False, weight: Matrix | None = None) -> Line:
    """Fit intercept and slope, or the intercept beside a slope of 1, by Newton's method with halved steps.

    With one class only the intercept goes off to ±∞; it stops where the likelihood no longer changes. An outcome of
    `weight` 2 counts as two outcomes, in the covariance too.
    """
    counts = np.ones_like(x) if weight is None else weight
    design = np.column_stack([np.ones_like(x), x])
    free = slice(0, 1) if is_slope_fixed else slice(0, 2)
    at = np.array([0.0, 1.0])
    likelihood = measure_likelihood(x, y, weight)
    covariance = np.full((2, 2), np.inf)
    for _ in range(MAX_STEPS):
        p = expit(design @ at)
        gradient = (design.T @ (counts * (y - p)))[free]
        covariance = np.linalg.pinv(((design * (counts * p * (1 - p))[:, np.newaxis]).T @ design)[free, free])
        step = np.zeros(2)
        step[free] = covariance @ gradient
        # Without a bound one step from a flat place would overflow.
        step *= min(1.0, 10.0 / max(float(np.abs(step).max()), 1e-300))
        for _ in range(MAX_STEPS):
            new = measure_likelihood(design @ (at + step), y, weight)
            if new >= likelihood:
                break
            step /= 2
        else:
            break
        at, gain, likelihood = at + step, new - likelihood, new
        if gain < 1e-10 or abs(at[1]) > MAX_SLOPE:
            break
    return Line(float(at[0]), float(at[1]), likelihood, covariance)
