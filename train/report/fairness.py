"""Fairness: acceptance, error rates and calibration by group of each protected field.

Protected fields are those with `use = false` in the card, which are never inputs of the model, and inputs that law or
practice protects. The levels of a category are its groups; numbers are divided into four groups of about equal count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from model.bins import MIN_COUNT
from model.estimates import Estimate, auc
from model.policy import Policy
from train.card import CardField
from train.dataset import Matrix
from train.judged import ACCEPT, judge
from train.report.agreement import Agreement, measure_agreement
from train.report.groups import can_measure, split_groups
from train.report.intervals import ratio_of_means, ratio_of_proportions, share_of
from train.report.out_of_sample import OutOfSample
from train.target import Labels
from train.weights import count_effective, select, weighted_mean

FOUR_FIFTHS = 0.8
"""A lower ratio of acceptance rates is evidence of adverse impact (four-fifths rule, 29 CFR 1607.4 D)."""

MIN_REFERENCE_SHARE = 0.02
"""Groups with a smaller share of the applicants are not used as the reference group (29 CFR 1607.15 A 2)."""

MAX_PROXY_ROWS = 10_000
PROXY_FOLDS = 3


@dataclass(frozen=True, slots=True)
class Group:
    """The applicants of one group.

    acceptance: acceptance rate. impact_ratio: the same divided by that of the reference group. good_refusal_rate: share
    of good applicants refused or reviewed. default_acceptance_rate: share of defaults accepted. calibration: mean
    predicted probability divided by default rate; agreement: the test of it. auc: within the group.
    """

    name: str
    count: int
    default_rate: Estimate
    acceptance: Estimate
    impact_ratio: Estimate
    good_refusal_rate: Estimate
    default_acceptance_rate: Estimate
    calibration: Estimate
    agreement: Agreement
    auc: Estimate

    @property
    def has_adverse_impact(self) -> bool:
        """Whether the acceptance rate is below four fifths of the reference group's."""
        return self.impact_ratio.value < FOUR_FIFTHS

    @property
    def n_accepted(self) -> float:
        """About how many applicants are accepted."""
        return self.count * self.acceptance.value


@dataclass(frozen=True, slots=True)
class Fairness:
    """One protected field.

    reference: name of the group with the highest acceptance rate, among those with at least 2% of the applicants.
    proxy_auc: AUC with which the model's inputs predict the groups; None if it is an input itself. n_excluded:
    applicants in smaller groups.
    """

    name: str
    label: str
    unit: str
    groups: tuple[Group, ...]
    reference: str
    proxy_auc: float | None
    n_excluded: int

    @property
    def is_impact_known(self) -> bool:
        """Whether enough applicants of the reference group are accepted to compare acceptance rates."""
        return any(group.name == self.reference and group.n_accepted >= MIN_COUNT for group in self.groups)


def measure_fairness(
    sample: OutOfSample, fields: Mapping[str, CardField], policy: Policy, seed: int
) -> tuple[Fairness, ...]:
    """Measure each protected field that has two groups of at least MIN_GROUP_SIZE applicants with both outcomes."""
    measured = (_measure(name, fields[name], values, sample, policy, seed) for name, values in sample.protected.items())
    return tuple(field for field in measured if field is not None)


def _measure(
    name: str, field: CardField, values: Matrix, sample: OutOfSample, policy: Policy, seed: int
) -> Fairness | None:
    members = {
        title: rows for title, rows in split_groups(field, values, sample.weight).items() if can_measure(sample.y[rows])
    }
    if len(members) < 2:
        return None
    is_accepted, all_weights = judge(policy, sample.probability, sample.X).decision == ACCEPT, sample.weight
    shares = {title: weighted_mean(rows, all_weights) for title, rows in members.items()}
    large = [title for title, share in shares.items() if share >= MIN_REFERENCE_SHARE] or list(members)
    accepted_of = {
        title: count_effective(is_accepted[rows], select(all_weights, rows)) for title, rows in members.items()
    }
    reference = max(large, key=lambda title: accepted_of[title][0] / accepted_of[title][1])
    groups = []
    for title, rows in members.items():
        y, accepted, probability = sample.y[rows], is_accepted[rows], sample.probability[rows]
        weight, is_default = select(all_weights, rows), y == 1
        ratio = ratio_of_proportions(*accepted_of[title], *accepted_of[reference])
        groups.append(
            Group(
                name=title,
                count=len(y),
                default_rate=share_of(is_default, weight),
                acceptance=share_of(accepted, weight),
                impact_ratio=Estimate(1.0, 1.0, 1.0) if title == reference else ratio,
                good_refusal_rate=share_of(~accepted[~is_default], select(weight, ~is_default)),
                default_acceptance_rate=share_of(accepted[is_default], select(weight, is_default)),
                calibration=ratio_of_means(probability, y.astype(np.float64), weight),
                agreement=measure_agreement(y, probability, weight),
                auc=auc(y, probability, weight),
            )
        )
    labels = np.full(len(sample.y), -1)
    for number, rows in enumerate(members.values()):
        labels[rows] = number
    known = labels >= 0
    return Fairness(
        name=name,
        label=field.label,
        unit=field.unit,
        groups=tuple(groups),
        reference=reference,
        proxy_auc=None if field.use else proxy_auc(sample.X[known], labels[known], seed),
        n_excluded=int((~known).sum()),
    )


def proxy_auc(X: Matrix, groups: Labels, seed: int) -> float:
    """AUC with which inputs X, float64, (n, n_fields), predict groups, int64, (n,).

    Small boosted trees, cross-validated on at most 10,000 rows, which count the same. Of more than two groups, the AUC
    of each against the rest, weighted by size.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(len(groups))[:MAX_PROXY_ROWS])
    X, groups = X[rows], groups[rows]
    learner = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8, early_stopping=False, random_state=seed)
    folds = StratifiedKFold(PROXY_FOLDS, shuffle=True, random_state=seed)
    probability = cross_val_predict(learner, X, groups, cv=folds, method="predict_proba")
    if probability.shape[1] == 2:
        return float(roc_auc_score(groups, probability[:, 1]))
    return float(roc_auc_score(groups, probability, multi_class="ovr", average="weighted"))
