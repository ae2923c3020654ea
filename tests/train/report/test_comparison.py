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


@settings(max_examples=10)
@given(rows=st.integers(30, 300), seed=st.integers(0, 10**6))
def test_whole_weights_are_repeated_rows(rows: int, seed: int) -> None:
    """In metrics, shares and default rates of the swap set; counts are of rows."""
    y, one, other = draw(rows, seed)
    weight = np.random.default_rng(seed).integers(1, 5, rows)
    again = np.repeat(np.arange(rows), weight)

    weighted = compare(y, one, other, POLICY, 0, weight / weight.mean())
    repeated = compare(y[again], score(one.probability[again]), score(other.probability[again]), POLICY, 0)

    for mine, theirs in zip(weighted.differences, repeated.differences, strict=True):
        figures = (theirs.champion, theirs.challenger, theirs.difference.value)
        assert (mine.champion, mine.challenger, mine.difference.value) == pytest.approx(figures)
    for cell, twin in zip(weighted.swaps, repeated.swaps, strict=True):
        assert (cell.share, cell.default_rate.value) == pytest.approx(
            (twin.share, twin.default_rate.value), nan_ok=True
        )
    assert sum(cell.count for cell in weighted.swaps) == rows


def test_weights_of_one_are_no_weights() -> None:
    """In metrics with their intervals, and in the shift, to the last bit."""
    y, one, other = draw(400, 5)

    weighted, plain = compare(y, one, other, POLICY, 0, np.ones(400)), compare(y, one, other, POLICY, 0)

    assert (weighted.differences, weighted.scores) == (plain.differences, plain.scores)


def test_intervals_are_wider_with_unequal_weights() -> None:
    """Rows are drawn, not the applicants whom they stand for."""
    y, one, other = draw(1_000, 6)
    weight = np.where(np.arange(1_000) % 10 == 0, 100.0, 1.0)

    for plain, heavy in zip(
        compare(y, one, other, POLICY, 0).differences,
        compare(y, one, other, POLICY, 0, weight).differences,
        strict=True,
    ):
        widths = [each.difference.high - each.difference.low for each in (plain, heavy)]
        assert widths[1] > 2 * widths[0]
