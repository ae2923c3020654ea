"""Profit of a policy in money: of this policy beside others, by acceptance rate, by score band and by exposure.

The profit of a decision is what an accepted good loan gains, less what an accepted default loses. Expected: by the
model's probabilities. Realized: by the outcomes, each default losing the card's LGD of its exposure. A review finds the
right answer, for its price. Applicants of unknown exposure or margin are in none of these figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from msgspec import structs

from model.estimates import Estimate
from model.formatting import format_amount
from model.policy import Policy
from train.dataset import Matrix
from train.judged import ACCEPT, REFUSE, REVIEW, Judged
from train.report.agreement import Agreement, measure_agreement
from train.report.costs import ACCEPTANCE_RATES, divide_into_bands
from train.report.formatting import format_range
from train.report.intervals import default_rate, mean, ratio_of_means, scale
from train.target import Labels
from train.weights import Flags, select, weighted_mean, weighted_quantile

N_CURVE_POINTS = 101
EXPOSURE_BANDS = 5

WITHOUT_REVIEWS = "without reviews"
"""Who is reviewed by this policy is accepted or refused instead, by the sign of the expected profit."""


@dataclass(frozen=True, slots=True)
class PolicyProfit:
    """A policy: the shares that it accepts and reviews, and its profit per applicant, accepted or not."""

    title: str
    acceptance: float
    reviewed: float
    expected: float
    realized: Estimate


@dataclass(frozen=True, slots=True)
class ProfitRow:
    """Profit per applicant where so many are accepted, those with the largest expected profit.

    by_probability: realized where those with the smallest probability of default are accepted instead.
    """

    acceptance: float
    expected: float
    realized: float
    by_probability: float


@dataclass(frozen=True, slots=True)
class ProfitBand:
    """Applicants of a band of points or of exposure; exposure: their mean. Profit per applicant, accepted or not."""

    title: str
    share: float
    exposure: float
    acceptance: float
    default_rate: Estimate
    expected: float
    realized: Estimate


@dataclass(frozen=True, slots=True)
class Losses:
    """Loss of the accepted in all: expected, realized, and the first divided by the second, NaN without a default.

    agreement: the test of it, in which each applicant counts by what is lost.
    """

    expected: float
    realized: Estimate
    ratio: Estimate
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Profit:
    """Money in the unit of the card's exposure, of applicants whose exposure and margin are known.

    count: what they weigh, which their number is without weights. n_unknown: how many others there are. policies: this
    policy first. advantage: realized profit per applicant of this policy less that of one threshold for all. shares,
    expected, realized, by_probability: the curves of ProfitRow, shape (101,) each. exposure_bands: none where all have
    the same exposure.
    """

    count: float
    n_unknown: int
    policies: tuple[PolicyProfit, ...]
    advantage: Estimate
    losses: Losses | None
    shares: Matrix
    expected: Matrix
    realized: Matrix
    by_probability: Matrix
    strategy: tuple[ProfitRow, ...]
    score_bands: tuple[ProfitBand, ...]
    exposure_bands: tuple[ProfitBand, ...]


def measure_profit(
    y: Labels, probability: Matrix, applicants: Matrix, judged: Judged, weight: Matrix | None = None
) -> Profit | None:
    """Measure a policy in money; None for another, or where nobody's exposure and margin are known.

    y: int64, (n,), 1 = default. probability, weight: float64, (n,). applicants: float64, (n, n_fields).
    """
    policy, rows, n_unknown = judged.policy, judged.is_known, judged.n_unknown
    if policy.money is None or not rows.any():
        return None
    judged, y, probability, weight = judged.take(rows), y[rows], probability[rows], select(weight, rows)
    applicants, accepted = applicants[rows], judged.decision == ACCEPT
    constant = judged.decide(use_one_threshold(policy).decide(probability, applicants))
    by_profit = np.where(judged.decide(ACCEPT).profit(probability) > 0, ACCEPT, REFUSE)
    decision = np.where(judged.decision == REVIEW, by_profit, judged.decision)
    others = {"without the rules": judged.decide(structs.replace(policy, rules=()).decide(probability, applicants))}
    policies = {
        "this policy": judged,
        **({WITHOUT_REVIEWS: judged.decide(decision)} if (judged.decision == REVIEW).any() else {}),
        **(others if policy.rules else {}),
        "one threshold for all": constant,
        "accept all": judged.decide(ACCEPT),
        "refuse all": judged.decide(REFUSE),
    }
    everyone = judged.decide(ACCEPT)
    expected, realized = everyone.profit(probability), everyone.profit(y)
    best_first, safest_first = (np.argsort(order, kind="stable") for order in (-expected, probability))
    shares = np.linspace(0, 1, N_CURVE_POINTS)
    curves = (
        _accumulate(expected, best_first, shares, weight),
        _accumulate(realized, best_first, shares, weight),
        _accumulate(realized, safest_first, shares, weight),
    )
    exposure = judged.loss / policy.money.lgd
    points = policy.score_points(probability)
    bands = {format_range(low, high): members for low, high, members in divide_into_bands(points, policy, weight)}
    figures = _Rows(y, probability, judged, exposure, weight)
    return Profit(
        count=figures.count,
        n_unknown=n_unknown,
        policies=tuple(
            PolicyProfit(
                title,
                weighted_mean(one.decision == ACCEPT, weight),
                weighted_mean(one.decision == REVIEW, weight),
                weighted_mean(one.profit(probability), weight),
                mean(one.profit(y), weight),
            )
            for title, one in policies.items()
        ),
        advantage=mean(judged.profit(y) - constant.profit(y), weight),
        losses=figures.take(accepted).losses() if accepted.any() else None,
        shares=shares,
        expected=curves[0],
        realized=curves[1],
        by_probability=curves[2],
        strategy=tuple(
            ProfitRow(rate, *(float(np.interp(rate, shares, curve)) for curve in curves)) for rate in ACCEPTANCE_RATES
        ),
        score_bands=tuple(figures.measure(title, members) for title, members in bands.items() if members.any()),
        exposure_bands=tuple(figures.measure(*one) for one in _divide_exposures(exposure, weight)),
    )


def use_one_threshold(policy: Policy) -> Policy:
    """The policy of the average applicant's thresholds for all, with the same rules."""
    return structs.replace(policy, money=None)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Applicants whose stakes are known."""

    y: Labels
    probability: Matrix
    judged: Judged
    exposure: Matrix
    weight: Matrix | None

    @property
    def count(self) -> float:
        return float(len(self.y) if self.weight is None else self.weight.sum())

    def take(self, rows: Flags) -> _Rows:
        weight = select(self.weight, rows)
        return _Rows(self.y[rows], self.probability[rows], self.judged.take(rows), self.exposure[rows], weight)

    def losses(self) -> Losses:
        expected, realized = self.probability * self.judged.loss, self.y * self.judged.loss
        unknown = Estimate(float("nan"), 0.0, float("inf"))
        lost = self.judged.loss if self.weight is None else self.weight * self.judged.loss
        return Losses(
            expected=weighted_mean(expected, self.weight) * self.count,
            realized=scale(mean(realized, self.weight), self.count),
            ratio=ratio_of_means(expected, realized, self.weight) if self.y.any() else unknown,
            agreement=measure_agreement(self.y, self.probability, lost),
        )

    def measure(self, title: str, members: Flags) -> ProfitBand:
        some = self.take(members)
        return ProfitBand(
            title=title,
            share=weighted_mean(members, self.weight),
            exposure=weighted_mean(some.exposure, some.weight),
            acceptance=weighted_mean(some.judged.decision == ACCEPT, some.weight),
            default_rate=default_rate(self.y, members, self.weight),
            expected=weighted_mean(some.judged.profit(some.probability), some.weight),
            realized=mean(some.judged.profit(some.y), some.weight),
        )


def _accumulate(profit: Matrix, order: Labels, shares: Matrix, weight: Matrix | None) -> Matrix:
    """Profit per applicant if a share of them is accepted in an order, of the last one a part: shape of shares."""
    units = np.ones(len(profit)) if weight is None else weight[order]
    accepted = np.append(0.0, np.cumsum(units)) / units.sum()
    return np.asarray(np.interp(shares, accepted, np.append(0.0, np.cumsum(units * profit[order])) / units.sum()))


def _divide_exposures(exposure: Matrix, weight: Matrix | None) -> Iterator[tuple[str, Flags]]:
    """At most five bands of about equal count, between round amounts; none where all are in one."""
    quantiles = weighted_quantile(exposure, np.linspace(0, 1, EXPOSURE_BANDS + 1)[1:-1], weight)
    edges = sorted({float(f"{edge:.2g}") for edge in quantiles.tolist()})
    numbers = np.searchsorted(edges, exposure * (1 + 1e-12), side="right")
    found = np.unique(numbers)
    if len(found) < 2:
        return
    for number in found.tolist():
        low, high = (format_amount(edge) for edge in (edges[number - 1], edges[min(number, len(edges) - 1)]))
        title = f"under {high}" if not number else f"{low} or more" if number == len(edges) else f"{low} – {high}"
        yield title, numbers == number
