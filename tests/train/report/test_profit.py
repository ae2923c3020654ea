"""Profit of a policy in money on calibrated probabilities, compared with direct computation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from msgspec import structs

from model.inputs import Input
from model.money import Money
from model.policy import Policy
from model.rules import Compares, Rule
from train.card import CardPolicy
from train.judged import judge
from train.policy import make_policy
from train.report.findings import Findings
from train.report.probability_checks import check_profit
from train.report.profit import WITHOUT_REVIEWS, Profit, measure_profit

ROWS = 6000
MONEY = Money(Input("amount", 0), 0.5, Input("margin", 1))
RULE = Rule("Large", "refuse", "Too large", Compares(Input("amount", 0), "above", 40_000.0))
POLICY = structs.replace(make_policy(CardPolicy(5.0, 1.0)), stated="money", money=MONEY, rules=(RULE,))


def measure(policy: Policy = POLICY, weight: np.ndarray | None = None, repeat: int = 1, factor: float = 1.0) -> Profit:
    """Amounts from 500 to 50,000, margins from 4 to 20 %, one of a hundred amounts unknown."""
    random = np.random.default_rng(0)
    probability = random.beta(1, 6, ROWS)
    applicants = np.column_stack(
        [np.exp(random.uniform(np.log(500), np.log(50_000), ROWS)), random.uniform(0.04, 0.2, ROWS)]
    )
    applicants[::100, 0] = np.nan
    y = (random.random(ROWS) < probability).astype(np.int64)
    probability = factor * probability
    rows = np.repeat(np.arange(ROWS), repeat)
    judged = judge(policy, probability, applicants).take(rows)
    profit = measure_profit(y[rows], probability[rows], applicants[rows], judged, weight)
    assert profit is not None
    return profit


@pytest.fixture(scope="module")
def profit() -> Profit:
    """Of the policy with a rule."""
    return measure()


def test_the_policy_of_each_applicant_earns_the_most(profit: Profit) -> None:
    """Expected and realized: more than one threshold for all, accepting all, and refusing all; a rule costs."""
    expected = {one.title: one.expected for one in profit.policies}
    assert list(expected) == ["this policy", "without the rules", "one threshold for all", "accept all", "refuse all"]
    assert max(expected, key=lambda title: expected[title]) == "without the rules"
    assert expected["this policy"] > expected["one threshold for all"]
    assert profit.advantage.low > 0
    assert (expected["refuse all"], profit.policies[-1].realized.value) == (0.0, 0.0)


def test_reviews_are_shown_beside_the_policy_without_them(profit: Profit) -> None:
    """Who is reviewed is then accepted where a profit is expected: as a policy in which no review has a price."""
    assert {one.reviewed for one in profit.policies} == {0.0}

    reviewing = {one.title: one for one in measure(structs.replace(POLICY, cost_review=50.0)).policies}

    assert reviewing["this policy"].reviewed > 0.1
    plain = reviewing[WITHOUT_REVIEWS]
    assert plain.reviewed == 0.0
    assert plain.acceptance == pytest.approx(profit.policies[0].acceptance)
    assert plain.expected == pytest.approx(profit.policies[0].expected)
    assert plain.expected < reviewing["this policy"].expected


@pytest.mark.parametrize(("cost_review", "result"), [(None, "pass"), (50.0, "review")])
def test_many_reviews_ask_for_a_review_of_the_profit(
    cost_review: float | None, result: str, findings: Findings
) -> None:
    """The check says on what the profit rests, and what is left without reviews."""
    profit = measure(structs.replace(POLICY, cost_review=cost_review))
    main = replace(findings.main, profit=profit)

    check = next(check_profit(replace(findings, samples=(main,))))

    assert check.result == result
    said = ["if reviews are always right" in check.text, "without reviews the policy realizes" in check.text]
    assert said == [cost_review is not None] * 2


def test_calibrated_probabilities_expect_what_is_realized(profit: Profit) -> None:
    """Profit and loss are within their intervals; in all is per applicant times their number."""
    for one in profit.policies:
        assert not one.realized.excludes(one.expected)
    assert profit.losses is not None
    assert not profit.losses.ratio.excludes(1.0)
    assert profit.losses.expected / profit.losses.realized.value == pytest.approx(profit.losses.ratio.value)


def test_losses_beyond_expectation_are_found() -> None:
    """Of probabilities that are half the true ones, not of the true ones."""
    right, half = (measure(factor=factor).losses for factor in (1.0, 0.5))

    assert right is not None
    assert half is not None
    assert (right.agreement.is_rejected(0.95), half.agreement.is_rejected(0.95)) == (False, True)


def test_the_profit_curve_is_highest_where_the_policy_accepts() -> None:
    """Without rules: the expected curve rises, falls after the policy's acceptance rate, and ends at accepting all."""
    profit = measure(structs.replace(POLICY, rules=()))

    own, *_, accept_all, _ = profit.policies
    assert profit.expected.max() == pytest.approx(own.expected, rel=1e-3)
    assert profit.shares[profit.expected.argmax()] == pytest.approx(own.acceptance, abs=0.01)
    assert (np.diff(profit.expected, 2) <= 1e-9).all()
    assert (profit.expected[0], profit.expected[-1]) == pytest.approx((0.0, accept_all.expected))
    assert profit.realized[-1] == pytest.approx(profit.by_probability[-1])
    assert profit.strategy[-1].realized == pytest.approx(accept_all.realized.value)


def test_bands_add_up_to_the_policy(profit: Profit) -> None:
    """Of points and of exposure; the rule accepts none of the largest exposures beyond its limit."""
    for bands in (profit.score_bands, profit.exposure_bands):
        assert sum(band.share for band in bands) == pytest.approx(1.0)
        for name in ("expected", "acceptance"):
            total = sum(band.share * getattr(band, name) for band in bands)
            assert total == pytest.approx(getattr(profit.policies[0], name))
    assert [band.title for band in profit.exposure_bands[::4]] == ["under 1,300", "20,000 or more"]


def test_applicants_of_unknown_exposure_are_counted(profit: Profit) -> None:
    """They are in no figure."""
    assert (profit.n_unknown, profit.count) == (60, ROWS - 60)


def test_weights_of_two_are_rows_twice() -> None:
    """In every figure but the intervals."""
    weighted, repeated = measure(weight=np.full(ROWS, 2.0)), measure(repeat=2)

    assert weighted.count == repeated.count
    assert [one.expected for one in weighted.policies] == pytest.approx([one.expected for one in repeated.policies])
    np.testing.assert_allclose(weighted.realized, repeated.realized)
    assert [band.realized.value for band in weighted.score_bands] == pytest.approx(
        [band.realized.value for band in repeated.score_bands]
    )


def test_a_policy_of_constant_costs_has_no_profit() -> None:
    """Nor one of which no stakes are known."""
    y, probability, unknown = np.array([0, 1]), np.array([0.1, 0.2]), np.full((2, 2), np.nan)

    for policy in (make_policy(CardPolicy()), POLICY):
        assert measure_profit(y, probability, unknown, judge(policy, probability, unknown)) is None
