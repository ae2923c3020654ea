"""Cross-validation of a candidate, and the choice by log loss; the hold-out is not used."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score

from train.candidates import Candidate, Hyperparameters
from train.card import CardField
from train.dataset import Dataset, Matrix
from train.fitting import fit
from train.folds import make_folds


@dataclass(frozen=True, slots=True)
class Fold:
    """Metrics on one fold of a model fitted on the other folds."""

    log_loss: float
    auc: float


@dataclass(frozen=True, slots=True)
class Trial:
    """The cross-validation of a candidate with one choice of hyperparameters.

    `seconds`: of all fits together. `probability`: of each row by the model of its fold, float64, shape (n,); NaN where
    no fold measured it. A trial that isn't complete ended after its first folds, and isn't comparable with others.
    """

    candidate: Candidate
    settings: Hyperparameters
    folds: tuple[Fold, ...]
    seconds: float = field(default=0.0, compare=False)
    probability: Matrix = field(default_factory=lambda: np.empty(0), compare=False, repr=False)
    is_complete: bool = True

    @property
    def log_loss(self) -> float:
        """Mean over the folds."""
        return float(np.mean([fold.log_loss for fold in self.folds]))

    @property
    def auc(self) -> float:
        """Mean over the folds."""
        return float(np.mean([fold.auc for fold in self.folds]))


def cross_validate(
    candidate: Candidate,
    data: Dataset,
    fields: list[CardField],
    seed: int,
    on_fold: Callable[[], None] = lambda: None,
    settings: Hyperparameters | None = None,
) -> Trial:
    """Cross-validate a candidate with its default settings, overridden by `settings`.

    The folds depend on data and seed alone. `on_fold` is called after each fold; an exception that it raises ends the
    trial.
    """
    complete = candidate.settings | (settings or {})
    folds: list[Fold] = []
    started = time.perf_counter()
    predicted = np.full(len(data.y), np.nan)
    for rows in make_folds(data, seed):
        pipeline = fit(candidate.build(fields, seed, complete), data.take(rows.fitted))
        probability = pipeline.predict_proba(data.X[rows.measured])[:, 1]
        folds.append(measure_fold(data.take(rows.measured), probability))
        predicted[rows.measured] = probability
        on_fold()
    return Trial(candidate, complete, tuple(folds), time.perf_counter() - started, predicted)


def measure_fold(data: Dataset, probability: Matrix) -> Fold:
    """Metrics of the probabilities of a fold's measured rows, shape (n,)."""
    y, weight = data.y, data.weight
    return Fold(
        float(log_loss(y, probability, labels=[0, 1], sample_weight=weight)),
        float(roc_auc_score(y, probability, sample_weight=weight)),
    )


def best_trial(trials: Iterable[Trial]) -> Trial:
    """The complete trial with the smallest log loss; the first one if several are equal."""
    return min((trial for trial in trials if trial.is_complete), key=lambda trial: trial.log_loss)
