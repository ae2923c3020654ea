"""Champion against challenger on the same rows: metrics with paired intervals, swap set, and shift of the scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from model.bins import name_bins
from model.estimates import Estimate
from model.policy import DECISIONS
from model.session import Scores
from train.bins import bin_numbers
from train.dataset import Matrix
from train.judged import REVIEW, Judged
from train.report.intervals import default_rate, percentile_interval, resample
from train.report.stability import PROBABILITY, Shift, compare_counts, count_weighted
from train.target import Labels
from train.weights import Flags, weighted_mean

Weights = npt.NDArray[np.int64] | Matrix


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of both models, and challenger − champion with a paired bootstrap interval."""

    title: str
    champion: float
    challenger: float
    difference: Estimate
    is_better_higher: bool
    is_known: bool = True

    @property
    def verdict(self) -> str:
        """'better' or 'worse' if the interval excludes 0, else 'same'; 'unknown' if the metric can't be compared."""
        if not self.is_known:
            return "unknown"
        if not self.difference.excludes(0.0) or self.difference.value == 0:
            return "same"
        return "better" if (self.difference.value > 0) == self.is_better_higher else "worse"


@dataclass(frozen=True, slots=True)
class DecisionShares:
    """Share of the applicants who get one decision from each model, weighted."""

    decision: str
    champion: float
    challenger: float


@dataclass(frozen=True, slots=True)
class Swap:
    """One cell of the swap set: applicants whom both models accept, only one, or neither, and their default rate.

    `count`: of rows; share and default rate are weighted.
    """

    title: str
    count: int
    share: float
    default_rate: Estimate


@dataclass(frozen=True, slots=True)
class Comparison:
    """A challenger beside a champion on the same rows, with known outcomes."""

    rows: int
    differences: tuple[Difference, ...]
    decisions: tuple[DecisionShares, ...]
    swaps: tuple[Swap, ...]
    scores: Shift

    @property
    def is_not_worse(self) -> bool:
        """Whether the challenger may replace the champion: no metric is worse by more than sampling noise."""
        return all(difference.verdict != "worse" for difference in self.differences)

    @property
    def is_cost_known(self) -> bool:
        """Whether the costs can be compared: reviews have a price, or both models review the same applicants."""
        return all(difference.is_known for difference in self.differences)


def compare(
    y: Labels, champion: Scores, challenger: Scores, judged: Judged, seed: int, weight: Matrix | None = None
) -> Comparison:
    """Compare the scores of the same n rows with outcomes y, int64, (n,), 1 = default; weight: float64, (n,).

    Each model decides by its own policy; `judged` is the champion's, which says what is at stake for each applicant and
    what a review costs. Where it doesn't say, costs are only comparable if both models review the same applicants.
    A resample draws rows, which keep their weights.
    """
    reviewed = [(scores.decision == REVIEW) & judged.is_known for scores in (champion, challenger)]
    is_cost_known = judged.policy.cost_review is not None or bool((reviewed[0] == reviewed[1]).all())
    metrics: list[_Metric] = [
        _Metric("AUC", True, lambda scores: _auc(y, scores.probability)),
        _Metric("log loss", False, lambda scores: _mean(_log_loss(y, scores.probability))),
        _Metric("Brier score", False, lambda scores: _mean((scores.probability - y) ** 2)),
        _Metric(
            "cost per applicant" if is_cost_known else "cost per applicant, reviews free",
            False,
            lambda scores: _mean(judged.decide(scores.decision).costs(y)),
            is_cost_known,
        ),
    ]
    pairs = [(metric.prepare(champion), metric.prepare(challenger)) for metric in metrics]
    all_rows = np.ones(len(y), dtype=np.int64) if weight is None else weight
    resamples = (drawn * all_rows for drawn in resample(len(y), seed))
    draws = np.array([[other(weights) - one(weights) for one, other in pairs] for weights in resamples])
    bins = bin_numbers(champion.probability, weight)
    before, after = (count_weighted(scores.probability, bins, weight) for scores in (champion, challenger))
    return Comparison(
        rows=len(y),
        differences=tuple(
            _difference(metric, one(all_rows), other(all_rows), draws[:, column])
            for column, (metric, (one, other)) in enumerate(zip(metrics, pairs, strict=True))
        ),
        decisions=tuple(
            DecisionShares(name, *(weighted_mean(one.decision == number, weight) for one in (champion, challenger)))
            for number, name in enumerate(DECISIONS)
        ),
        swaps=tuple(_swaps(y, champion.decision == 0, challenger.decision == 0, weight)),
        scores=compare_counts(PROBABILITY, name_bins(bins), before, after),
    )


@dataclass(frozen=True, slots=True)
class _Metric:
    """prepare: scores of all rows → function that takes what each row counts in a resample, and returns the metric."""

    title: str
    is_better_higher: bool
    prepare: Callable[[Scores], Callable[[Weights], float]]
    is_known: bool = True


def _difference(metric: _Metric, one: float, other: float, draws: Matrix) -> Difference:
    interval = percentile_interval(other - one, draws)
    return Difference(metric.title, one, other, interval, metric.is_better_higher, metric.is_known)


def _mean(losses: Matrix) -> Callable[[Weights], float]:
    """Of a resample; NaN is left out."""
    is_known = ~np.isnan(losses)
    if is_known.all():
        return lambda weights: float(weights @ losses / weights.sum())
    return lambda weights: float(weights[is_known] @ losses[is_known] / weights[is_known].sum())


def _auc(y: Labels, probability: Matrix) -> Callable[[Weights], float]:
    """AUC of a resample; tied pairs count one half."""
    _, ranks = np.unique(probability, return_inverse=True)

    def auc(weights: Weights) -> float:
        bad = np.bincount(ranks, weights * y)
        good = np.bincount(ranks, weights * (1 - y))
        pairs = bad.sum() * good.sum()
        return float(bad @ (np.cumsum(good) - good / 2) / pairs) if pairs else 0.5

    return auc


def _log_loss(y: Labels, probability: Matrix) -> Matrix:
    smallest = np.finfo(np.float64).eps
    p = np.clip(probability, smallest, 1 - smallest)
    loss: Matrix = -(xlogy(y, p) + xlogy(1 - y, 1 - p))
    return loss


def _swaps(y: Labels, was_accepted: Flags, is_accepted: Flags, weight: Matrix | None) -> list[Swap]:
    kinds = {
        "accepted by both": was_accepted & is_accepted,
        "newly accepted": ~was_accepted & is_accepted,
        "no longer accepted": was_accepted & ~is_accepted,
        "accepted by neither": ~was_accepted & ~is_accepted,
    }
    return [
        Swap(title, int(rows.sum()), weighted_mean(rows, weight), default_rate(y, rows, weight))
        for title, rows in kinds.items()
    ]
