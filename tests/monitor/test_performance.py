from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest, norm
from sklearn.metrics import roc_auc_score

from model.estimates import auc, expect_auc, lower_tail
from monitor.history import Floats
from monitor.performance import compare_auc, compare_challenger, expect_performance
from monitor.terms import make_terms
from tests.monitor.histories import CHALLENGER, POLICY, draw_outcomes, draw_probabilities, make_history


@given(st.lists(st.one_of(st.sampled_from([0.0, 0.25, 1.0]), st.floats(0, 1)), max_size=12))
def test_expected_auc_is_the_mean_over_all_pairs(probability: list[float]) -> None:
    """As its definition says."""
    found = expect_auc(np.array(probability))
    weighted = [(p * (1 - q), (p > q) + 0.5 * (p == q)) for p, q in permutations(probability, 2)]
    pairs = sum(weight for weight, _ in weighted)
    if found is None:
        assert pairs == pytest.approx(0.0, abs=1e-12)
    elif pairs > 1e-9:
        assert found == pytest.approx(sum(weight * order for weight, order in weighted) / pairs, rel=1e-6)


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.25, 0.9]) | st.floats(0.01, 0.99), st.floats(0.1, 9)), min_size=2))
def test_expected_auc_of_weights_counts_a_pair_as_their_product(applicants: list[tuple[float, float]]) -> None:
    """As its definition says; no row is paired with itself, whatever it stands for."""
    weighted = [(v * w * p * (1 - q), (p > q) + 0.5 * (p == q)) for (p, v), (q, w) in permutations(applicants, 2)]
    expected = sum(weight * order for weight, order in weighted) / sum(weight for weight, _ in weighted)

    p, w = np.array(applicants).T
    assert expect_auc(p, w) == pytest.approx(expected, rel=1e-6)


def test_expected_auc_is_what_outcomes_give() -> None:
    """If each is drawn with its probability."""
    random = np.random.default_rng(1)
    p = draw_probabilities(random, 200_000, 0.1)
    expected = expect_auc(p)
    assert expected is not None
    assert roc_auc_score(draw_outcomes(random, p), p) == pytest.approx(expected, abs=0.01)


def test_chance_of_a_low_auc_is_uniform_if_the_probabilities_are_right() -> None:
    """So that a level is the rate of false alarms."""
    random = np.random.default_rng(2)
    chances = []
    for _ in range(300):
        p = draw_probabilities(random, 1_000, 0.2)
        chances.append(lower_tail(auc(draw_outcomes(random, p), p), expect_auc(p) or 0.0))
    assert kstest(chances, "uniform").pvalue > 0.001


def test_performance_is_expected_before_outcomes_exist() -> None:
    """Default rate of the accepted and cost, from the probabilities alone."""
    decision = np.array([0, 0, 1, 2], np.int8)
    p = np.array([0.01, 0.05, 0.3, 0.8])
    found = expect_performance(p, decision, make_terms(POLICY, p))
    assert (found.decisions, found.accepted) == (4, 2)
    assert found.default_rate == pytest.approx(0.03)
    assert found.cost_per_decision == pytest.approx((0.01 * 5 + 0.05 * 5 + 0.4 + 0.2 * 1) / 4)
    empty = expect_performance(p[:0], decision[:0], make_terms(POLICY, p[:0]))
    assert (empty.default_rate, empty.auc, empty.accepted_auc, empty.cost_per_decision) == (None, None, None, None)


def test_difference_of_two_aucs() -> None:
    """Value and variance by DeLong's formula, written out for pairs."""
    random = np.random.default_rng(3)
    p = draw_probabilities(random, 300, 0.3)
    q = np.clip(p + random.normal(0, 0.1, 300), 0, 1).round(2)
    y = draw_outcomes(random, p)
    difference, chance = compare_auc(y, p, q)

    def order(x: Floats) -> Floats:
        bad, good = x[y == 1][:, None], x[y == 0][None]
        return np.asarray((bad > good) + 0.5 * (bad == good), np.float64)

    pairs = order(p) - order(q)
    variance = pairs.mean(axis=1).var(ddof=1) / len(pairs) + pairs.mean(axis=0).var(ddof=1) / pairs.shape[1]
    assert difference.value == pytest.approx(roc_auc_score(y, p) - roc_auc_score(y, q))
    assert chance == pytest.approx(2 * norm.sf(abs(difference.value) / np.sqrt(variance)))


def test_a_model_is_as_good_as_itself() -> None:
    """Difference 0, chance 1."""
    p, y = np.array([0.1, 0.4, 0.3, 0.8]), np.array([0, 1, 0, 1])
    difference, chance = compare_auc(y, p, p)
    assert (difference.value, chance) == (0.0, 1.0)


def test_challenger_is_compared_where_both_answered() -> None:
    """On decisions whose outcome is known, by AUC and cost."""
    random = np.random.default_rng(4)
    p = draw_probabilities(random, 4_000, 0.2, spread=1.5)
    y = draw_outcomes(random, p)
    noisy = np.clip(p + random.normal(0, 0.1, 4_000), 0.001, 0.999)
    answered = np.where(np.arange(4_000) < 3_000, (p >= 0.08).astype(np.int8), -1).astype(np.int8)
    history = make_history(
        noisy,
        np.where(np.arange(4_000) % 3 == 0, -1, y),
        challenger_probability=np.where(answered >= 0, p, np.nan),
        challenger_decision=answered,
        challenger=CHALLENGER,
    )
    found = compare_challenger(history, history.defaulted, make_terms(POLICY, noisy))
    assert found is not None
    assert (found.decisions, found.outcomes) == (3_000, 2_000)
    assert found.difference is not None
    assert found.chance is not None
    assert found.cost_difference is not None
    assert found.difference.low > 0
    assert found.chance < 0.01
    assert found.cost_difference.high < 0
    assert (found.trained, found.seen) == (None, 0)
    expected = [[int(((answered == index) & (history.decision == 0)).sum()) for index in range(3)], [0] * 3, [0] * 3]
    assert found.swap_set == expected
    assert compare_challenger(make_history(p, y), y.astype(np.int8), make_terms(POLICY, p)) is None


def test_outcomes_that_may_have_trained_the_challenger() -> None:
    """Those known on the day of its training or before; decisions are made one a day, outcomes 90 days later."""
    p, y = np.full(100, 0.1), (np.arange(100) % 4 == 0).astype(np.int64)
    history = make_history(
        p,
        np.where(np.arange(100) < 80, y, -1),
        every=1.0,
        challenger_probability=p,
        challenger_decision=np.zeros(100, np.int8),
        challenger=CHALLENGER,
    )
    for day, seen in (("2026-03-31", 0), ("2026-04-01", 1), ("2026-04-10", 10), ("2027-01-01", 80)):
        found = compare_challenger(history, history.defaulted, make_terms(POLICY, p), f"{day}T12:00:00Z")
        assert found is not None
        assert (found.trained, found.seen, found.outcomes) == (day, seen, 80)
