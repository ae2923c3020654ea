"""Cost of the policy on observed outcomes: by threshold, by acceptance rate and by score band.

The threshold in the model file follows from the costs alone; here it is compared with the observed optimum. With a
policy in money each applicant has a threshold of its own; what is compared is then the share of the expected loss in
expected loss and gain, p · loss / (p · loss + (1 − p) · gain), which is below one half where accepting is best.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.estimates import Estimate
from model.policy import DECISIONS, Policy
from train.dataset import Matrix
from train.judged import ACCEPT, REFUSE, Judged
from train.report.intervals import default_rate, mean_of_known, percentile_interval, resample
from train.target import Labels
from train.weights import Flags, count_units, select, weighted_mean, weighted_quantile

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

    cost: of the policy. cost_without_review: of the same costs with accept and refuse only, and without rules.
    n_unknown: applicants whose costs aren't known, who are in none of the costs. The thresholds are those of a
    probability, or, with a policy in money, of the share of the expected loss. theoretical_threshold: the one implied
    by the costs. empirical_threshold: the cheapest one on these outcomes, with its bootstrap interval; its
    empirical_cost is optimistic, because it was chosen on the same outcomes. thresholds, curve: cost by threshold,
    shape (199,) each.
    """

    cost: Estimate
    n_unknown: int
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


def measure_costs(y: Labels, probability: Matrix, judged: Judged, seed: int, weight: Matrix | None = None) -> Costs:
    """Measure a policy on predicted probabilities, float64, (n,), and outcomes y, int64, (n,), 1 = default.

    weight: float64, (n,).
    """
    policy, decision, known = judged.policy, judged.decision, judged.is_known
    stakes, outcomes, weights = judged.take(known), y[known], select(weight, known)
    if policy.money is None:
        risk, theoretical_threshold = probability, policy.cost_good / (policy.cost_default + policy.cost_good)
    else:
        risk, theoretical_threshold = share_loss(probability[known], stakes), 0.5
    thresholds = np.linspace(0, 1, N_CURVE_POINTS + 2)[1:-1]
    empirical_threshold, empirical_cost = _find_cheapest(outcomes, risk, stakes, seed, weights)

    def cost_at(threshold: float) -> float:
        return stakes.decide(np.where(risk < threshold, ACCEPT, REFUSE)).mean_cost(outcomes, weights)

    return Costs(
        cost=mean_of_known(judged.costs(y), weight),
        n_unknown=judged.n_unknown,
        accept_all=judged.decide(ACCEPT).mean_cost(y, weight),
        refuse_all=judged.decide(REFUSE).mean_cost(y, weight),
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
        strategy=tuple(_strategy_row(y, probability, judged, acceptance, weight) for acceptance in ACCEPTANCE_RATES),
        score_bands=tuple(
            ScoreBand(low, high, weighted_mean(rows, weight), default_rate(y, rows, weight))
            for low, high, rows in divide_into_bands(policy.score_points(probability), policy, weight)
        ),
    )


def share_loss(probability: Matrix, judged: Judged) -> Matrix:
    """The expected loss as a share of expected loss and gain, in [0, 1], float64, shape (n,)."""
    loss = probability * judged.loss
    return np.asarray(loss / (loss + (1 - probability) * judged.gain))


def _find_cheapest(y: Labels, risk: Matrix, judged: Judged, seed: int, weight: Matrix | None) -> tuple[Estimate, float]:
    """The cheapest threshold of the risk on these outcomes, with its bootstrap interval, and its cost per applicant.

    Candidates are the midpoints between neighbouring risks, and 0 and 1.
    """
    order = np.argsort(risk, kind="stable")
    p = risk[order]
    # Accepting one more applicant adds the cost of a default, or saves the cost of refusing a good applicant.
    step = np.where(y == 1, judged.loss, -judged.gain)[order]
    total = float(len(y)) if weight is None else float(weight.sum())
    if weight is not None:
        step = step * weight[order]
    is_last_of_ties = np.append(p[1:] > p[:-1], True)
    thresholds = np.append(0.0, np.append((p[1:] + p[:-1]) / 2, 1.0)[is_last_of_ties])

    def costs_beyond_refusing_all(draws: npt.NDArray[np.int64]) -> Matrix:
        return np.append(0.0, np.cumsum(step * draws)[is_last_of_ties])

    draws = [float(thresholds[np.argmin(costs_beyond_refusing_all(drawn[order]))]) for drawn in resample(len(y), seed)]
    refusing_all = judged.decide(REFUSE).mean_cost(y, weight) * total
    costs = costs_beyond_refusing_all(np.ones(len(y), np.int64)) + refusing_all
    cheapest = int(np.argmin(costs))
    return percentile_interval(float(thresholds[cheapest]), draws), float(costs[cheapest] / total)


def _strategy_row(
    y: Labels, probability: Matrix, judged: Judged, acceptance: float, weight: Matrix | None
) -> StrategyRow:
    order = np.argsort(probability, kind="stable")
    if weight is not None:
        return _weighted_strategy_row(
            y[order], probability[order], count_units(weight)[order], judged.take(order), acceptance
        )
    n_accepted = max(round(acceptance * len(y)), 1)
    is_accepted = np.zeros(len(y), dtype=bool)
    is_accepted[order[:n_accepted]] = True
    cost = judged.decide(np.where(is_accepted, ACCEPT, REFUSE)).mean_cost(y)
    return StrategyRow(acceptance, float(probability[order[n_accepted - 1]]), default_rate(y, is_accepted), cost)


def _weighted_strategy_row(
    y: Labels, probability: Matrix, weight: Matrix, judged: Judged, acceptance: float
) -> StrategyRow:
    """Rows in order of probability; of the last accepted row only a part of its weight is accepted."""
    total = float(weight.sum())
    wanted = max(round(acceptance * total), 1)
    accepted = np.clip(wanted - (np.cumsum(weight) - weight), 0.0, weight)
    rows = accepted > 0
    known = judged.is_known
    costs = (accepted * y * judged.loss + (weight - accepted) * (1 - y) * judged.gain)[known]
    cost = float(costs.sum()) / float(weight[known].sum())
    return StrategyRow(acceptance, float(probability[rows][-1]), default_rate(y, rows, accepted), cost)


def divide_into_bands(
    points: Labels, policy: Policy, weight: Matrix | None
) -> Iterator[tuple[int | None, int | None, Flags]]:
    """At most MAX_BANDS + 1 bands, as wide as the points that double the odds or a multiple of it, with open ends.

    Of each its least points, the least points above it, and whether each applicant is in it.
    """
    width = max(round(policy.points.double), 1)
    low, high = weighted_quantile(points.astype(np.float64), [0.05, 0.95], weight)
    start, stop = int(low // width) * width, int(high // width) * width
    while (stop - start) / width > MAX_BANDS:
        width *= 2
        start, stop = start // width * width, stop // width * width
    edges = list(range(start, stop + 1, width))
    band_numbers = np.searchsorted(edges[1:], points, side="right")
    for number, edge in enumerate(edges):
        upper = edges[number + 1] if number + 1 < len(edges) else None
        yield edge if number else None, upper, band_numbers == number
