"""Fairness: acceptance, error rates and calibration by group of each protected field.

Protected fields are those with `use = false` in the card; they are never inputs of the model. The levels of a category
are its groups; numbers are divided into four groups of about equal count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from model.estimates import Estimate, auc, proportion
from model.policy import Policy
from train.card import CardField
from train.dataset import Matrix
from train.policy import decide
from train.report.calibration import RATIO_LIMITS
from train.report.intervals import ratio_of_means, ratio_of_proportions
from train.report.out_of_sample import OutOfSample
from train.target import Labels

FOUR_FIFTHS = 0.8
"""A lower ratio of acceptance rates is evidence of adverse impact (four-fifths rule, 29 CFR 1607.4 D)."""

MIN_GROUP_SIZE = 50
"""Smaller groups are excluded: their rates are too uncertain, and they could identify people."""

MIN_REFERENCE_SHARE = 0.02
"""Groups with a smaller share of the applicants are not used as the reference group (29 CFR 1607.15 A 2)."""

N_NUMBER_GROUPS = 4
MAX_PROXY_ROWS = 10_000
PROXY_FOLDS = 3


@dataclass(frozen=True, slots=True)
class Group:
    """The applicants of one group.

    acceptance: acceptance rate. impact_ratio: the same divided by that of the reference group. good_refusal_rate: share
    of good applicants refused or reviewed. default_acceptance_rate: share of defaults accepted. calibration: mean
    predicted probability divided by default rate. auc: within the group.
    """

    name: str
    count: int
    default_rate: Estimate
    acceptance: Estimate
    impact_ratio: Estimate
    good_refusal_rate: Estimate
    default_acceptance_rate: Estimate
    calibration: Estimate
    auc: Estimate

    @property
    def has_adverse_impact(self) -> bool:
        """Whether the acceptance rate is below four fifths of the reference group's."""
        return self.impact_ratio.value < FOUR_FIFTHS

    @property
    def is_miscalibrated(self) -> bool:
        """Whether calibration is outside RATIO_LIMITS, by more than sampling noise."""
        return self.calibration.excludes(1.0) and not RATIO_LIMITS[0] <= self.calibration.value <= RATIO_LIMITS[1]


@dataclass(frozen=True, slots=True)
class Fairness:
    """One protected field.

    reference: name of the group with the highest acceptance rate, among those with at least 2% of the applicants.
    proxy_auc: AUC with which the model's inputs predict the groups. n_excluded: applicants in smaller groups.
    """

    name: str
    label: str
    unit: str
    groups: tuple[Group, ...]
    reference: str
    proxy_auc: float
    n_excluded: int


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
        title: rows
        for title, rows in _split(field, values).items()
        if rows.sum() >= MIN_GROUP_SIZE and len(set(sample.y[rows])) == 2
    }
    if len(members) < 2:
        return None
    is_accepted = decide(sample.probability, policy) == 0
    large = [title for title, rows in members.items() if rows.mean() >= MIN_REFERENCE_SHARE] or list(members)
    reference = max(large, key=lambda title: float(is_accepted[members[title]].mean()))
    reference_rows = members[reference]
    groups = []
    for title, rows in members.items():
        y, accepted, probability = sample.y[rows], is_accepted[rows], sample.probability[rows]
        is_default = y == 1
        ratio = ratio_of_proportions(
            int(accepted.sum()), len(y), int(is_accepted[reference_rows].sum()), int(reference_rows.sum())
        )
        groups.append(
            Group(
                name=title,
                count=len(y),
                default_rate=proportion(int(is_default.sum()), len(y)),
                acceptance=proportion(int(accepted.sum()), len(y)),
                impact_ratio=Estimate(1.0, 1.0, 1.0) if title == reference else ratio,
                good_refusal_rate=proportion(int((~accepted & ~is_default).sum()), int((~is_default).sum())),
                default_acceptance_rate=proportion(int((accepted & is_default).sum()), int(is_default.sum())),
                calibration=ratio_of_means(probability, y.astype(np.float64)),
                auc=auc(y, probability),
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
        proxy_auc=proxy_auc(sample.X[known], labels[known], seed),
        n_excluded=int((~known).sum()),
    )


def proxy_auc(X: Matrix, groups: Labels, seed: int) -> float:
    """AUC with which inputs X, float64, (n, n_fields), predict groups, int64, (n,).

    Small boosted trees, cross-validated on at most 10,000 rows. Of more than two groups, the AUC of each against the
    rest, weighted by size.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(len(groups))[:MAX_PROXY_ROWS])
    X, groups = X[rows], groups[rows]
    learner = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8, early_stopping=False, random_state=seed)
    folds = StratifiedKFold(PROXY_FOLDS, shuffle=True, random_state=seed)
    probability = cross_val_predict(learner, X, groups, cv=folds, method="predict_proba")
    if probability.shape[1] == 2:
        return float(roc_auc_score(groups, probability[:, 1]))
    return float(roc_auc_score(groups, probability, multi_class="ovr", average="weighted"))


def _split(field: CardField, values: Matrix) -> dict[str, Matrix]:
    """Name of each group → whether each row is in it, bool, shape (n,)."""
    is_missing = np.isnan(values)
    if field.kind == "category":
        groups = {level: values == number for number, level in enumerate(field.levels)}
    else:
        groups = {}
        edges = np.unique(np.quantile(values[~is_missing], np.arange(1, N_NUMBER_GROUPS) / N_NUMBER_GROUPS).round())
        places = np.where(is_missing, -1, np.searchsorted(edges, values))
        for place in range(len(edges) + 1):
            if not len(edges):
                title = "any value"
            elif place == 0:
                title = f"up to {edges[0]:g}"
            elif place == len(edges):
                title = f"over {edges[-1]:g}"
            else:
                title = f"over {edges[place - 1]:g} to {edges[place]:g}"
            groups[title] = places == place
    return {**groups, "missing": is_missing}
