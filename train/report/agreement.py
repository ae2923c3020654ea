"""Does the mean predicted probability agree with the default rate? The test of the gate, of segments and of groups.

Its noise is that of outcomes drawn from the predicted probabilities, not that around the observed rate: the latter is
small just where few defaults happened by chance, and would reject calibrated models too often.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import pearson3

from train.dataset import Matrix
from train.target import Labels
from train.weights import weighted_mean

RATIO_LIMITS = (0.95, 1.05)
"""Mean predicted probability divided by default rate; a model outside these limits beyond noise is rejected."""

DEPENDENCE = 3.0
"""Standard errors beyond which the mean weight of the defaults shows that weights depend on the outcome."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Mean probability and default rate, with the rate's standard deviation and skewness if probabilities are right.

    The quantiles of the rate are those of Pearson's type III, exact enough from six expected defaults on and far in the
    tails, where a normal approximation isn't.
    """

    predicted: float
    observed: float
    deviation: float
    skewness: float

    @property
    def is_outside(self) -> bool:
        """Whether predicted divided by observed is outside RATIO_LIMITS."""
        low, high = RATIO_LIMITS
        return not low * self.observed <= self.predicted <= high * self.observed

    def is_rejected(self, confidence: float) -> bool:
        """Whether predicted divided by observed is outside RATIO_LIMITS by more than this noise."""
        return self.is_outside and abs(self.predicted - self.observed) > self._reach(confidence)

    def noise(self, confidence: float) -> float:
        """How far from 1 the ratio may be by chance, on the side where it is; infinite without a default."""
        return self._reach(confidence) / self.observed if self.observed else float("inf")

    def _reach(self, confidence: float) -> float:
        tail = (1 - confidence) / 2
        share = 1 - tail if self.observed > self.predicted else tail
        return abs(float(pearson3.ppf(share, self.skewness))) * self.deviation


def measure_agreement(y: Labels, probability: Matrix, weight: Matrix | None = None) -> Agreement:
    """Compare outcomes y, int64, shape (n,), 1 = default, with probabilities, float64, (n,); weight: float64, (n,).

    The defaults are independent draws. The variance of Σ w (y − p) is Σ w² p (1 − p); where weights depend on the
    outcome, as those of a sample of the good applicants, it is Σ w p (1 − p) ((1 − p) w₁ + p w₀), where w₁ and w₀ are
    Σ w² / Σ w of the defaults and of the others: a row stands for w applicants, each drawn with chance 1 / w.
    """
    w = np.ones(len(y)) if weight is None else weight / weight.mean()
    p = probability
    squares, cubes = (_weigh_outcomes(y, p, w, power) for power in (1, 2))
    variance = float((w * p * (1 - p) * ((1 - p) * squares[1] + p * squares[0])).sum())
    third = float((w * p * (1 - p) * ((1 - p) ** 2 * cubes[1] - p**2 * cubes[0])).sum())
    return Agreement(
        predicted=weighted_mean(p, w),
        observed=weighted_mean(y, w),
        deviation=variance**0.5 / float(w.sum()),
        skewness=third / variance**1.5 if variance else 0.0,
    )


def _weigh_outcomes(y: Labels, probability: Matrix, w: Matrix, power: int) -> tuple[Matrix, Matrix]:
    """The mean of w^power over the applicants whom rows stand for, of the good ones and of the defaults.

    It is w^power of each row itself as long as weights don't depend on the outcome.
    """
    own = w**power
    is_default = y == 1
    if is_default.all() or not is_default.any() or not probability.any():
        return own, own
    expected = np.average(w, weights=probability)
    noise = np.sqrt(np.average((w - expected) ** 2, weights=probability) / is_default.sum())
    if abs(w[is_default].mean() - expected) <= DEPENDENCE * noise:
        return own, own
    good, bad = (np.full(len(w), np.average(own[rows], weights=w[rows])) for rows in (~is_default, is_default))
    return good, bad
