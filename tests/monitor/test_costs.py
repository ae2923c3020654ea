from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.costs import PolicyCost, Thresholds, compare_policies, find_thresholds, measure_rejects
from monitor.history import History
from monitor.terms import make_terms
from tests.monitor.histories import CHALLENGER, POLICY, draw_outcomes, draw_probabilities, make_history

rows = st.lists(
    st.tuples(
        st.one_of(st.sampled_from([0.0, 0.08, 1.0]), st.floats(0, 1)),
        st.integers(0, 2),
        st.integers(-1, 2),
        st.integers(-1, 1),
        st.integers(-1, 2),
    ),
    max_size=30,
)


def build(cases: list[tuple[float, int, int, int, int]]) -> History:
    """Probability, the model's and the final decision, outcome, the challenger's decision."""
    p, decision, final, y, challenger = np.array(cases, float).reshape(-1, 5).T
    return make_history(
        p,
        y.astype(int),
        decision=decision.astype(np.int8),
        final=final.astype(np.int8),
        challenger_decision=challenger.astype(np.int8),
        challenger_probability=np.where(challenger >= 0, p, np.nan),
        challenger=CHALLENGER,
    )


def compare(history: History) -> dict[str, PolicyCost]:
    return {
        one.name: one
        for one in compare_policies(history, history.defaulted, POLICY, make_terms(POLICY, history.probability))
    }


def test_cost_of_each_decision() -> None:
    """A default accepted costs 5, a good applicant refused 1, a review 0.4."""
    y, decision = np.array([0, 1, 0, 1, 0, 1]), np.array([0, 0, 1, 1, 2, 2], np.int8)
    assert make_terms(POLICY, np.full(6, 0.5)).expect_costs(y, decision).tolist() == [0, 5, 0.4, 0.4, 1, 0]


def test_policy_as_it_was_pays_for_reviews() -> None:
    """The final decision costs what it brings, and the review of it 0.4; the model alone doesn't know it."""
    history = build([(0.2, 1, 0, 1, -1), (0.2, 0, 2, -1, -1), (0.7, 2, -1, -1, -1), (0.05, 0, -1, 0, -1)])
    found = compare(history)
    was, alone = found["as it was"], found["model alone"]
    assert (was.accepted, was.reviewed, was.refused, was.known, was.unknown) == (2, 0, 2, 2, 2)
    assert was.cost == pytest.approx(5 + 0.4)
    assert was.low == pytest.approx(5.4 + 0.4)
    assert was.high == pytest.approx(5.4 + 0.4 + 2)
    assert was.expected == pytest.approx(0.2 * 5 + 0.4 + 0.8 + 0.4 + 0.3 + 0.05 * 5)
    assert alone.cost == pytest.approx(0.4)
    assert alone.expected == pytest.approx(0.4 + 0.2 * 5 + 0.3 + 0.05 * 5)


@given(rows)
def test_expected_cost_knows_no_outcome(cases: list[tuple[float, int, int, int, int]]) -> None:
    """It is the same before and after they become known."""
    history = build(cases)
    terms = make_terms(POLICY, history.probability)
    unknown = compare_policies(history, np.full(len(history), -1, np.int8), POLICY, terms)
    found = compare(history)
    for one in unknown:
        assert one.name not in found or found[one.name].expected == pytest.approx(one.expected)
        assert one.low - 1e-9 <= one.expected <= one.high + 1e-9


def test_policies_that_decide_alike_stand_in_one_row() -> None:
    """Nobody was reviewed, the thresholds are the present ones, and so is the challenger."""
    assert list(compare(build([(0.05, 0, -1, 0, 0), (0.2, 1, -1, 1, 1), (0.7, 2, -1, 0, 2)]))) == [
        "as it was",
        "thresholds by outcomes",
    ]


@given(rows)
def test_cost_lies_in_the_range(cases: list[tuple[float, int, int, int, int]]) -> None:
    """Once all outcomes are known, whatever they are; counts add up."""
    history = build(cases)
    revealed = np.where(history.defaulted >= 0, history.defaulted, history.probability > 0.3).astype(np.int8)
    terms = make_terms(POLICY, history.probability)
    known = {one.name: one for one in compare_policies(history, revealed, POLICY, terms)}
    for name, one in compare(history).items():
        assert one.accepted + one.reviewed + one.refused == one.decisions == one.known + one.unknown
        if name != "thresholds by outcomes" and name in known:
            assert one.low - 1e-9 <= known[name].cost <= one.high + 1e-9


@given(rows, st.sampled_from([None, 0.1, 0.4, 3.0]))
def test_thresholds_by_outcomes_are_the_cheapest(
    cases: list[tuple[float, int, int, int, int]], review: float | None
) -> None:
    """No other pair costs less on the same outcomes; without review the two are equal."""
    policy = replace(POLICY, cost_review=review)
    history = build(cases)
    p, y = history.probability[history.defaulted >= 0], history.defaulted[history.defaulted >= 0]
    terms = make_terms(policy, p)
    best = find_thresholds(p, y, policy, terms)
    if best is None:
        assert not len(y)
        return
    assert best.review_from <= best.refuse_from
    assert review is not None or best.review_from == best.refuse_from
    ends = [0.0, *p.tolist(), 1.1]
    others = [Thresholds(a, b) for a in ends for b in ends if a <= b and (review is not None or a == b)]
    cheapest = min(terms.expect_costs(y, one.decide(p)).sum() for one in others)
    assert terms.expect_costs(y, best.decide(p)).sum() == pytest.approx(cheapest)


def test_thresholds_by_outcomes_find_those_of_the_costs() -> None:
    """With enough outcomes of applicants of all kinds, drawn from the probabilities."""
    random = np.random.default_rng(1)
    p = random.random(200_000)
    best = find_thresholds(p, draw_outcomes(random, p).astype(np.int8), POLICY, make_terms(POLICY, p))
    assert best is not None
    assert best.review_from == pytest.approx(0.4 / 5, abs=0.02)
    assert best.refuse_from == pytest.approx(1 - 0.4 / 1, abs=0.04)


def test_nobody_is_refused_by_outcomes_that_are_not_known() -> None:
    """If all who are known repaid, the present threshold stays."""
    p = np.array([0.1, 0.3])
    assert find_thresholds(p, np.array([0, 0], np.int8), POLICY, make_terms(POLICY, p)) == Thresholds(0.6, 0.6)


def test_losses_are_shown_where_given() -> None:
    """Of defaults that the policy accepts; tiny and huge ones."""
    history = make_history(
        np.full(4, 0.05), np.array([1, 1, 1, 0]), amount_lost=np.array([1e300, 1e-300, np.nan, np.nan])
    )
    assert compare(history)["as it was"].amount_lost == 1e300
    assert compare(history)["as it was"].known_defaults == 3


def test_challenger_is_compared_on_the_same_applicants() -> None:
    """Both only where the challenger answered."""
    found = compare(build([(0.05, 0, -1, 1, 2), (0.05, 0, -1, 0, -1), (0.2, 0, -1, 0, 0)]))
    assert (found["challenger"].decisions, found["model alone, same applicants"].decisions) == (2, 2)
    assert found["challenger"].cost == 0
    assert found["model alone, same applicants"].cost == 5
    assert "challenger" not in compare(make_history(np.full(2, 0.1), np.array([0, 1])))


def test_range_of_the_rejected_contains_the_truth() -> None:
    """And the expectation is close to it if the probabilities are right."""
    random = np.random.default_rng(2)
    p = draw_probabilities(random, 5_000, 0.2)
    y = draw_outcomes(random, p)
    decision = np.where(p < 0.25, 0, 2).astype(np.int8)
    found = measure_rejects(make_history(p, y, decision=decision), np.where(decision == 0, y, -1).astype(np.int8))
    assert found.low is not None
    assert found.high is not None
    assert found.low < y.mean() < found.high
    assert found.expected == pytest.approx(y.mean(), abs=0.02)
    assert found.refused + found.known == 5_000
    empty = measure_rejects(make_history(p[:0], y[:0]), np.empty(0, np.int8))
    assert (empty.low, empty.high, empty.expected) == (None, None, None)
