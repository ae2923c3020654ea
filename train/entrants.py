"""The settings in a race, with their fits on the folds so far, and how two of them compare beyond noise."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from model.calibration import log_odds
from train.candidates import LEAVES, Hyperparameters
from train.dataset import Dataset, Matrix
from train.staged import StagedFit

MARGIN = 0.005
"""Settings replace preferred ones only if the log loss falls by more than this share of it."""

LEAVES_SETTING = "max_leaf_nodes"


@dataclass(frozen=True, slots=True)
class Entrant:
    """Complete settings, and their fits on the first folds.

    The default settings keep their number of trees unless fewer are better by MARGIN.
    """

    settings: Hyperparameters
    is_default: bool = False
    fits: list[StagedFit] = field(default_factory=list)

    def mean_losses(self, folds: int) -> Matrix:
        """The mean log loss over the first folds with 1, 2, … trees, as far as all of them went."""
        kept = self.fits[:folds]
        shortest = min(len(fit.losses) for fit in kept)
        return np.asarray(np.mean([fit.losses[:shortest] for fit in kept], axis=0))

    def loss(self, folds: int) -> float:
        """The mean log loss over the first folds with the best number of trees."""
        return float(self.mean_losses(folds)[self.trees(folds) - 1])

    def trees(self, folds: int) -> int:
        """The number of trees with the smallest mean log loss over the first folds."""
        losses = self.mean_losses(folds)
        if self.is_default and losses[-1] <= (1 + MARGIN) * losses.min():
            return len(losses)
        return int(losses.argmin()) + 1

    @property
    def is_small(self) -> bool:
        """Whether its trees have interventional reasons."""
        return self.settings.get(LEAVES_SETTING, LEAVES) <= LEAVES

    def predict(self, X: Matrix, folds: int) -> list[Matrix]:
        """Probabilities of the measured rows of each of the first folds, with the best number of trees."""
        trees = self.trees(folds)
        return [fit.predict(X, trees) for fit in self.fits[:folds]]

    def is_worse(self, best: Entrant, data: Dataset, folds: int, errors: float) -> bool:
        """Whether the loss on the first folds is larger by MARGIN and by so many standard errors of the difference.

        The standard error is that of the mean over the rows, whose losses are compared pair by pair.
        """
        difference = self.loss(folds) - best.loss(folds)
        if difference <= MARGIN * best.loss(folds):
            return False
        measured = data.take(np.concatenate([fit.rows.measured for fit in self.fits[:folds]]))
        own, other = (row_losses(measured, np.concatenate(one.predict(data.X, folds))) for one in (self, best))
        return difference > errors * standard_error(own - other, measured.weight)


def row_losses(data: Dataset, probability: Matrix) -> Matrix:
    """The log loss of each row: float64, shape (n,)."""
    x = log_odds(probability)
    return np.asarray(np.logaddexp(0.0, x) - data.y * x)


def standard_error(values: Matrix, weight: Matrix | None) -> float:
    """The standard error of the mean of values, shape (n,)."""
    counts = np.ones_like(values) if weight is None else weight
    mean = float(np.average(values, weights=counts))
    return math.sqrt(float((counts**2 * (values - mean) ** 2).sum())) / float(counts.sum())
