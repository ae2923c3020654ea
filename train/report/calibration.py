"""Calibration: do predicted probabilities agree with observed default rates?

The decision threshold is derived from the costs, which is right only if they do; so a model whose probabilities
disagree with the outcomes of the hold-out is rejected.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.calibration import expit, fit_line, log_odds
from model.estimates import CONFIDENCE, Estimate, Z
from train.dataset import Matrix
from train.quality import CALIBRATION_BINS, calibration_error
from train.report.agreement import Agreement, measure_agreement
from train.report.intervals import default_rate, ratio_of_means
from train.target import Labels
from train.weights import select, weighted_mean, weighted_quantile

GATE_CONFIDENCE = 0.99
"""Of the noise that a model is rejected beyond: of 100 calibrated models one is beyond it by chance."""

SLOPE_LIMITS = (0.9, 1.1)
"""A slope outside these limits beyond noise is to be reviewed."""

NOISE_FACTOR = 1.5
"""A calibration error up to this multiple of the one that sampling noise alone causes passes."""

N_SIMULATIONS = 200


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Applicants with similar predicted probabilities."""

    count: int
    mean_probability: float
    default_rate: Estimate


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibration of predicted probabilities on known outcomes.

    ratio: mean predicted probability divided by default rate; ideal 1. agreement: the test of it. error: mean absolute
    difference of the two over ten bins of equal count. noise_error: the expected error of perfectly calibrated
    probabilities on as many applicants. slope, intercept: logistic regression of the outcomes on the predicted
    log-odds; ideal 1 and 0 (Cox, Biometrika 45, 1958).
    """

    count: int
    ratio: Estimate
    agreement: Agreement
    error: float
    noise_error: float
    slope: Estimate
    intercept: Estimate
    bins: tuple[CalibrationBin, ...]

    @property
    def is_outside(self) -> bool:
        """Whether the ratio is outside RATIO_LIMITS."""
        return self.agreement.is_outside

    @property
    def noise(self) -> float:
        """How far from 1 the ratio may be by chance, with GATE_CONFIDENCE."""
        return self.agreement.noise(GATE_CONFIDENCE)

    @property
    def is_rejected(self) -> bool:
        """Whether the ratio is outside RATIO_LIMITS by more than the noise of GATE_CONFIDENCE.

        On a few hundred applicants noise alone can move the ratio outside the limits; the model is then to be reviewed.
        """
        return self.agreement.is_rejected(GATE_CONFIDENCE)

    @property
    def is_miscalibrated(self) -> bool:
        """Whether the ratio is outside RATIO_LIMITS by more than the noise of CONFIDENCE."""
        return self.agreement.is_rejected(CONFIDENCE)

    @property
    def is_slope_off(self) -> bool:
        """Whether the slope is outside SLOPE_LIMITS by more than sampling noise."""
        return self.slope.excludes(1.0) and not SLOPE_LIMITS[0] <= self.slope.value <= SLOPE_LIMITS[1]

    @property
    def is_error_noise(self) -> bool:
        """Whether sampling noise explains the error."""
        return self.error <= NOISE_FACTOR * self.noise_error


def measure_calibration(y: Labels, probability: Matrix, seed: int, weight: Matrix | None = None) -> Calibration:
    """Measure predicted probabilities, float64, shape (n,), on outcomes y, int64, shape (n,), 1 = default.

    weight: float64, (n,).
    """
    random = np.random.default_rng(seed)
    simulated = [
        calibration_error((random.random(len(y)) < probability).astype(np.int64), probability, weight)
        for _ in range(N_SIMULATIONS)
    ]
    slope, intercept = _regress(y, probability, weight)
    return Calibration(
        count=len(y),
        ratio=ratio_of_means(probability, y.astype(np.float64), weight),
        agreement=measure_agreement(y, probability, weight),
        error=calibration_error(y, probability, weight),
        noise_error=float(np.mean(simulated)),
        slope=slope,
        intercept=intercept,
        bins=tuple(_bin(y, probability, weight)),
    )


def _bin(y: Labels, probability: Matrix, weight: Matrix | None) -> list[CalibrationBin]:
    """Ten bins of equal count; fewer if many applicants have the same probability."""
    edges = np.unique(weighted_quantile(probability, np.linspace(0, 1, CALIBRATION_BINS + 1), weight))[1:-1]
    numbers = np.searchsorted(edges, probability, side="right")
    return [
        CalibrationBin(
            int(rows.sum()), weighted_mean(probability[rows], select(weight, rows)), default_rate(y, rows, weight)
        )
        for number in range(len(edges) + 1)
        for rows in [numbers == number]
        if rows.any()
    ]


def _regress(y: Labels, probability: Matrix, weight: Matrix | None) -> tuple[Estimate, Estimate]:
    """Slope and intercept with Wald intervals from the sandwich of White (Econometrica 50, 1982).

    It holds where a line doesn't fit, as on newer applicants; there the information would give too narrow intervals.
    """
    x = log_odds(probability)
    if np.ptp(x) == 0:
        unknown = Estimate(float("nan"), float("-inf"), float("inf"))
        return unknown, unknown
    line = fit_line(x, y, weight=weight)
    residuals = (y - expit(line.intercept + line.slope * x)) * (1.0 if weight is None else weight)
    scores = np.column_stack([residuals, residuals * x])
    covariance = line.covariance @ (scores.T @ scores) @ line.covariance
    intercept, slope = (
        Estimate(value, value - half_width, value + half_width)
        for value, half_width in zip(
            (line.intercept, line.slope), (Z * np.sqrt(np.diag(covariance))).tolist(), strict=True
        )
    )
    return slope, intercept
