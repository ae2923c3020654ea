"""What the policy costs: the curve over thresholds, the best threshold the data know, and what accepting more means.

Thresholds of the artifact follow from the costs alone; here they are held against outcomes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.policy import DECISIONS, Policy
from train.dataset import Labels, Matrix
from train.policy import costs_of, decide
from train.report.intervals import Estimate, mean, percentile, resample, share

ACCEPTANCE = tuple(round(0.1 * step, 1) for step in range(1, 11))
BANDS = 8
CURVE_POINTS = 199


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the policy's answers: its share of applicants, and how those pay who got it."""

    decision: str
    share: float
    default_rate: Estimate


@dataclass(frozen=True, slots=True)
class Tradeoff:
    """Accepting this share of applicants: below which probability, how they pay, what each applicant costs."""

    acceptance: float
    threshold: float
    bad_rate: Estimate
    cost: float


@dataclass(frozen=True, slots=True)
class Band:
    """Applicants with at least `low` and less than `high` points; None where there is no such end."""

    low: int | None
    high: int | None
    share: float
    default_rate: Estimate


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs per applicant, in the unit of the card's costs.

    cost: of the policy as it is. two_way: of the same without review. theoretical: the threshold that costs give,
    empirical: the one that would have been cheapest here, with its bootstrap interval; empirical_cost is its cost
    and flatters, because it was chosen on the same outcomes. curve: thresholds and costs, shape (199,) each.
    """

    cost: Estimate
    accept_all: float
    refuse_all: float
    two_way: float
    theoretical: float
    empirical: Estimate
    empirical_cost: float
    thresholds: Matrix
    curve: Matrix
    answers: tuple[Answer, ...]
    tradeoffs: tuple[Tradeoff, ...]
    bands: tuple[Band, ...]


def measure_costs(y: Labels, probability: Matrix, policy: Policy, seed: int) -> Costs:
    """Measure a policy on probabilities of default, float64, (n,), and outcomes y, int64, (n,), 1 = default."""
    decision = decide(probability, policy)
    theoretical = policy.cost_good / (policy.cost_default + policy.cost_good)
    thresholds = np.linspace(0, 1, CURVE_POINTS + 2)[1:-1]
    empirical, cheapest = _cheapest(y, probability, policy, seed)
    two_way = np.where(probability < theoretical, 0, 2)
    return Costs(
        cost=mean(costs_of(y, decision, policy)),
        accept_all=float(y.mean() * policy.cost_default),
        refuse_all=float((1 - y.mean()) * policy.cost_good),
        two_way=float(costs_of(y, two_way, policy).mean()),
        theoretical=theoretical,
        empirical=empirical,
        empirical_cost=cheapest,
        thresholds=thresholds,
        curve=np.array([costs_of(y, np.where(probability < at, 0, 2), policy).mean() for at in thresholds]),
        answers=tuple(
            Answer(word, float(here.mean()), share(int(y[here].sum()), int(here.sum())))
            for number, word in enumerate(DECISIONS)
            for here in [decision == number]
            if here.any()
        ),
        tradeoffs=tuple(_tradeoff(y, probability, policy, acceptance) for acceptance in ACCEPTANCE),
        bands=tuple(_bands(y, probability, policy)),
    )


def _cheapest(y: Labels, probability: Matrix, policy: Policy, seed: int) -> tuple[Estimate, float]:
    """The threshold that would have cost least, with its bootstrap interval, and its cost per applicant.

    Thresholds tried lie midway between neighbouring probabilities, and at both ends.
    """
    order = np.argsort(probability, kind="stable")
    p, outcomes = probability[order], y[order]
    # Accepting the first k: each default among them costs, and so does each good one after.
    step = np.where(outcomes == 1, policy.cost_default, -policy.cost_good)
    is_end = np.append(p[1:] > p[:-1], True)
    between = np.append((p[1:] + p[:-1]) / 2, 1.0)[is_end]
    thresholds = np.append(0.0, between)

    def best(weights: npt.NDArray[np.int64]) -> int:
        return int(np.argmin(np.append(0.0, np.cumsum(step * weights)[is_end])))

    draws = [float(thresholds[best(weights[order])]) for weights in resample(len(y), seed)]
    place = best(np.ones(len(y), np.int64))
    total = np.append(0.0, np.cumsum(step)[is_end])[place] + policy.cost_good * (len(y) - y.sum())
    return percentile(float(thresholds[place]), draws), float(total / len(y))


def _tradeoff(y: Labels, probability: Matrix, policy: Policy, acceptance: float) -> Tradeoff:
    order = np.argsort(probability, kind="stable")
    accepted = max(round(acceptance * len(y)), 1)
    threshold = float(probability[order[accepted - 1]])
    is_accepted = np.zeros(len(y), dtype=bool)
    is_accepted[order[:accepted]] = True
    cost = float(costs_of(y, np.where(is_accepted, 0, 2), policy).mean())
    return Tradeoff(acceptance, threshold, share(int(y[is_accepted].sum()), accepted), cost)


def _bands(y: Labels, probability: Matrix, policy: Policy) -> list[Band]:
    """Bands of points, each as wide as the odds take to double, the ends open."""
    points = np.array([policy.score_points(p) for p in probability.tolist()])
    width = max(round(policy.points.double), 1)
    low, high = np.quantile(points, [0.05, 0.95])
    start, stop = int(low // width) * width, int(high // width) * width
    while (stop - start) / width > BANDS:
        width *= 2
        start, stop = start // width * width, stop // width * width
    edges = list(range(start, stop + 1, width))
    places = np.searchsorted(edges[1:], points, side="right")
    bands = []
    for place, edge in enumerate(edges):
        here = places == place
        upper = edges[place + 1] if place + 1 < len(edges) else None
        bands.append(
            Band(edge if place else None, upper, float(here.mean()), share(int(y[here].sum()), int(here.sum())))
        )
    return bands
