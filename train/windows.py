"""Training windows: whether old data helps, by the same model fitted on the newest part of the training rows alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from model.estimates import Estimate, Z
from train.dataset import Dataset, Matrix
from train.fitting import fit
from train.folds import MIN_FOLD_ROWS
from train.holdout import Partition, find_since
from train.report.intervals import mean
from train.target import Labels

SHARES = (0.5, 0.25)
"""Shares of the training rows, the newest."""


@dataclass(frozen=True, slots=True)
class Window:
    """The model fitted on the newest training rows, measured out of time.

    `share`: of the training rows that was asked for, 1 for all. `since`: their first day, days since 1970. The
    differences, to the model of all training rows, have paired 95% intervals; None for all rows.
    """

    share: float
    rows: int
    since: int
    auc: float
    log_loss: float
    auc_difference: Estimate | None = None
    log_loss_difference: Estimate | None = None

    @property
    def verdict(self) -> str:
        """'better' or 'worse' than the model of all rows, by log loss beyond noise, else 'same'."""
        if self.log_loss_difference is None or not self.log_loss_difference.excludes(0.0):
            return "same"
        return "better" if self.log_loss_difference.value < 0 else "worse"


def measure_windows(pipeline: Pipeline, data: Dataset, partition: Partition) -> tuple[Window, ...]:
    """All training rows, and each share of them that has enough goods and defaults; none without times.

    `pipeline`: fitted on the training rows; it isn't changed.
    """
    if data.time is None:
        return ()
    training, holdout = data.take(partition.training_rows), data.take(partition.holdout_rows)
    time = data.time[partition.training_rows]
    every = pipeline.predict_proba(holdout.X)[:, 1]
    windows = [Window(1.0, len(time), int(time.min()), *_measure(holdout, every))]
    for share in SHARES:
        since = find_since(time, share)
        newest = training.take(np.flatnonzero(time >= since))
        defaults = int(newest.y.sum())
        if since == windows[-1].since or min(defaults, len(newest.y) - defaults) < MIN_FOLD_ROWS:
            continue
        probability = fit(clone(pipeline), newest).predict_proba(holdout.X)[:, 1]
        losses = _log_losses(holdout.y, probability) - _log_losses(holdout.y, every)
        windows.append(
            Window(
                share,
                len(newest.y),
                since,
                *_measure(holdout, probability),
                compare_auc(holdout, probability, every),
                mean(losses, holdout.weight),
            )
        )
    return tuple(windows) if len(windows) > 1 else ()


def _measure(holdout: Dataset, probability: Matrix) -> tuple[float, float]:
    """AUC and log loss."""
    loss = np.average(_log_losses(holdout.y, probability), weights=holdout.weight)
    return _auc_parts(holdout.y, probability, holdout.weight)[0], float(loss)


def _log_losses(y: Labels, probability: Matrix) -> Matrix:
    smallest = np.finfo(np.float64).eps
    p = np.clip(probability, smallest, 1 - smallest)
    losses: Matrix = -(xlogy(y, p) + xlogy(1 - y, 1 - p))
    return losses


def compare_auc(holdout: Dataset, probability: Matrix, other: Matrix) -> Estimate:
    """The difference of two AUCs on the same rows (DeLong, DeLong & Clarke-Pearson, Biometrics 44, 1988)."""
    (value, parts), (other_value, other_parts) = (
        _auc_parts(holdout.y, one, holdout.weight) for one in (probability, other)
    )
    difference, half_width = value - other_value, Z * float(np.sqrt(((parts - other_parts) ** 2).sum()))
    return Estimate(difference, difference - half_width, difference + half_width)


def _auc_parts(y: Labels, probability: Matrix, weight: Matrix | None) -> tuple[float, Matrix]:
    """The AUC, and what each row adds to its error, float64, shape (n,): the squares add up to DeLong's variance."""
    weights = np.ones(len(y)) if weight is None else weight
    places = np.unique(probability, return_inverse=True)[1]
    bad, good = (weights * (y == one) for one in (1, 0))
    bads, goods = (np.bincount(places, one) for one in (bad, good))
    below = ((np.cumsum(goods) - goods / 2) / goods.sum())[places]
    above = (1 - (np.cumsum(bads) - bads / 2) / bads.sum())[places]
    value = float(np.average(below, weights=bad))
    return value, bad / bad.sum() * (below - value) + good / good.sum() * (above - value)
