"""Five-fold cross-validation of a candidate, and the choice by log loss; the hold-out is not used."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from train.candidates import Candidate, Hyperparameters
from train.card import CardField
from train.dataset import Dataset

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Fold:
    """Metrics on one fold of a model fitted on the other folds."""

    log_loss: float
    auc: float


@dataclass(frozen=True, slots=True)
class Trial:
    """The cross-validation of a candidate with one choice of hyperparameters; `seconds`: of all fits together."""

    candidate: Candidate
    settings: Hyperparameters
    folds: tuple[Fold, ...]
    seconds: float = field(default=0.0, compare=False)

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
    for training, validation in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(data.X, data.y):
        pipeline = candidate.build(fields, seed, complete).fit(data.X[training], data.y[training])
        probability = pipeline.predict_proba(data.X[validation])[:, 1]
        y = data.y[validation]
        folds.append(Fold(float(log_loss(y, probability, labels=[0, 1])), float(roc_auc_score(y, probability))))
        on_fold()
    return Trial(candidate, complete, tuple(folds), time.perf_counter() - started)


def best_trial(trials: Iterable[Trial]) -> Trial:
    """The trial with the smallest log loss; the first one if several are equal."""
    return min(trials, key=lambda trial: trial.log_loss)
