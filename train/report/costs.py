"""Cost of the policy on observed outcomes: by threshold, by acceptance rate and by score band.

The threshold in the model file follows from the costs alone; here it is compared with the observed optimum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.estimates import Estimate
from model.policy import DECISIONS, Policy
from train.dataset import Matrix
from train.policy import costs_of, decide, mean_cost
from train.report.intervals import default_rate, mean, percentile_interval, resample
from train.target import Labels
from train.weights import count_units, weighted_mean, weighted_quantile

ACCEPTANCE_RATES = tuple(round(0.1 * step, 1) for step in range(1, 11))
MAX_BANDS = 8
N_CURVE_POINTS = 199


@dataclass(frozen=True, slots=True)
class DecisionGroup:
    """The applicants who get one decision: their share of all applicants and their default rate."""

    decision: str
    share: float
    default_rate: Estimate


@dataclass(frozen=True, slots=True)
class StrategyRow:
    """The policy that accepts a given share of applicants, those with the lowest probabilities.

    threshold: the highest probability accepted. default_rate: of the accepted. cost: per applicant.
    """

    acceptance: float
    threshold: float
    default_rate: Estimate
    cost: float


@dataclass(frozen=True, slots=True)
class ScoreBand:
    """Applicants with at least `low` and less than `high` points; None is an open end."""

    low: int | None
    high: int | None
    share: float
    default_rate: Estimate


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs per applicant, in the unit of the card's costs.

    cost: of the policy. cost_without_review: of the same costs with accept and refuse only. theoretical_threshold: the
    threshold implied by the costs. empirical_threshold: the cheapest threshold on these outcomes, with its bootstrap
    interval; its empirical_cost is optimistic, because it was chosen on the same outcomes. thresholds, curve: cost by
    threshold, shape (199,) each.
    """

    cost: Estimate
    accept_all: float
    refuse_all: float
    cost_without_review: float
    theoretical_threshold: float
    empirical_threshold: Estimate
    empirical_cost: float
    thresholds: Matrix
    curve: Matrix
    decisions: tuple[DecisionGroup, ...]
    strategy: tuple[StrategyRow, ...]
    score_bands: tuple[ScoreBand, ...]


def measure_costs(y: Labels, probability: Matrix, policy: Policy, seed: int, weight: Matrix | None = None) -> Costs:
    """Measure a policy on predicted probabilities, float64, (n,), and outcomes y, int64, (n,), 1 = default.

    weight: float64, (n,).
    """
    decision = decide(probability, policy)
    theoretical_threshold = policy.cost_good / (policy.cost_default + policy.cost_good)
    thresholds = np.linspace(0, 1, N_CURVE_POINTS + 2)[1:-1]
    empirical_threshold, empirical_cost = _find_cheapest(y, probability, policy, seed, weight)
    default_share = weighted_mean(y, weight)

    def cost_at(threshold: float) -> float:
        return mean_cost(y, np.where(probability < threshold, 0, 2), policy, weight)

    return Costs(
        cost=mean(costs_of(y, decision, policy), weight),
        accept_all=default_share * policy.cost_default,
        refuse_all=(1 - default_share) * policy.cost_good,
        cost_without_review=cost_at(theoretical_threshold),
        theoretical_threshold=theoretical_threshold,
        empirical_threshold=empirical_threshold,
        empirical_cost=empirical_cost,
        thresholds=thresholds,
        curve=np.array([cost_at(threshold) for threshold in thresholds]),
        decisions=tuple(
            DecisionGroup(name, weighted_mean(rows, weight), default_rate(y, rows, weight))
            for number, name in enumerate(DECISIONS)
            for rows in [decision == number]
            if rows.any()
        ),
        strategy=tuple(_strategy_row(y, probability, policy, acceptance, weight) for acceptance in ACCEPTANCE_RATES),
        score_bands=tuple(_divide_into_bands(y, probability, policy, weight)),
    )


def _find_cheapest(
    y: Labels, probability: Matrix, policy: Policy, seed: int, weight: Matrix | None
) -> tuple[Estimate, float]:
    """The cheapest threshold on these outcomes, with its bootstrap interval, and its cost per applicant.

    Candidates are the midpoints between neighbouring probabilities, and 0 and 1.
    """
    order = np.argsort(probability, kind="stable")
    p = probability[order]
    # Accepting one more applicant adds the cost of a default, or saves the cost of refusing a good applicant.
    step = np.where(y[order] == 1, policy.cost_default, -policy.cost_good)
    total = float(len(y)) if weight is None else float(weight.sum())
    if weight is not None:
        step = step * weight[order]
    is_last_of_ties = np.append(p[1:] > p[:-1], True)
    thresholds = np.append(0.0, np.append((p[1:] + p[:-1]) / 2, 1.0)[is_last_of_ties])

    def costs_beyond_refusing_all(draws: npt.NDArray[np.int64]) -> Matrix:
        return np.append(0.0, np.cumsum(step * draws)[is_last_of_ties])

    draws = [float(thresholds[np.argmin(costs_beyond_refusing_all(drawn[order]))]) for drawn in resample(len(y), seed)]
    goods = total - y.sum() if weight is None else weight[y == 0].sum()
    costs = costs_beyond_refusing_all(np.ones(len(y), np.int64)) + policy.cost_good * goods
    cheapest = int(np.argmin(costs))
    return percentile_interval(float(thresholds[cheapest]), draws), float(costs[cheapest] / total)


def _strategy_row(
    y: Labels, probability: Matrix, policy: Policy, acceptance: float, weight: Matrix | None
) -> StrategyRow:
    order = np.argsort(probability, kind="stable")
    if weight is not None:
        return _weighted_strategy_row(y[order], probability[order], count_units(weight)[order], policy, acceptance)
    n_accepted = max(round(acceptance * len(y)), 1)
    is_accepted = np.zeros(len(y), dtype=bool)
    is_accepted[order[:n_accepted]] = True
    cost = mean_cost(y, np.where(is_accepted, 0, 2), policy)
    return StrategyRow(acceptance, float(probability[order[n_accepted - 1]]), default_rate(y, is_accepted), cost)


def _weighted_strategy_row(
    y: Labels, probability: Matrix, weight: Matrix, policy: Policy, acceptance: float
) -> StrategyRow:
    """Rows in order of probability; of the last accepted row only a part of its weight is accepted."""
    total = float(weight.sum())
    wanted = max(round(acceptance * total), 1)
    accepted = np.clip(wanted - (np.cumsum(weight) - weight), 0.0, weight)
    rows = accepted > 0
    cost = float((accepted * y * policy.cost_default + (weight - accepted) * (1 - y) * policy.cost_good).sum()) / total
    return StrategyRow(acceptance, float(probability[rows][-1]), default_rate(y, rows, accepted), cost)


def _divide_into_bands(y: Labels, probability: Matrix, policy: Policy, weight: Matrix | None) -> list[ScoreBand]:
    """At most MAX_BANDS + 1 bands, as wide as the points that double the odds or a multiple of it, with open ends."""
    points = policy.score_points(probability)
    width = max(round(policy.points.double), 1)
    low, high = weighted_quantile(points.astype(np.float64), [0.05, 0.95], weight)
    start, stop = int(low // width) * width, int(high // width) * width
    while (stop - start) / width > MAX_BANDS:
        width *= 2
        start, stop = start // width * width, stop // width * width
    edges = list(range(start, stop + 1, width))
    band_numbers = np.searchsorted(edges[1:], points, side="right")
    bands = []
    for number, edge in enumerate(edges):
        rows = band_numbers == number
        upper = edges[number + 1] if number + 1 < len(edges) else None
        share, rate = weighted_mean(rows, weight), default_rate(y, rows, weight)
        bands.append(ScoreBand(edge if number else None, upper, share, rate))
    return bands
