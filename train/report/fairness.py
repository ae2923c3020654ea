"""How the policy treats the groups of a protected field, which the model never sees.

Protected are the card's fields with `use = false`: levels as they are, numbers in four groups of about equal count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from model.policy import Policy
from train.card import CardField
from train.dataset import Labels, Matrix
from train.policy import decide
from train.report.calibration import GATE
from train.report.evidence import Evidence
from train.report.intervals import Estimate, auc, ratio_of_means, ratio_of_shares, share

FOUR_FIFTHS = 0.8
"""A group accepted less than 0.8 times as often as another is flagged (29 CFR 1607.4 D)."""

FEWEST = 50
"""Smaller groups are left out: nothing can be said of them, and nobody should be found in a report."""

REFERENCE_SHARE = 0.02
"""A group of fewer is compared with others, not others with it (29 CFR 1607.15 A 2)."""

NUMBER_GROUPS = 4
PROXY_ROWS = 10_000
PROXY_FOLDS = 3


@dataclass(frozen=True, slots=True)
class Group:
    """One group: how many, how they pay, how they are treated.

    ratio: acceptance over that of the group accepted most often that has 2 % of the applicants. good_refused,
    bad_accepted: shares of the group's goods and defaults. calibration: mean probability over default rate. auc:
    within the group.
    """

    name: str
    count: int
    default_rate: Estimate
    acceptance: Estimate
    ratio: Estimate
    good_refused: Estimate
    bad_accepted: Estimate
    calibration: Estimate
    auc: Estimate

    @property
    def is_flagged(self) -> bool:
        """Accepted less than four fifths as often as the group accepted most."""
        return self.ratio.value < FOUR_FIFTHS

    @property
    def is_misjudged(self) -> bool:
        """Its default rate is not the one predicted, by more than noise and more than the gate of calibration."""
        return self.calibration.excludes(1.0) and not GATE[0] <= self.calibration.value <= GATE[1]


@dataclass(frozen=True, slots=True)
class Fairness:
    """One protected field. proxy_auc: how well the model's inputs tell its groups apart; ½ is not at all."""

    name: str
    label: str
    unit: str
    groups: tuple[Group, ...]
    best: str
    proxy_auc: float
    left_out: int


def measure_fairness(
    evidence: Evidence, fields: Mapping[str, CardField], policy: Policy, seed: int
) -> tuple[Fairness, ...]:
    """Measure each protected field that has two groups of 50 people."""
    found = (
        _measure(name, fields[name], values, evidence, policy, seed) for name, values in evidence.protected.items()
    )
    return tuple(field for field in found if field is not None)


def _measure(
    name: str, field: CardField, values: Matrix, evidence: Evidence, policy: Policy, seed: int
) -> Fairness | None:
    members = {
        title: rows
        for title, rows in _split(field, values).items()
        if rows.sum() >= FEWEST and len(set(evidence.y[rows])) == 2
    }
    if len(members) < 2:
        return None
    is_accepted = decide(evidence.probability, policy) == 0
    large = [title for title, rows in members.items() if rows.mean() >= REFERENCE_SHARE] or list(members)
    best = max(large, key=lambda title: float(is_accepted[members[title]].mean()))
    top = members[best]
    groups = []
    for title, rows in members.items():
        y, accepted, probability = evidence.y[rows], is_accepted[rows], evidence.probability[rows]
        bad = y == 1
        ratio = ratio_of_shares(int(accepted.sum()), len(y), int(is_accepted[top].sum()), int(top.sum()))
        groups.append(
            Group(
                name=title,
                count=len(y),
                default_rate=share(int(bad.sum()), len(y)),
                acceptance=share(int(accepted.sum()), len(y)),
                ratio=Estimate(1.0, 1.0, 1.0) if title == best else ratio,
                good_refused=share(int((~accepted & ~bad).sum()), int((~bad).sum())),
                bad_accepted=share(int((accepted & bad).sum()), int(bad.sum())),
                calibration=ratio_of_means(probability, y.astype(np.float64)),
                auc=auc(y, probability),
            )
        )
    labels = np.full(len(evidence.y), -1)
    for number, rows in enumerate(members.values()):
        labels[rows] = number
    known = labels >= 0
    return Fairness(
        name=name,
        label=field.label,
        unit=field.unit,
        groups=tuple(groups),
        best=best,
        proxy_auc=proxy_auc(evidence.X[known], labels[known], seed),
        left_out=int((~known).sum()),
    )


def proxy_auc(X: Matrix, groups: Labels, seed: int) -> float:
    """How well inputs X, float64, (n, n_fields), predict groups, int64, (n,): AUC, mean over groups by their size.

    Small boosted trees, cross-validated, on at most 10,000 rows.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(len(groups))[:PROXY_ROWS])
    X, groups = X[rows], groups[rows]
    learner = HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=8, early_stopping=False, random_state=seed)
    folds = StratifiedKFold(PROXY_FOLDS, shuffle=True, random_state=seed)
    probability = cross_val_predict(learner, X, groups, cv=folds, method="predict_proba")
    if probability.shape[1] == 2:
        return float(roc_auc_score(groups, probability[:, 1]))
    return float(roc_auc_score(groups, probability, multi_class="ovr", average="weighted"))


def _split(field: CardField, values: Matrix) -> dict[str, Matrix]:
    """Name of each group → which rows are in it, bool, shape (n,)."""
    is_missing = np.isnan(values)
    if field.kind == "category":
        groups = {level: values == number for number, level in enumerate(field.levels)}
    else:
        groups = {}
        edges = np.unique(np.quantile(values[~is_missing], np.arange(1, NUMBER_GROUPS) / NUMBER_GROUPS).round())
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
