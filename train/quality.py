"""Metrics of a model's probabilities and decisions on rows with known outcomes."""

from __future__ import annotations

import msgspec
import numpy as np
from msgspec import Struct
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score, roc_curve

from train.dataset import Matrix
from train.judged import ACCEPT, Judged
from train.target import Labels
from train.weights import weighted_mean, weighted_quantile

CALIBRATION_BINS = 10


class Quality(Struct, frozen=True):
    """Discrimination, calibration and cost of a model on some rows."""

    auc: float
    gini: float
    ks: float
    log_loss: float
    brier: float
    calibration_error: float
    acceptance_rate: float
    cost_per_applicant: float

    def as_dict(self) -> dict[str, float]:
        """Name → value, for the contract."""
        return {name: float(value) for name, value in msgspec.structs.asdict(self).items()}


def measure(y: Labels, probability: Matrix, judged: Judged, weight: Matrix | None = None) -> Quality:
    """The metrics of probabilities of default and of decisions, given outcomes y and weights, shape (n,) each."""
    auc = float(roc_auc_score(y, probability, sample_weight=weight))
    false_positive, true_positive, _ = roc_curve(y, probability, sample_weight=weight)
    return Quality(
        auc=auc,
        gini=2 * auc - 1,
        ks=float(np.max(true_positive - false_positive)),
        log_loss=float(log_loss(y, probability, sample_weight=weight, labels=[0, 1])),
        brier=float(brier_score_loss(y, probability, sample_weight=weight)),
        calibration_error=calibration_error(y, probability, weight),
        acceptance_rate=weighted_mean(judged.decision == ACCEPT, weight),
        cost_per_applicant=judged.mean_cost(y, weight),
    )


def calibration_error(y: Labels, probability: Matrix, weight: Matrix | None = None) -> float:
    """Mean absolute difference between predicted and observed default rate over ten bins of equal count.

    Expected calibration error of Naeini, Cooper & Hauskrecht (AAAI 2015), with quantile bins.
    """
    edges = np.unique(weighted_quantile(probability, np.linspace(0, 1, CALIBRATION_BINS + 1), weight))
    if len(edges) < 2:
        return abs(weighted_mean(y, weight) - weighted_mean(probability, weight))
    bins = np.clip(np.searchsorted(edges, probability, side="right") - 1, 0, len(edges) - 2)
    gaps = y - probability if weight is None else weight * (y - probability)
    total = len(y) if weight is None else weight.sum()
    return float(np.abs(np.bincount(bins, gaps, minlength=len(edges) - 1)).sum() / total)
