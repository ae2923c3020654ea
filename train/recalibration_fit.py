"""The line through a model's log-odds that recent outcomes make most likely, and what it can't mend.

A line keeps the order of applicants. So it is told where the slope is off although only the intercept is moved, and
where the order (AUC) is worse than the probabilities promise.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from model.calibration import MAX_SLOPE, expit, fit_line, log_odds, measure_likelihood
from model.estimates import Estimate, Z, auc, expect_auc, lower_tail
from model.formatting import format_decimal, format_estimate
from model.stability import chi2_tail
from train.dataset import Matrix
from train.errors import TrainingError
from train.export.recalibration import Recalibration
from train.target import Labels
from train.weights import scale_effective

MIN_OUTCOMES = {False: 50, True: 100}
"""Smallest number of defaults and of goods, without and with --slope. With 50 the interval of the intercept is at most
±0.4, a factor of 1.5 of the odds; a slope needs 100 (Collins, Ogundimu & Altman, Statistics in Medicine 35, 2016)."""

SIGNIFICANCE = 0.05
"""A change is made if outcomes like these have at most this chance while the model is right (likelihood ratio)."""

AGREES = "the model agrees with these outcomes"

REVERSED = "where the model says more risk, there was less"

AUC_LOSS, AUC_CHANCE = 0.02, 0.001
"""An AUC below the promised one by more, and with less chance, is a broken order: as in the verdict of the monitor."""


@dataclass(frozen=True, slots=True)
class Order:
    """How the outcomes follow the probabilities: what an intercept doesn't change.

    `slope`: of the observed on the predicted log-odds, ideally 1. `slope_chance`, `auc_chance`: that a slope is as far
    off, an AUC as low, if the probabilities are right but for the intercept. `promised`: the AUC to be expected then.
    """

    slope: Estimate
    slope_chance: float
    auc: Estimate
    promised: float
    auc_chance: float

    @property
    def is_slope_off(self) -> bool:
        """Whether the slope isn't 1, beyond chance."""
        return self.slope_chance <= SIGNIFICANCE

    @property
    def is_broken(self) -> bool:
        """Whether applicants are in a worse order than the probabilities promise, beyond chance and by enough."""
        return self.auc_chance < AUC_CHANCE and self.auc.value < self.promised - AUC_LOSS

    @property
    def is_rising(self) -> bool:
        """Whether there was more risk where the probability is higher, beyond doubt."""
        return self.slope.low > 0 and self.auc.low > 0.5

    def __str__(self) -> str:
        return (
            f"AUC on these outcomes {format_estimate(self.auc)}; the probabilities promise "
            f"{format_decimal(self.promised)} on these applicants"
        )


@dataclass(frozen=True, slots=True)
class Fit:
    """The most likely line, its intervals, and the chance of outcomes that are as far off while the model is right."""

    intercept: Estimate
    slope: Estimate
    chance: float
    order: Order

    @property
    def change(self) -> Recalibration:
        """The line."""
        return Recalibration(self.intercept.value, self.slope.value)


def fit_outcomes(probability: Matrix, y: Labels, *, is_slope_free: bool, weight: Matrix | None = None) -> Fit:
    """Fit the line to probabilities and outcomes, shape (n,) each, 1 = default.

    With weights, shape (n,), chance and intervals are those of the effective number of rows.
    Raises TrainingError if the outcomes are too few, agree with the model, or don't rise with the probability: beyond
    doubt with a slope, else where the order is broken.
    """
    defaults, least = int(y.sum()), MIN_OUTCOMES[is_slope_free]
    if min(defaults, len(y) - defaults) < least:
        raise TrainingError(
            f"{len(y):,} outcomes with {defaults:,} defaults are too few, expected at least {least} defaults and "
            f"{least} goods{' for a slope' if is_slope_free else ''}: wait for more outcomes, or take a longer period"
        )
    x = log_odds(probability)
    scaled = scale_effective(weight)
    line = fit_line(x, y, is_slope_fixed=not is_slope_free, weight=scaled)
    chance = chi2_tail(2 * (line.likelihood - measure_likelihood(x, y, scaled)), 2 if is_slope_free else 1)
    deviations = np.sqrt(np.diag(line.covariance))
    slope = _estimate(line.slope, deviations[1]) if is_slope_free else Estimate(1.0, 1.0, 1.0)
    fit = Fit(_estimate(line.intercept, deviations[0]), slope, chance, measure_order(probability, y, weight))
    if (is_slope_free and not 0 < fit.slope.low <= MAX_SLOPE) or (fit.order.is_broken and not fit.order.is_rising):
        rise = fit.order.slope
        told = REVERSED if rise.high < 0 else "the outcomes don't rise with the probability beyond doubt"
        raise TrainingError(
            f"{told}: the slope is {format_estimate(rise, 2)}, expected above 0; {fit.order}; no line repairs that, "
            "train again instead; nothing was written"
        )
    if chance > SIGNIFICANCE:
        is_level_alone = fit.order.is_slope_off and not is_slope_free
        told = "the level agrees with these outcomes, the slope doesn't" if is_level_alone else AGREES
        with_slope = f", slope {format_estimate(fit.slope)}" if is_slope_free else ""
        found = f"intercept {format_estimate(fit.intercept)}{with_slope}, chance {chance:.2g} if it is right"
        limit = f"(a change needs at most {SIGNIFICANCE:g})"
        clauses = [f"{told}: {found} {limit}", str(fit.order), *list_faults(fit), "nothing was written"]
        raise TrainingError("; ".join(clauses))
    return fit


def measure_order(probability: Matrix, y: Labels, weight: Matrix | None = None) -> Order:
    """The order of probabilities against outcomes, shape (n,) each, of both classes."""
    x, scaled = log_odds(probability), scale_effective(weight)
    fixed, free = fit_line(x, y, is_slope_fixed=True, weight=scaled), fit_line(x, y, weight=scaled)
    found = auc(y, probability, weight)
    promised = expect_auc(expit(x + fixed.intercept), weight) or 0.5
    return Order(
        slope=_estimate(free.slope, math.sqrt(max(float(free.covariance[1, 1]), 0.0))),
        slope_chance=chi2_tail(2 * (free.likelihood - fixed.likelihood), 1),
        auc=found,
        promised=promised,
        auc_chance=lower_tail(found, promised),
    )


def list_faults(fit: Fit) -> Iterator[str]:
    """What the line leaves as it is, and what to do about it, as clauses."""
    order = fit.order
    if order.is_slope_off and fit.slope.value == 1:
        less = "less" if order.slope.value < 1 else "more"
        told = f"applicants differ {less} than the probabilities say" if order.slope.value > 0 else REVERSED
        advice = f"--slope moves it{', but not the order' * order.is_broken}"
        yield (
            f"the slope is {format_estimate(order.slope, 2)}, chance {order.slope_chance:.2g} if it is 1: {told}; "
            f"{advice if order.slope.low > 0 else 'it is not above 0 beyond doubt, so that --slope would be refused'}"
        )
    if order.is_broken:
        yield (
            f"such a low AUC has a chance of {order.auc_chance:.2g} if the order of applicants is as good as promised: "
            "no line repairs it, train again"
        )


def _estimate(value: float, deviation: float) -> Estimate:
    half_width = Z * deviation if math.isfinite(deviation) else math.inf
    return Estimate(value, value - half_width, value + half_width)
