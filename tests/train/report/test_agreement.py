"""The test of mean probability against default rate: calibrated models pass, others don't, with and without weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm

from train.report.agreement import Agreement, measure_agreement
from train.report.calibration import GATE_CONFIDENCE

DRAWS = 2_000
Random = np.random.Generator
Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]


def count_rejected(defaults: float, factor: float, confidence: float) -> float:
    """The share of draws of 600 outcomes in which probabilities `factor` times the true ones are rejected."""
    random = np.random.default_rng(0)
    probability = random.beta(2, 2 * 600 / defaults - 2, 600)
    probability *= defaults / probability.sum()
    shown = measure_agreement(np.zeros(600, np.int64), probability * factor)
    counts = np.zeros(DRAWS, np.int64)
    for p in probability:
        counts += random.random(DRAWS) < p
    numbers, times = np.unique(counts, return_counts=True)
    rejected = [
        Agreement(shown.predicted, number / 600, shown.deviation, shown.skewness).is_rejected(confidence)
        for number in numbers.tolist()
    ]
    return float(times[rejected].sum() / DRAWS)


@pytest.mark.parametrize("defaults", [6, 7.1, 8, 10, 15, 25, 50, 100, 150])
def test_calibrated_models_are_rejected_in_one_of_a_hundred(defaults: float) -> None:
    """Down to six expected defaults, and as seldom as asked far in the tails."""
    assert count_rejected(defaults, 1.0, GATE_CONFIDENCE) <= 0.015
    assert count_rejected(defaults, 1.0, 1 - 0.05 / 40) <= 0.004


@pytest.mark.parametrize(("defaults", "least"), [(15, 0.1), (50, 0.6), (150, 0.99)])
def test_models_that_predict_too_much_are_rejected(defaults: float, least: float) -> None:
    """Half as much again as the true probabilities: the more defaults, the surer."""
    assert count_rejected(defaults, 1.5, GATE_CONFIDENCE) > least


def draw_by_outcome(random: Random) -> Drawn:
    """All defaults, and a tenth of the goods with weight 10."""
    p = random.beta(1, 39, 2_000)
    y = (random.random(len(p)) < p).astype(np.int64)
    kept = (y == 1) | (random.random(len(p)) < 0.1)
    return y[kept], p[kept], np.where(y == 1, 1.0, 10.0)[kept]


def draw_by_rows(random: Random) -> Drawn:
    """Weights that have nothing to do with the outcome."""
    p = random.beta(1, 39, 1_000)
    return (random.random(len(p)) < p).astype(np.int64), p, random.choice([1.0, 10.0], len(p))


def draw_by_probability(random: Random) -> Drawn:
    """Risky applicants, of whom more were drawn, weigh less."""
    p = random.beta(1, 19, 800)
    return (random.random(len(p)) < p).astype(np.int64), p, 1 / np.clip(6 * p, 0.1, 1)


@pytest.mark.parametrize("draw", [draw_by_outcome, draw_by_rows, draw_by_probability])
def test_weighted_models_are_rejected_as_seldom(draw: Callable[[Random], Drawn]) -> None:
    """On about 40 defaults, whatever the weights depend on; twice the true probabilities are found mostly."""
    random = np.random.default_rng(0)
    found = []
    for _ in range(400):
        y, p, weight = draw(random)
        found.append(
            [
                measure_agreement(y, factor * p, weight).is_rejected(GATE_CONFIDENCE)
                for factor in (1.0, np.minimum(2, 1 / p))
            ]
        )

    calibrated, doubled = np.mean(found, axis=0)
    # 1%, and three standard errors of it.
    assert calibrated <= 0.025
    assert doubled > 0.5


def test_a_large_portfolio_has_the_noise_of_the_normal_distribution() -> None:
    """2.58 standard deviations of the default rate, divided by it."""
    p = np.full(100_000, 0.2)
    y = np.tile([1, 0, 0, 0], 25_000)

    found = measure_agreement(y, p)

    assert found.deviation == pytest.approx(np.sqrt(0.16 / 100_000))
    assert found.noise(0.99) == pytest.approx(norm.ppf(0.995) * found.deviation / 0.25, rel=0.01)
    assert found.is_rejected(0.99)


@pytest.mark.parametrize("weight", [1e-6, 3.0, 1e6])
def test_the_size_of_weights_does_not_matter(weight: float) -> None:
    """Equal weights are none."""
    random = np.random.default_rng(1)
    y, p = random.integers(0, 2, 90), random.random(90)

    weighted, plain = measure_agreement(y, p, np.full(90, weight)), measure_agreement(y, p)

    for name in ("predicted", "observed", "deviation", "skewness"):
        assert getattr(weighted, name) == pytest.approx(getattr(plain, name))


@pytest.mark.parametrize(("expected", "rejected"), [(0.01, False), (0.2, True)])
def test_no_default_is_evidence_where_many_are_expected(expected: float, rejected: bool) -> None:
    """One of a hundred is none, twenty are."""
    found = measure_agreement(np.zeros(100, np.int64), np.full(100, expected))

    assert found.is_rejected(0.99) == rejected
    assert found.noise(0.99) == float("inf")


def test_certain_probabilities_have_no_noise() -> None:
    """Any default beyond them is evidence."""
    found = measure_agreement(np.array([0, 1, 1, 1]), np.array([0.0, 0.0, 1.0, 1.0]))

    assert found.is_rejected(0.99)
    assert found.noise(0.99) == 0.0
