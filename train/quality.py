"""Metrics of a model's probabilities and decisions on rows with known outcomes."""

from __future__ import annotations

import msgspec
import numpy as np
from msgspec import Struct
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score, roc_curve

from model.policy import Policy
from train.dataset import Matrix
from train.policy import decide, mean_cost
from train.target import Labels

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


def measure(y: Labels, probability: Matrix, policy: Policy) -> Quality:
    """The metrics of probabilities of default, shape (n,), given outcomes y, shape (n,), and a policy."""
    auc = float(roc_auc_score(y, probability))
    false_positive, true_positive, _ = roc_curve(y, probability)
    decision = decide(probability, policy)
    return Quality(
        auc=auc,
        gini=2 * auc - 1,
        ks=float(np.max(true_positive - false_positive)),
        log_loss=float(log_loss(y, probability, labels=[0, 1])),
        brier=float(brier_score_loss(y, probability)),
        calibration_error=calibration_error(y, probability),
        acceptance_rate=float(np.mean(decision == 0)),
        cost_per_applicant=mean_cost(y, decision, policy),
    )


def calibration_error(y: Labels, probability: Matrix) -> float:
    """Mean absolute difference between predicted and observed default rate over ten bins of equal count.

    Expected calibration error of Naeini, Cooper & Hauskrecht (AAAI 2015), with quantile bins.
    """
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, CALIBRATION_BINS + 1)))
    if len(edges) < 2:
        return float(abs(y.mean() - probability.mean()))
    bins = np.clip(np.searchsorted(edges, probability, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(bins, minlength=len(edges) - 1)
    gaps = np.abs(np.bincount(bins, y - probability, minlength=len(edges) - 1))
    return float(gaps.sum() / counts.sum())
