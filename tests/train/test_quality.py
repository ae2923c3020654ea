"""Metrics on cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from train.card import CardPolicy
from train.policy import make_policy
from train.quality import calibration_error, measure

POLICY = make_policy(CardPolicy())


def test_a_perfect_ranking_scores_one_everywhere() -> None:
    """AUC, Gini and KS are 1 when every default is above every good; nothing is paid."""
    y = np.array([0] * 50 + [1] * 50)

    quality = measure(y, np.where(y == 1, 0.99, 0.01), POLICY)

    assert (1.0, 1.0, 1.0) == (quality.auc, quality.gini, quality.ks)
    assert (0.5, 0.0) == (quality.acceptance_rate, quality.cost_per_applicant)


def test_true_probabilities_have_no_calibration_error_but_noise() -> None:
    """Outcomes drawn from the probabilities themselves: error within sampling noise; halved ones: half the rate."""
    random = np.random.default_rng(0)
    probability = random.uniform(0, 0.5, 200_000)
    y = (random.random(200_000) < probability).astype(np.int64)

    assert calibration_error(y, probability) < 0.005
    assert pytest.approx(0.125, abs=0.005) == calibration_error(y, probability / 2)


def test_one_probability_for_all_is_compared_with_the_rate() -> None:
    """A constant model has one bin."""
    assert pytest.approx(0.25) == calibration_error(np.array([0, 0, 1, 1]), np.full(4, 0.25))
