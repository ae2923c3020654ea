"""When did the outcomes part from the probabilities? A scan over the known outcomes in the order of the decisions.

For each moment the outcomes before and after it have each their own ratio of observed to predicted defaults, against
one ratio for all: likelihood ratio of a Poisson scan (Kulldorff, A spatial scan statistic, Communications in Statistics
26, 1997), divided by the dispersion of Bernoulli outcomes, Σ p (1 − p) / Σ p. As the moment is the best of many, its
significance is found by simulating outcomes without a change.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from decisions.reading import write_time
from model.calibration import expit, fit_line, log_odds
from monitor.history import Flags, Floats, Integers

MAX_BLOCKS = 400
"""More outcomes than that are taken together, so that a scan of a million takes no longer."""

MIN_EXPECTED = 3.0
"""Defaults to be expected on each side of a moment: fewer say nothing about a rate."""

N_SIMULATIONS, PORTION, ENOUGH_REACHED = 1_000, 100, 20
"""Streams without a change that are simulated, at once so many, until so many of them show as large a ratio (Besag &
Clifford, Sequential Monte Carlo p-values, Biometrika 78, 1991): most looks are done after the first portion."""

SEED = 21

MAX_CHANCE = 0.05
"""A moment that chance explains more often than this is not reported."""

INTERVAL_DROP = 7.35
"""Moments whose likelihood ratio is less than this below the best are in the 95% interval: (1 − exp(−x / 2))² = 0.95
(Siegmund, Confidence sets in change-point problems, International Statistical Review 56, 1988; Eo & Morley,
Quantitative Economics 6, 2015)."""


class ChangePoint(Struct, frozen=True):
    """The most likely moment of a change of observed / predicted default rate, and its 95% interval.

    `time`, `low`, `high`: of the first decision after the change, RFC 3339. `chance`: that outcomes without any change
    look as much like one. `before`, `after`: observed / predicted, of so many outcomes.
    """

    time: str
    low: str
    high: str
    chance: float
    before: float
    after: float
    outcomes_before: int
    outcomes_after: int


def find_change(time: Integers, probability: Floats, y: Integers) -> ChangePoint | None:
    """The moment of a change, of decisions in the order of `time` and their outcomes `y`: shape (n,) each.

    None if there is no sign of one, at a chance of 5%.
    """
    if not 0 < y.sum() < len(y):
        return None
    # The level as a whole may be wrong; only a change of it counts.
    x = log_odds(probability)
    p = expit(x + fit_line(x, y, is_slope_fixed=True).intercept)
    edges = np.linspace(0, len(y), min(len(y), MAX_BLOCKS) + 1).astype(np.int64)
    starts = edges[:-1]
    sums, squares, found = (np.add.reduceat(values.astype(np.float64), starts) for values in (p, p * p, y))
    expected = np.cumsum(sums)[:-1]
    is_moment = (expected >= MIN_EXPECTED) & (sums.sum() - expected >= MIN_EXPECTED)
    is_moment &= time[starts[1:] - 1] < time[starts[1:]]
    if not is_moment.any():
        return None
    scanned = _scan(found[np.newaxis], sums, is_moment)[0]
    best = int(np.argmax(scanned))
    chance = _measure_chance(float(scanned[best]), sums, squares, is_moment)
    if chance > MAX_CHANCE:
        return None
    rows = starts[1:][is_moment]
    dispersion = 1 - squares.sum() / sums.sum()
    inside = rows[scanned >= scanned[best] - INTERVAL_DROP * dispersion]
    row = int(rows[best])
    moment, low, high = (write_time(int(time[place])) for place in (row, inside[0], inside[-1]))
    before, after = (float(y[part].sum() / probability[part].sum()) for part in (slice(row), slice(row, None)))
    return ChangePoint(moment, low, high, chance, before, after, row, len(y) - row)


def _scan(found: Floats, expected: Floats, is_moment: Flags) -> Floats:
    """Likelihood ratios of a change after each block but the last that is a moment; shape (n, n_moments).

    `found`: defaults by block, shape (n, n_blocks); `expected`: without a change, shape (n_blocks,).
    """
    total = found.sum(axis=1, keepdims=True)
    before = np.cumsum(found, axis=1)[:, :-1][:, is_moment]
    shares = (np.cumsum(expected)[:-1] / expected.sum())[is_moment]
    return 2 * (_deviance(before, shares * total) + _deviance(total - before, (1 - shares) * total))


def _deviance(found: Floats, expected: Floats) -> Floats:
    ratios = np.divide(found, expected, out=np.ones_like(found), where=found > 0)
    logarithms: Floats = np.log(ratios)
    return found * logarithms


def _measure_chance(ratio: float, sums: Floats, squares: Floats, is_moment: Flags) -> float:
    """The chance that outcomes without a change have at least this ratio; Σ p and Σ p² by block, shape (n_blocks,).

    Defaults of a block, a sum of Bernoulli variables, are drawn from the binomial distribution with its mean and nearly
    its variance; it is exact for blocks of one.
    """
    trials = np.maximum(np.rint(sums * sums / squares), np.ceil(sums))
    rates = np.minimum(sums / trials, 1.0)
    random = np.random.default_rng(SEED)
    reached = 0
    for drawn in range(PORTION, N_SIMULATIONS + 1, PORTION):
        found = random.binomial(trials.astype(np.int64), rates, (PORTION, len(sums))).astype(np.float64)
        reached += int(np.count_nonzero(_scan(found, sums, is_moment).max(axis=1) >= ratio))
        if reached >= ENOUGH_REACHED:
            return reached / drawn
    return (1 + reached) / (1 + N_SIMULATIONS)
