"""Calibration: do predicted probabilities agree with the outcomes that are known?

Cox's logistic regression of the outcomes on the predicted log-odds (Two further applications of a model for binary
regression, Biometrika 45, 1958): intercept with the slope fixed at 1, then both. Tests are by likelihood ratio, which
holds with few defaults, where Wald's doesn't.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct

from model.calibration import MAX_SLOPE, expit, fit_line, log_odds, measure_likelihood
from model.estimates import Estimate, Z, auc, expect_auc, lower_tail, proportion
from model.policy import MIN_PROBABILITY
from model.stability import chi2_tail
from monitor.history import Floats, Integers

N_BINS = 10


class Calibration(Struct, frozen=True):
    """Predicted probabilities against the outcomes of some decisions.

    `name`: "latest 500", "latest 2,000" or "all". `start`, `end`: first and last day of the decisions, YYYY-MM-DD.
    `observed`: default rate; `predicted`: mean probability; `ratio`: observed / predicted. `intercept`: what is to be
    added to the predicted log-odds, their slope left at 1; `slope`: of the observed on the predicted log-odds, ideally
    1. `chance`, `slope_chance`: that probabilities that are right give an intercept, or a slope beside any intercept,
    at least as far off. `expected_auc`: what the probabilities promise on these applicants; `auc_chance`: that an AUC
    is as low as `auc` if they are right.
    """

    name: str
    start: str
    end: str
    count: int
    defaults: int
    observed: Estimate
    predicted: float
    ratio: Estimate
    intercept: Estimate | None
    chance: float
    slope: Estimate | None
    slope_chance: float | None
    auc: Estimate | None
    expected_auc: float | None
    auc_chance: float | None


class CalibrationBin(Struct, frozen=True):
    """Decisions with similar probabilities: a point of the reliability curve."""

    count: int
    predicted: float
    observed: Estimate


def calibrate(name: str, time: Integers, probability: Floats, y: Integers) -> Calibration:
    """Compare probabilities with outcomes `y`, 1 = default, of decisions at `time`: shape (n,) each, n > 0."""
    x = log_odds(probability)
    count, defaults = len(y), int(y.sum())
    has_both = 0 < defaults < count
    start, end = np.array([time.min(), time.max()], "datetime64[us]").astype("datetime64[D]").astype(str).tolist()
    offset = fit_line(x, y, is_slope_fixed=True)
    free = fit_line(x, y) if has_both and np.ptp(x) > 0 else None
    is_separated = free is not None and abs(free.slope) > MAX_SLOPE
    order = auc(y, probability) if has_both else None
    expected = expect_auc(expit(x + offset.intercept)) if has_both else None
    return Calibration(
        name=name,
        start=start,
        end=end,
        count=count,
        defaults=defaults,
        observed=proportion(defaults, count),
        predicted=float(probability.mean()),
        ratio=observed_by_predicted(probability, y),
        intercept=_estimate(offset.intercept, offset.covariance[0, 0]) if has_both else None,
        chance=chi2_tail(2 * (offset.likelihood - measure_likelihood(x, y)), 1),
        slope=_estimate(free.slope, free.covariance[1, 1]) if free and not is_separated else None,
        slope_chance=chi2_tail(2 * (free.likelihood - offset.likelihood), 1) if free else None,
        auc=order,
        expected_auc=expected,
        auc_chance=None if order is None or expected is None else lower_tail(order, expected),
    )


def observed_by_predicted(probability: Floats, y: Integers) -> Estimate:
    """Default rate by mean probability, with Wilson's interval of the default rate.

    It is a little too wide where probabilities differ: Σ p (1 − p) is at most n times that of their mean.
    """
    predicted = max(float(probability.mean()), MIN_PROBABILITY)
    observed = proportion(int(y.sum()), len(y))
    return Estimate(observed.value / predicted, observed.low / predicted, observed.high / predicted)


def make_bins(probability: Floats, y: Integers) -> list[CalibrationBin]:
    """Ten bins of equal count; fewer if many applicants have the same probability."""
    if not len(y):
        return []
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, N_BINS + 1)))[1:-1]
    numbers = np.searchsorted(edges, probability, side="right")
    counts = np.bincount(numbers)
    defaults, sums = np.bincount(numbers, y), np.bincount(numbers, probability)
    return [
        CalibrationBin(count, total / count, proportion(int(bad), count))
        for count, bad, total in zip(counts.tolist(), defaults.tolist(), sums.tolist(), strict=True)
        if count
    ]


def _estimate(value: float, variance: float) -> Estimate:
    half_width = Z * math.sqrt(max(float(variance), 0.0))
    return Estimate(value, value - half_width, value + half_width)
