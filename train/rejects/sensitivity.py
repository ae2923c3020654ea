"""How far the model depends on the applicants it was fitted on: the same settings, fitted beside under assumptions.

Augmentation weighs each accepted applicant by 1 / chance of acceptance (Banasik & Crook, Reject inference,
augmentation, and sample selection, EJOR 183, 2007): right if the fields explain the rejections. Parcelling gives the
rejected outcomes by score band, with odds of default a factor above those of the accepted of the band (Siddiqi,
Intelligent Credit Scoring, 2017). Neither is ever exported: both assume what can't be seen in the data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.estimates import Estimate, auc, rank
from model.policy import Policy
from train.dataset import Dataset, Matrix
from train.judged import ACCEPT, judge
from train.rejects.bounds import tilt
from train.rejects.door import Group, join
from train.rejects.overlap import Chances
from train.target import Labels
from train.weights import Flags, kish_rows, weighted_mean, weighted_quantile
from train.windows import compare_auc

FACTORS = (1.5, 3.0)
"""Odds of default of the rejected in parcelling, relative to the accepted of the same score band."""

BANDS = 10


@dataclass(frozen=True, slots=True)
class Assumed:
    """Training rows under an assumption: `rows` as good as so many equally weighted accepted rows.

    drawn: default rate that the rejected are given, weighted; None where they aren't among the rows.
    """

    title: str
    data: Dataset
    rows: float
    drawn: float | None


@dataclass(frozen=True, slots=True)
class Variant:
    """The model, or one fitted beside: on the accepted of the hold-out, whose outcomes are known, and on the rejected.

    difference: of AUC, None for the model. accepted, rejected: mean probabilities. acceptance of each by the policy.
    order: rank correlation with the model's probabilities of the rejected. changed: share of the rejected with another
    decision than the model's. rows, drawn: as in Assumed.
    """

    title: str
    rows: float
    drawn: float | None
    auc: Estimate
    difference: Estimate | None
    accepted: float
    rejected: float
    accepted_acceptance: float
    rejected_acceptance: float
    order: float
    changed: float


@dataclass(frozen=True, slots=True)
class Known:
    """What the variants are made and measured of: applicants, outcomes, out-of-sample probabilities of the model.

    y: of the accepted, int64, probability: float64, shape (n_accepted,) each; rejected_probability: (n_rejected,).
    is_held: bool, (n_accepted,), rows that nothing is fitted on.
    """

    accepted: Group
    rejected: Group
    chances: Chances
    y: Labels
    probability: Matrix
    rejected_probability: Matrix
    is_held: Flags


def measure_sensitivity(
    known: Known, build: Callable[[Dataset], Any], policy: Policy, seed: int
) -> tuple[Variant, ...]:
    """The model first. `build`: fits the same settings on other rows."""
    held = known.is_held
    holdout = Dataset(known.accepted.X[held], known.y[held], known.accepted.weight[held])
    own = known.probability[held], known.rejected_probability
    variants = [_measure("This model", float((~held).sum()), None, known, holdout, policy, *own)]
    for assumed in _assume(known, seed):
        model = build(assumed.data)
        found = (model.predict_proba(X)[:, 1] for X in (holdout.X, known.rejected.X))
        variants.append(_measure(assumed.title, assumed.rows, assumed.drawn, known, holdout, policy, *found))
    return tuple(variants)


def _assume(known: Known, seed: int) -> Iterator[Assumed]:
    fitted = ~known.is_held
    X, y, weight = known.accepted.X[fitted], known.y[fitted], known.accepted.weight[fitted]
    # Where few were accepted, the few would count more than ten times an average one.
    inverse = weight / np.maximum(known.chances.accepted[fitted], known.chances.limit)
    yield Assumed("Augmentation", Dataset(X, y, inverse / inverse.mean()), kish_rows(inverse), None)
    for factor in FACTORS:
        theirs = parcel(known, factor, seed)
        both = join(weight, known.rejected.weight)
        data = Dataset(join(X, known.rejected.X), join(y, theirs), both / both.mean())
        rows = float(fitted.sum() + known.rejected.count)
        drawn = weighted_mean(theirs, known.rejected.weight)
        yield Assumed(f"Parcelling, odds of band × {factor:g}", data, rows, drawn)


def parcel(known: Known, factor: float, seed: int) -> Labels:
    """Outcomes of the rejected, int64, shape (n_rejected,): in each score band the assumed share, drawn at random."""
    fitted = ~known.is_held
    probability, y, weight = known.probability[fitted], known.y[fitted], known.accepted.weight[fitted]
    edges = np.unique(weighted_quantile(probability, np.arange(1, BANDS) / BANDS, weight))
    ours, theirs = (np.searchsorted(edges, one) for one in (probability, known.rejected_probability))
    random = np.random.default_rng(seed)
    outcomes = np.zeros(known.rejected.count, np.int64)
    for band in range(len(edges) + 1):
        in_band, rows = ours == band, random.permutation(np.flatnonzero(theirs == band))
        rate = weighted_mean(y[in_band], weight[in_band]) if in_band.any() else weighted_mean(y, weight)
        outcomes[rows[: round(len(rows) * float(tilt(np.array([rate]), factor)[0]))]] = 1
    return outcomes


def _measure(
    title: str,
    rows: float,
    drawn: float | None,
    known: Known,
    holdout: Dataset,
    policy: Policy,
    probability: Matrix,
    rejected: Matrix,
) -> Variant:
    own, own_rejected = known.probability[known.is_held], known.rejected_probability
    is_model = rejected is own_rejected
    weight = known.rejected.weight
    decision, before = (judge(policy, p, known.rejected.X).decision for p in (rejected, own_rejected))
    return Variant(
        title,
        rows,
        drawn,
        auc(holdout.y, probability, holdout.weight),
        None if is_model else compare_auc(holdout, probability, own),
        weighted_mean(probability, holdout.weight),
        weighted_mean(rejected, weight),
        weighted_mean(judge(policy, probability, holdout.X).decision == ACCEPT, holdout.weight),
        weighted_mean(decision == ACCEPT, weight),
        _correlate(rejected, own_rejected),
        weighted_mean(decision != before, weight),
    )


def _correlate(one: Matrix, other: Matrix) -> float:
    """Spearman's; NaN where one is constant."""
    ranks = rank(one), rank(other)
    return float(np.corrcoef(*ranks)[0, 1]) if min(map(np.ptp, ranks)) > 0 else float("nan")
