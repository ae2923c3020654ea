"""Metrics on cases with known results."""

from __future__ import annotations

import numpy as np
import pytest

from train.card import CardPolicy
from train.judged import judge
from train.policy import make_policy
from train.quality import calibration_error, measure

POLICY = make_policy(CardPolicy())


def test_a_perfect_ranking_has_auc_gini_and_ks_of_one() -> None:
    """Also no cost, if all decisions are right."""
    y = np.array([0] * 50 + [1] * 50)
    probability = np.where(y == 1, 0.99, 0.01)

    quality = measure(y, probability, judge(POLICY, probability, np.empty((100, 0))))

    assert (quality.auc, quality.gini, quality.ks) == (1.0, 1.0, 1.0)
    assert (quality.acceptance_rate, quality.cost_per_applicant) == (0.5, 0.0)


def test_true_probabilities_have_no_calibration_error_beyond_noise() -> None:
    """Halved probabilities have an error of half the default rate."""
    random = np.random.default_rng(0)
    probability = random.uniform(0, 0.5, 200_000)
    y = (random.random(200_000) < probability).astype(np.int64)

    assert calibration_error(y, probability) < 0.005
    assert calibration_error(y, probability / 2) == pytest.approx(0.125, abs=0.005)


def test_a_constant_probability_is_compared_with_the_default_rate() -> None:
    """There is one bin."""
    assert calibration_error(np.array([0, 0, 1, 1]), np.full(4, 0.25)) == pytest.approx(0.25)
