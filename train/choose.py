"""Choose between candidates by five-fold log loss; the hold-out has no part in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from train.candidates import Candidate
from train.card import CardField
from train.dataset import Dataset

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Trial:
    """A candidate on the folds: means over them of log loss and AUC."""

    candidate: Candidate
    log_loss: float
    auc: float


def try_candidate(
    candidate: Candidate,
    data: Dataset,
    fields: list[CardField],
    seed: int,
    on_fold: Callable[[], None] = lambda: None,
) -> Trial:
    """Fit and measure a candidate on each fold; the same seed gives every candidate the same folds."""
    losses, aucs = [], []
    for fit, held in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(data.X, data.y):
        pipeline = candidate.build(fields, seed).fit(data.X[fit], data.y[fit])
        probability = pipeline.predict_proba(data.X[held])[:, 1]
        losses.append(log_loss(data.y[held], probability, labels=[0, 1]))
        aucs.append(roc_auc_score(data.y[held], probability))
        on_fold()
    return Trial(candidate, float(np.mean(losses)), float(np.mean(aucs)))


def choose(trials: Iterable[Trial]) -> Trial:
    """The trial with the smallest log loss."""
    return min(trials, key=lambda trial: trial.log_loss)
