"""Order of the probabilities (AUC): as they promise it, and of two models on the same applicants.

Before outcomes exist, performance is expected from the probabilities alone, as if each outcome were drawn with its
probability: right as long as they are calibrated (Garg et al., Leveraging unlabeled data to predict out-of-distribution
performance, ICLR 2022, compare such estimates; NannyML calls it CBPE).
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct

from model.estimates import Estimate, Z, auc, expect_auc, rank
from model.policy import DECISIONS
from monitor.history import Floats, History, Integers, Small, read_day
from monitor.terms import ACCEPT, Terms


class ExpectedPerformance(Struct, frozen=True):
    """What the probabilities promise: an expectation, right as long as they are calibrated, not a measurement.

    `accepted`: decisions of the model to accept; `default_rate`: of them. `auc`: of all applicants; `accepted_auc`: of
    the accepted alone, which is lower, because they are more alike. `cost_per_decision`: of the model's decisions whose
    stakes are known.
    """

    decisions: int
    accepted: int
    default_rate: float | None
    auc: float | None
    accepted_auc: float | None
    cost_per_decision: float | None


class ChallengerComparison(Struct, frozen=True):
    """Champion and challenger on the same decisions, `outcomes` of which are known.

    `swap_set`: decisions by that of the champion (rows) and of the challenger (columns), shape (3, 3) in the order of
    DECISIONS. `trained`: the day (YYYY-MM-DD) of a challenger that scored the record afterwards, None for one that
    stood in the shadow; `seen`: outcomes known by then, which may have trained it.
    `difference`: AUC of the challenger less that of the champion; `chance`: that two models that are equally good
    differ as much. `cost_difference`: per decision with known outcome and stakes, challenger less champion.
    """

    name: str
    version: str
    sha256: str
    decisions: int
    swap_set: list[list[int]]
    outcomes: int
    trained: str | None
    seen: int
    auc: Estimate | None
    champion_auc: Estimate | None
    difference: Estimate | None
    chance: float | None
    cost_difference: Estimate | None


def expect_performance(probability: Floats, decision: Small, terms: Terms) -> ExpectedPerformance:
    """What to expect of decisions of one model, shape (n,) each."""
    accepted = probability[decision == ACCEPT]
    costs = terms.expect_costs(probability, decision)
    costs = costs[~np.isnan(costs)]
    return ExpectedPerformance(
        decisions=len(probability),
        accepted=len(accepted),
        default_rate=float(accepted.mean()) if len(accepted) else None,
        auc=expect_auc(probability),
        accepted_auc=expect_auc(accepted),
        cost_per_decision=float(costs.mean()) if len(costs) else None,
    )


def compare_auc(y: Integers, one: Floats, other: Floats) -> tuple[Estimate, float]:
    """AUC of `one` less that of `other` on the same outcomes, and the chance of such a difference of equal models.

    DeLong, DeLong & Clarke-Pearson (Biometrics 44, 1988) for correlated curves. Both classes must be present.
    """
    bads, goods = (first - second for first, second in zip(_place(y, one), _place(y, other), strict=True))
    value = float(bads.mean())
    error = math.sqrt(sum(float(np.var(part, ddof=1)) / len(part) for part in (bads, goods) if len(part) > 1))
    chance = math.erfc(abs(value) / error / math.sqrt(2)) if error > 0 else float(value == 0)
    return Estimate(value, value - Z * error, value + Z * error), chance


def compare_challenger(
    history: History, defaulted: Small, terms: Terms, trained_at: str | None = None
) -> ChallengerComparison | None:
    """Champion and challenger where both answered; `defaulted`: −1 = unknown, shape (n,).

    `trained_at`: RFC 3339, of a challenger that has scored the record afterwards.
    """
    if history.challenger is None:
        return None
    both = history.challenger_decision >= 0
    known = both & (defaulted >= 0)
    y = defaulted[known].astype(np.int64)
    challenger, champion = history.challenger_probability[known], history.probability[known]
    trained = trained_at and trained_at[:10]
    seen = 0 if trained is None else int((history.outcome_day[known] <= read_day(trained)).sum())
    swaps = np.bincount(len(DECISIONS) * history.decision[both] + history.challenger_decision[both], minlength=9)
    own, decisions = terms.take(known), (history.challenger_decision[known], history.decision[known])
    difference_in_cost = own.expect_costs(y, decisions[0]) - own.expect_costs(y, decisions[1])
    has_both = 0 < int(y.sum()) < len(y)
    difference, chance = compare_auc(y, challenger, champion) if has_both else (None, None)
    return ChallengerComparison(
        name=history.challenger.name,
        version=history.challenger.version,
        sha256=history.challenger.sha256,
        decisions=int(both.sum()),
        swap_set=swaps.reshape(len(DECISIONS), -1).tolist(),
        outcomes=len(y),
        trained=trained,
        seen=seen,
        auc=auc(y, challenger) if has_both else None,
        champion_auc=auc(y, champion) if has_both else None,
        difference=difference,
        chance=chance,
        cost_difference=_estimate_mean(difference_in_cost[~np.isnan(difference_in_cost)]),
    )


def _place(y: Integers, probability: Floats) -> tuple[Floats, Floats]:
    """For each bad the share of goods below it, for each good the share of bads above it."""
    bad, good = probability[y == 1], probability[y == 0]
    ranks = rank(np.concatenate([bad, good]))
    return (ranks[: len(bad)] - rank(bad)) / len(good), 1 - (ranks[len(bad) :] - rank(good)) / len(bad)


def _estimate_mean(values: Floats) -> Estimate | None:
    if len(values) < 2:
        return None
    value, error = float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))
    return Estimate(value, value - Z * error, value + Z * error)
