"""Champion against challenger: signs of differences, sampling noise, and the swap set."""

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
    """Scores with the policy's decisions."""
    return Scores(probability, decide(probability, POLICY), NOTHING)


def draw(rows: int, seed: int) -> tuple[np.ndarray, Scores, Scores]:
    """Outcomes, the scores of the true probabilities, and those of noisy ones."""
    random = np.random.default_rng(seed)
    truth = random.beta(1, 3, rows)
    y = (random.random(rows) < truth).astype(np.int64)
    y[:2] = [0, 1]
    return y, score(truth), score(np.clip(truth + random.normal(0, 0.15, rows), 0.001, 0.999))


@settings(max_examples=10)
@given(rows=st.integers(30, 300), seed=st.integers(0, 10**6))
def test_swapping_the_models_negates_the_differences(rows: int, seed: int) -> None:
    """Values, intervals and the cells of the swap set are mirrored."""
    y, one, other = draw(rows, seed)

    forward, backward = compare(y, one, other, POLICY, seed=0), compare(y, other, one, POLICY, seed=0)

    for there, back in zip(forward.differences, backward.differences, strict=True):
        mirrored = (-back.difference.value, -back.difference.high, -back.difference.low)
        assert (there.difference.value, there.difference.low, there.difference.high) == pytest.approx(mirrored)
    assert [forward.swaps[cell].count for cell in (0, 2, 1, 3)] == [swap.count for swap in backward.swaps]
    assert sum(swap.count for swap in forward.swaps) == rows


def test_metrics_agree_with_scikit_learn() -> None:
    """AUC with ties, and log loss; the cost agrees with train.policy."""
    y, one, other = draw(500, 1)
    coarse = score(other.probability.round(1).clip(0.05, 0.95))

    auc, loss, _, cost = compare(y, one, coarse, POLICY, seed=0).differences

    assert auc.challenger == pytest.approx(roc_auc_score(y, coarse.probability))
    assert loss.champion == pytest.approx(log_loss(y, one.probability))
    assert cost.challenger == pytest.approx(mean_cost(y, coarse.decision, POLICY))


def test_a_noisier_model_is_worse_on_every_metric() -> None:
    """On 3,000 rows all four differences exceed sampling noise, in both directions."""
    y, one, other = draw(3000, 2)

    worse, better = compare(y, one, other, POLICY, seed=0), compare(y, other, one, POLICY, seed=0)

    assert {difference.verdict for difference in worse.differences} == {"worse"}
    assert {difference.verdict for difference in better.differences} == {"better"}
    assert not worse.is_not_worse
    assert better.is_not_worse


def test_a_small_difference_on_few_rows_is_noise() -> None:
    """Probabilities rounded to tenths, on 60 rows, are not worse."""
    y, one, _ = draw(60, 3)

    found = compare(y, one, score(one.probability.round(1).clip(0.01, 0.99)), POLICY, seed=0)

    assert found.differences[1].difference.value != 0
    assert {difference.verdict for difference in found.differences} == {"same"}
    assert found.is_not_worse


def test_a_model_does_not_differ_from_itself() -> None:
    """All differences and intervals are 0, nobody is swapped, the scores have not shifted."""
    y, one, _ = draw(400, 4)

    found = compare(y, one, one, POLICY, seed=0)

    assert {(one.difference.value, one.difference.low, one.difference.high) for one in found.differences} == {
        (0.0, 0.0, 0.0)
    }
    assert (found.swaps[1].count, found.swaps[2].count) == (0, 0)
    assert found.scores.psi.value == 0
