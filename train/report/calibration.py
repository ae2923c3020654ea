"""Whether probabilities are probabilities: of a hundred applicants with 20 %, do twenty default?

Thresholds follow from costs only if they are, so that training stops where the hold-out says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from train.dataset import Labels, Matrix
from train.errors import TrainingError
from train.quality import CALIBRATION_BINS, calibration_error
from train.report.intervals import Estimate, Z, ratio_of_means, share

GATE = (0.95, 1.05)
"""Mean probability over default rate on the hold-out, beyond which nothing is exported."""

SIMULATIONS = 200
CERTAIN = 1e-9


@dataclass(frozen=True, slots=True)
class Group:
    """Applicants of about the same probability: how many, their mean probability, their default rate."""

    count: int
    probability: float
    rate: Estimate


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibration of probabilities on known outcomes.

    ratio: mean probability over default rate, 1 at best. error: mean distance of the two over ten groups of equal
    count, noise_error: what the error of perfect probabilities would be on so many applicants. slope and intercept
    of the outcomes' logistic regression on the log-odds, 1 and 0 at best (Cox, Biometrika 45, 1958).
    """

    count: int
    ratio: Estimate
    error: float
    noise_error: float
    slope: Estimate
    intercept: Estimate
    groups: tuple[Group, ...]


def measure_calibration(y: Labels, probability: Matrix, seed: int) -> Calibration:
    """Measure probabilities of default, float64, shape (n,), on outcomes y, int64, shape (n,), 1 = default."""
    random = np.random.default_rng(seed)
    simulated = [
        calibration_error((random.random(len(y)) < probability).astype(np.int64), probability)
        for _ in range(SIMULATIONS)
    ]
    slope, intercept = _regress(y, probability)
    return Calibration(
        count=len(y),
        ratio=ratio_of_means(probability, y.astype(np.float64)),
        error=calibration_error(y, probability),
        noise_error=float(np.mean(simulated)),
        slope=slope,
        intercept=intercept,
        groups=tuple(_groups(y, probability)),
    )


def check_calibration(calibration: Calibration) -> None:
    """Raise TrainingError if probabilities are off by more than the gate allows and noise explains.

    On a few hundred applicants noise alone moves the ratio further than the gate: that stops nobody, and the
    report says so.
    """
    low, high = GATE
    ratio = calibration.ratio
    if low <= ratio.value <= high or not ratio.excludes(1.0):
        return
    raise TrainingError(
        f"on the {calibration.count:,} rows held out the mean probability is {ratio.value:.3f} times the default rate, "
        f"expected {low} to {high} (noise explains no more than ±{ratio.high - ratio.value:.3f}), so that thresholds "
        "would be wrong; nothing was written: fit without class weights or resampling, name the --id so that no "
        "applicant is in two rows, or try --model logistic"
    )


def _groups(y: Labels, probability: Matrix) -> list[Group]:
    """Ten groups of equal count, fewer where many have the same probability."""
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, CALIBRATION_BINS + 1)))[1:-1]
    places = np.searchsorted(edges, probability, side="right")
    return [
        Group(int(here.sum()), float(probability[here].mean()), share(int(y[here].sum()), int(here.sum())))
        for place in range(len(edges) + 1)
        for here in [places == place]
        if here.any()
    ]


def _regress(y: Labels, probability: Matrix) -> tuple[Estimate, Estimate]:
    """Slope and intercept with Wald intervals from the Fisher information."""
    x = logit(np.clip(probability, CERTAIN, 1 - CERTAIN))
    if np.ptp(x) == 0:
        unknown = Estimate(float("nan"), float("-inf"), float("inf"))
        return unknown, unknown
    fitted = LogisticRegression(C=np.inf, max_iter=1000, tol=1e-8).fit(x[:, None], y)
    p = fitted.predict_proba(x[:, None])[:, 1]
    design = np.column_stack([x, np.ones_like(x)])
    reach = Z * np.sqrt(np.diag(np.linalg.pinv((design * (p * (1 - p))[:, None]).T @ design)))
    values = (float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))
    slope, intercept = (Estimate(v, v - float(r), v + float(r)) for v, r in zip(values, reach, strict=True))
    return slope, intercept
