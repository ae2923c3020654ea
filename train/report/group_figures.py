"""The figures of a group of applicants: default rate, discrimination, calibration, acceptance and cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from model.estimates import Estimate, auc
from train.dataset import Matrix
from train.judged import ACCEPT, Judged
from train.report.agreement import Agreement, measure_agreement
from train.report.intervals import mean, mean_of_known, ratio_of_means, share_of
from train.target import Labels
from train.weights import weighted_mean


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """What is measured on a group of `count` applicants.

    ratio: mean predicted probability divided by default rate; ideal 1, NaN without a default. agreement: the test of
    it. acceptance: acceptance rate. cost: per applicant, NaN if no
    one's is known. auc: NaN without both outcomes.
    """

    count: int
    default_rate: Estimate
    mean_probability: float
    ratio: Estimate
    agreement: Agreement
    auc: Estimate
    log_loss: Estimate
    acceptance: Estimate
    cost: Estimate


def measure_group(y: Labels, probability: Matrix, judged: Judged, weight: Matrix | None = None) -> GroupFigures:
    """The figures of applicants with outcomes y, int64, (n,), 1 = default, and probabilities, float64, (n,)."""
    smallest = np.finfo(np.float64).eps
    p = np.clip(probability, smallest, 1 - smallest)
    return GroupFigures(
        count=len(y),
        default_rate=share_of(y == 1, weight),
        mean_probability=weighted_mean(probability, weight),
        ratio=compare_rates(y, probability, weight),
        agreement=measure_agreement(y, probability, weight),
        auc=auc(y, probability, weight),
        log_loss=mean(-(xlogy(y, p) + xlogy(1 - y, 1 - p)), weight),
        acceptance=share_of(judged.decision == ACCEPT, weight),
        cost=mean_of_known(judged.costs(y), weight),
    )


def compare_rates(y: Labels, probability: Matrix, weight: Matrix | None = None) -> Estimate:
    """Mean predicted probability divided by default rate; unknown, from 0 to infinity, without a default."""
    if not y.any():
        return Estimate(float("nan"), 0.0, float("inf"))
    return ratio_of_means(probability, y.astype(np.float64), weight)
