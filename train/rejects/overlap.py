"""How much of the door is extrapolation: where the rejected are, and how many accepted applicants are there too.

A model of the accepted can say something of a rejected applicant only where accepted ones are alike (the overlap of
Rosenbaum & Rubin, The central role of the propensity score in observational studies, Biometrika 70, 1983).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline

from model.bins import MIN_COUNT, find_bins, name_bins
from model.contract import Field
from model.estimates import Estimate, auc
from model.missing import blank_codes
from train.bins import bin_levels, bin_numbers
from train.card import CardField
from train.dataset import Matrix
from train.preprocessing import one_hot
from train.rejects.door import Group, join
from train.report.intervals import share_of
from train.target import Labels
from train.weights import weighted_mean, weighted_quantile

FOLDS = 5

FEW = 0.1
"""Few accepted: applicants alike were accepted less than this part as often as all applicants were."""

PARTS = 4
"""Parts of equal count that the rejected are split into by their chance of acceptance, where it isn't small."""


@dataclass(frozen=True, slots=True)
class Chances:
    """Each applicant's chance of having been accepted, given the fields, by models that hadn't seen the applicant.

    accepted: float64, shape (n_accepted,), rejected: float64, shape (n_rejected,). share: accepted of all applicants.
    """

    accepted: Matrix
    rejected: Matrix
    share: float

    @property
    def limit(self) -> float:
        """The chance below which there are few accepted."""
        return FEW * self.share


@dataclass(frozen=True, slots=True)
class Part:
    """Applicants with a chance of acceptance in one range; default_rate: of the accepted, None for fewer than 20.

    probability: the model's mean for the rejected.
    """

    low: float
    high: float
    rejected: int
    accepted: int
    default_rate: Estimate | None
    probability: float


@dataclass(frozen=True, slots=True)
class FieldOverlap:
    """The share of the rejected with values of a field that few accepted have, and these values."""

    label: str
    share: float
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """auc: of telling the accepted from the rejected. few: share of the rejected where few were accepted.

    few_of_all: these as a share of the whole door.
    """

    auc: Estimate
    few: float
    few_of_all: float
    parts: tuple[Part, ...]
    fields: tuple[FieldOverlap, ...]


def measure_chances(accepted: Group, rejected: Group, fields: list[CardField], seed: int) -> Chances:
    """Cross-fit the chance of acceptance: boosted trees with the model's inputs."""
    X, weight = join(accepted.X, rejected.X), join(accepted.weight, rejected.weight)
    is_accepted = np.arange(len(X)) < accepted.count
    chance = np.empty(len(X))
    count = min(FOLDS, accepted.count, rejected.count)
    if count < 2:
        chance[:] = weighted_mean(is_accepted, weight)
    else:
        for fitted, measured in StratifiedKFold(count, shuffle=True, random_state=seed).split(X, is_accepted):
            trees = HistGradientBoostingClassifier(max_leaf_nodes=8, early_stopping=False, random_state=seed)
            model = Pipeline([("preprocess", one_hot(fields)), ("classify", trees)])
            model.fit(X[fitted], is_accepted[fitted], classify__sample_weight=weight[fitted])
            chance[measured] = model.predict_proba(X[measured])[:, 1]
    return Chances(chance[is_accepted], chance[~is_accepted], weighted_mean(is_accepted, weight))


def measure_overlap(
    accepted: Group, rejected: Group, chances: Chances, fields: Sequence[Field], y: Labels, probability: Matrix
) -> Overlap:
    """`y`: outcomes of the accepted; `probability`: the model's, of the rejected."""
    is_few = chances.rejected < chances.limit
    few = weighted_mean(is_few, rejected.weight)
    is_accepted = (np.arange(accepted.count + rejected.count) < accepted.count).astype(np.int64)
    by_field = [
        _measure_field(field, *columns, accepted, rejected, chances.limit)
        for field, columns in zip(
            fields, zip(blank_codes(accepted.X, fields).T, blank_codes(rejected.X, fields).T, strict=True), strict=True
        )
    ]
    return Overlap(
        auc=auc(is_accepted, join(chances.accepted, chances.rejected), join(accepted.weight, rejected.weight)),
        few=few,
        few_of_all=few * (1 - chances.share),
        parts=_split(accepted, rejected, chances, y, probability),
        fields=tuple(sorted((one for one in by_field if one.share > 0), key=lambda one: -one.share)),
    )


def _split(accepted: Group, rejected: Group, chances: Chances, y: Labels, probability: Matrix) -> tuple[Part, ...]:
    is_above = chances.rejected > chances.limit
    inner = [chances.limit]
    if is_above.any():
        shares = np.arange(1, PARTS) / PARTS
        inner += weighted_quantile(chances.rejected[is_above], shares, rejected.weight[is_above]).tolist()
    ends = [0.0, *np.unique(inner).tolist(), 1.0]
    parts = []
    for low, high in pairwise(ends):
        ours, theirs = ((chance > low) & (chance <= high) for chance in (chances.accepted, chances.rejected))
        if theirs.sum() < MIN_COUNT:
            continue
        rate = share_of(y[ours] == 1, accepted.weight[ours]) if ours.sum() >= MIN_COUNT else None
        mean = weighted_mean(probability[theirs], rejected.weight[theirs])
        parts.append(Part(low, high, int(theirs.sum()), int(ours.sum()), rate, mean))
    return tuple(parts)


def _measure_field(
    field: Field, ours: Matrix, theirs: Matrix, accepted: Group, rejected: Group, limit: float
) -> FieldOverlap:
    """Bins are the tenths of the rejected, or the levels."""
    known = np.where(theirs < 0, np.nan, theirs) if field.kind == "category" else theirs
    bins = (
        bin_levels(known, len(field.levels), rejected.weight)
        if field.kind == "category"
        else bin_numbers(theirs, rejected.weight)
    )
    names = name_bins(bins, field.levels)
    places, other = find_bins(theirs, bins), find_bins(ours, bins)
    rows = np.bincount(places, minlength=len(names))
    total, other_total = (
        np.bincount(place, group.weight, len(names)) for place, group in ((places, rejected), (other, accepted))
    )
    is_few = (rows >= MIN_COUNT) & (other_total < limit * (total + other_total))
    return FieldOverlap(
        field.label,
        float(total[is_few].sum() / rejected.total),
        tuple(name for name, few in zip(names, is_few, strict=True) if few),
    )
