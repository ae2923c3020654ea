"""Champion against challenger: signs of differences, sampling noise, and the swap set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from sklearn.metrics import log_loss, roc_auc_score

from model.inputs import Input
from model.money import Money
from model.session import Scores
from train.card import CardPolicy
from train.dataset import Matrix
from train.judged import REVIEW, Judged, judge
from train.policy import make_policy
from train.report import comparison
from train.report.comparison import Comparison
from train.target import Labels

POLICY = make_policy(CardPolicy())
NOTHING = np.zeros((0, 1))


def score(probability: np.ndarray) -> Scores:
    """Scores with the policy's decisions."""
    return Scores(probability, POLICY.decide(probability, NOTHING), NOTHING)


def judge_all(scores: Scores) -> Judged:
    """The policy applied to the applicants of these scores."""
    return judge(POLICY, scores.probability, np.zeros((len(scores.probability), 0)))


def compare(y: Labels, one: Scores, other: Scores, seed: int, weight: Matrix | None = None) -> Comparison:
    """Both models with the policy of the first."""
    return comparison.compare(y, one, other, judge_all(one), seed, weight)


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

    forward, backward = compare(y, one, other, seed=0), compare(y, other, one, seed=0)

    for there, back in zip(forward.differences, backward.differences, strict=True):
        mirrored = (-back.difference.value, -back.difference.high, -back.difference.low)
        assert (there.difference.value, there.difference.low, there.difference.high) == pytest.approx(mirrored)
    assert [forward.swaps[cell].count for cell in (0, 2, 1, 3)] == [swap.count for swap in backward.swaps]
    assert sum(swap.count for swap in forward.swaps) == rows


def test_metrics_agree_with_scikit_learn() -> None:
    """AUC with ties, and log loss; the cost agrees with the policy applied to the rows."""
    y, one, other = draw(500, 1)
    coarse = score(other.probability.round(1).clip(0.05, 0.95))

    auc, loss, _, cost = compare(y, one, coarse, seed=0).differences

    assert auc.challenger == pytest.approx(roc_auc_score(y, coarse.probability))
    assert loss.champion == pytest.approx(log_loss(y, one.probability))
    assert cost.challenger == pytest.approx(judge_all(coarse).mean_cost(y))


def test_applicants_of_unknown_exposure_are_left_out_of_the_cost() -> None:
    """Of a policy in money; the costs of the others are by their own exposure."""
    y, one, other = draw(300, 1)
    policy = structs.replace(POLICY, stated="money", money=Money(Input("amount", 0), 0.5, 0.1))
    amount = np.where(np.arange(300) % 3 == 0, np.nan, 100.0 + np.arange(300))
    judged = judge(policy, one.probability, amount[:, None])
    known = ~np.isnan(amount)

    cost = comparison.compare(y, one, other, judged, seed=0).differences[-1]

    accepted = (other.decision == 0)[known]
    expected = np.where(accepted, 0.5 * y[known], np.where(y[known] == 0, 0.1, 0.0)) * amount[known]
    assert cost.challenger == pytest.approx(expected.mean())
    assert cost.difference.low < cost.difference.value < cost.difference.high


def judge_with_reviews(scores: Scores, cost_review: float | None) -> Judged:
    """The policy with a price of reviews, or without one."""
    return judge(
        structs.replace(POLICY, cost_review=cost_review), scores.probability, np.zeros((len(scores.probability), 0))
    )


def test_a_challenger_that_reviews_for_an_unknown_price_gets_no_verdict_on_cost() -> None:
    """Free reviews would make reviewing all the best; with a price it is judged."""
    y, one, _ = draw(1000, 2)
    reviewing = Scores(one.probability, np.full(1000, REVIEW), NOTHING)

    unknown, priced = (
        comparison.compare(y, one, reviewing, judge_with_reviews(one, price), seed=0) for price in (None, 2.0)
    )

    assert (unknown.differences[-1].verdict, unknown.is_cost_known) == ("unknown", False)
    assert (priced.differences[-1].verdict, priced.is_cost_known) == ("worse", True)
    shares = [(shares.decision, shares.challenger) for shares in unknown.decisions]
    assert shares == [("accept", 0.0), ("review", 1.0), ("refuse", 0.0)]
    assert sum(shares.champion for shares in unknown.decisions) == pytest.approx(1.0)


def test_equal_reviews_need_no_price() -> None:
    """They cost both models the same."""
    y, one, other = draw(1000, 2)
    one, other = (Scores(each.probability, each.decision.copy(), NOTHING) for each in (one, other))
    one.decision[:100] = other.decision[:100] = REVIEW

    found = comparison.compare(y, one, other, judge_with_reviews(one, None), seed=0)

    assert (found.differences[-1].verdict, found.is_cost_known) == ("worse", True)


def test_a_noisier_model_is_worse_on_every_metric() -> None:
    """On 3,000 rows all four differences exceed sampling noise, in both directions."""
    y, one, other = draw(3000, 2)

    worse, better = compare(y, one, other, seed=0), compare(y, other, one, seed=0)

    assert {difference.verdict for difference in worse.differences} == {"worse"}
    assert {difference.verdict for difference in better.differences} == {"better"}
    assert not worse.is_not_worse
    assert better.is_not_worse


def test_a_small_difference_on_few_rows_is_noise() -> None:
    """Probabilities rounded to tenths, on 60 rows, are not worse."""
    y, one, _ = draw(60, 3)

    found = compare(y, one, score(one.probability.round(1).clip(0.01, 0.99)), seed=0)

    assert found.differences[1].difference.value != 0
    assert {difference.verdict for difference in found.differences} == {"same"}
    assert found.is_not_worse


def test_a_model_does_not_differ_from_itself() -> None:
    """All differences and intervals are 0, nobody is swapped, the scores have not shifted."""
    y, one, _ = draw(400, 4)

    found = compare(y, one, one, seed=0)

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

    weighted = compare(y, one, other, 0, weight / weight.mean())
    repeated = compare(y[again], score(one.probability[again]), score(other.probability[again]), 0)

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

    weighted, plain = compare(y, one, other, 0, np.ones(400)), compare(y, one, other, 0)

    assert (weighted.differences, weighted.scores) == (plain.differences, plain.scores)


def test_intervals_are_wider_with_unequal_weights() -> None:
    """Rows are drawn, not the applicants whom they stand for."""
    y, one, other = draw(1_000, 6)
    weight = np.where(np.arange(1_000) % 10 == 0, 100.0, 1.0)

    for plain, heavy in zip(
        compare(y, one, other, 0).differences,
        compare(y, one, other, 0, weight).differences,
        strict=True,
    ):
        widths = [each.difference.high - each.difference.low for each in (plain, heavy)]
        assert widths[1] > 2 * widths[0]
