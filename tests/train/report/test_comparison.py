"""Champion and challenger: the difference has a sign, noise is no difference, every applicant is in one swap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss, roc_auc_score

from model.session import Scores
from train.card import CardPolicy
from train.policy import decide, make_policy, mean_cost
from train.report.comparison import compare

POLICY = make_policy(CardPolicy())
NOTHING = np.zeros((0, 1))


def score(probability: np.ndarray) -> Scores:
    """Scores of a model that decides by the policy."""
    return Scores(probability, decide(probability, POLICY), NOTHING)


def draw(rows: int, seed: int) -> tuple[np.ndarray, Scores, Scores]:
    """Outcomes, a model that knows much and one that knows less."""
    random = np.random.default_rng(seed)
    truth = random.beta(1, 3, rows)
    y = (random.random(rows) < truth).astype(np.int64)
    y[:2] = [0, 1]
    return y, score(truth), score(np.clip(truth + random.normal(0, 0.15, rows), 0.001, 0.999))


@settings(max_examples=10)
@given(rows=st.integers(30, 300), seed=st.integers(0, 10**6))
def test_exchanging_the_models_turns_every_sign(rows: int, seed: int) -> None:
    """Differences, intervals, swaps."""
    y, one, other = draw(rows, seed)

    there, back = compare(y, one, other, POLICY, seed=0), compare(y, other, one, POLICY, seed=0)

    for forth, turned in zip(there.differences, back.differences, strict=True):
        mirrored = (-turned.difference.value, -turned.difference.high, -turned.difference.low)
        found = (forth.difference.value, forth.difference.low, forth.difference.high)
        assert pytest.approx(mirrored) == found
    assert [there.swaps[place].count for place in (0, 2, 1, 3)] == [swap.count for swap in back.swaps]
    assert rows == sum(swap.count for swap in there.swaps)


def test_metrics_are_the_librarys() -> None:
    """AUC with ties, log loss, cost."""
    y, one, other = draw(500, 1)
    coarse = score(other.probability.round(1).clip(0.05, 0.95))

    auc, loss, _, cost = compare(y, one, coarse, POLICY, seed=0).differences

    assert pytest.approx(roc_auc_score(y, coarse.probability)) == auc.challenger
    assert pytest.approx(log_loss(y, one.probability)) == loss.champion
    assert pytest.approx(mean_cost(y, coarse.decision, POLICY)) == cost.challenger


def test_a_model_that_knows_less_is_worse_beyond_noise_and_the_other_way_round_better() -> None:
    """On 3,000 rows every metric says so; a review gate would keep the champion."""
    y, one, other = draw(3000, 2)

    worse, better = compare(y, one, other, POLICY, seed=0), compare(y, other, one, POLICY, seed=0)

    assert {"worse"} == {difference.verdict for difference in worse.differences}
    assert {"better"} == {difference.verdict for difference in better.differences}
    assert not worse.is_not_worse
    assert better.is_not_worse


def test_on_few_rows_a_small_difference_is_noise() -> None:
    """A challenger that rounds to tenths: sixty rows can't tell, and it isn't stopped."""
    y, one, _ = draw(60, 3)

    found = compare(y, one, score(one.probability.round(1).clip(0.01, 0.99)), POLICY, seed=0)

    assert found.differences[1].difference.value != 0
    assert {"same"} == {difference.verdict for difference in found.differences}
    assert found.is_not_worse


def test_a_model_beside_itself_differs_in_nothing() -> None:
    """Zero everywhere, nobody swapped, no shift."""
    y, one, _ = draw(400, 4)

    found = compare(y, one, one, POLICY, seed=0)

    assert {(0.0, 0.0, 0.0)} == {
        (one.difference.value, one.difference.low, one.difference.high) for one in found.differences
    }
    assert 0 == found.swaps[1].count == found.swaps[2].count
    assert 0 == found.scores.psi.value
