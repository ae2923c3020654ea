from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from model.session import Model
from monitor.backtest import Backtest, make_backtest
from monitor.history import DAY_MICROSECONDS, History
from monitor.summary import ModelName
from monitor.tally import Layout
from tests.monitor.histories import (
    CHALLENGER,
    CONTRACT,
    MODEL,
    START,
    draw_outcomes,
    draw_probabilities,
    find_end,
    make_history,
)
from train.export.golden import draw_applicants


def measure(history: History) -> Backtest:
    return make_backtest(history, CONTRACT, MODEL.sha256, None, find_end(history))


def simulate(seed: int, rate: float, before: int, after: int = 0, factor: float = 1.0, slope: float = 1.0) -> Backtest:
    """Outcomes whose default rate is multiplied, or whose relation to the log-odds is weaker, after the first ones."""
    random = np.random.default_rng(seed)
    p = draw_probabilities(random, before + after, rate)
    x = np.log(p / (1 - p))
    changed = np.minimum(factor / (1 + np.exp(-(x.mean() + slope * (x - x.mean())))), 0.99)
    y = draw_outcomes(random, np.where(np.arange(before + after) < before, p, changed))
    return measure(make_history(p, y))


def count_actions(found: list[Backtest]) -> Counter[str]:
    return Counter(one.verdict.action for one in found)


@pytest.mark.parametrize(("rate", "least"), [(0.3, 15), (0.2, 14), (0.15, 12), (0.1, 10)])
def test_a_rise_of_the_default_rate_by_half_is_found(rate: float, least: int) -> None:
    """With the first 500 outcomes after it, in so many of 15 streams; at 10% fewer can tell it from chance."""
    found = [simulate(seed, rate, 1_500, 500, factor=1.5) for seed in range(15)]
    assert count_actions(found)["recalibrate"] >= least


def test_a_weaker_relation_is_found() -> None:
    """Applicants differ half as much as the probabilities say: retrain, not recalibrate."""
    assert count_actions([simulate(seed, 0.2, 500, 2_000, slope=0.5) for seed in range(10)])["retrain"] >= 9


def test_a_model_that_is_right_is_kept() -> None:
    """Of 60 looks at streams of any length at most 3 say something else; about 1 is to be expected."""
    rates, sizes = (0.05, 0.1, 0.2), (300, 1_000, 4_000)
    found = [simulate(100 * seed + size, rates[seed % 3], size) for seed in range(20) for size in sizes]
    assert len(found) - count_actions(found)["keep"] <= 3


def test_parts_of_a_backtest_agree() -> None:
    """Counts of months, versions, vintages, windows and bins add up."""
    random = np.random.default_rng(1)
    p = draw_probabilities(random, 9_000, 0.15)
    decision = np.where(p < 0.2, 0, 2).astype(np.int8)
    model = (np.arange(9_000) >= 3_000).astype(np.int16)
    older = ModelName("credit", "0", "0" * 64)
    y = np.where(decision == 0, draw_outcomes(random, p), -1)
    found = measure(make_history(p, y, decision=decision, model=model, models=(older, MODEL)))
    assert found.decisions == sum(one.decisions for one in found.months) == sum(one.decisions for one in found.versions)
    assert found.outcomes == sum(one.outcomes for one in found.months) == sum(one.outcomes for one in found.versions)
    assert found.accepted == sum(one.accepted for one in found.months) == sum(one.accepted for one in found.vintages)
    assert [one.model for one in found.versions] == [older, MODEL]
    assert [one.name for one in found.windows] == ["latest 500", "latest 2,000", "all"]
    assert [one.count for one in found.windows] == [500, 2_000, found.versions[1].outcomes]
    assert sum(one.count for one in found.bins) == found.versions[1].outcomes
    assert found.expected.decisions == 6_000
    assert (found.start, found.end) == ("2026-01-01T00:00:00.000000Z", "2026-03-31T23:45:36.000000Z")


def test_a_model_without_decisions_of_its_own() -> None:
    """Says so; the figures of all models are there."""
    found = measure(make_history(np.full(500, 0.2), np.arange(500) % 2, models=(CHALLENGER,)))
    assert (found.windows, found.bins, found.change, found.expected.decisions) == ([], [], None, 0)
    assert found.outcomes == 500
    assert found.verdict.action == "keep"
    assert "0 outcomes of the model's decisions are known" in found.verdict.evidence[0]


def test_drift_is_part_of_the_verdict(binned: Model) -> None:
    """A shift of one field: watch, and the field is named."""
    contract = binned.contract
    random = np.random.default_rng(1)
    X = draw_applicants(list(contract.fields), 2_000, 1)
    X[:, 0] = random.uniform(0, 10, 2_000)
    scores = binned.score(X)
    layout = Layout(contract)
    drift = layout.read(layout.count(X, scores.probability, scores.decision))
    history = make_history(scores.probability, np.full(2_000, -1))
    found = make_backtest(history, contract, MODEL.sha256, drift, find_end(history))
    assert found.drift_decisions == 2_000
    assert [one.field for one in found.drift] == ["", *(field.name for field in contract.fields)]
    assert found.verdict.action == "watch"
    assert any(sentence.startswith(contract.fields[0].label) for sentence in found.verdict.reasons)


columns = st.tuples(
    st.one_of(st.sampled_from([0.0, 0.5, 1.0]), st.floats(0, 1)),
    st.integers(0, 2),
    st.integers(-1, 2),
    st.integers(-1, 1),
    st.integers(-5, 800),
    st.integers(-1, 2),
    st.sampled_from([np.nan, 0.0, 1e-300, 1e300]),
    st.integers(0, 10**13),
)


@given(st.lists(columns, max_size=25), st.sampled_from([None, 0, 30]), st.integers(-1, 400))
def test_any_history_gives_a_backtest(rows: list[tuple[float, ...]], maturity: int | None, days: int) -> None:
    """Without outcomes, with one class, outcomes before decisions or of the future; and JSON that reads back."""
    p, decision, final, y, age, challenger, amount, gap = np.array(rows, float).reshape(-1, 8).T
    time = START + np.cumsum(gap).astype(np.int64)
    history = make_history(
        p,
        y.astype(int),
        time=time,
        decision=decision.astype(np.int8),
        final=final.astype(np.int8),
        outcome_day=np.where(y >= 0, time // 86_400_000_000 + age, -1).astype(np.int32),
        amount_lost=np.where(y == 1, amount, np.nan),
        challenger_probability=np.where(challenger >= 0, 1 - p, np.nan),
        challenger_decision=challenger.astype(np.int8),
        challenger=CHALLENGER if (challenger >= 0).any() else None,
    )
    at = START + days * 86_400_000_000
    found = make_backtest(history, CONTRACT, MODEL.sha256, None, at, maturity=maturity)
    assert found.decisions == len(rows)
    assert found.verdict.action == "keep"
    again = msgspec.json.decode(msgspec.json.encode(found), type=dict)
    assert again["outcomes"] == found.outcomes
    assert found == make_backtest(history, CONTRACT, MODEL.sha256, None, at, maturity=maturity)


def test_review_without_costs() -> None:
    """A policy without review counts none."""
    contract = replace(CONTRACT, policy=replace(CONTRACT.policy, cost_review=None, review_from=0.2, refuse_from=0.2))
    history = make_history(np.full(50, 0.3), np.ones(50, int), decision=np.full(50, 2, np.int8))
    found = make_backtest(history, contract, MODEL.sha256, None, find_end(history), maturity=0)
    assert found.costs[0].cost == 0
    assert found.costs[0].known == 50


def test_window_shorter_than_goods_take_to_be_known() -> None:
    """Decisions count from the age at which it is known who paid: no change is found where only defaults are known."""
    random = np.random.default_rng(6)
    n, days = 30_000, 300
    p = draw_probabilities(random, n, 0.2)
    y, is_refused = draw_outcomes(random, p), p > 0.5
    age = np.where(y == 1, random.integers(10, 180, n), 180)
    day = START // DAY_MICROSECONDS + np.arange(n) // 100 + age
    is_known = ~is_refused & (day < START // DAY_MICROSECONDS + days)
    history = make_history(
        p,
        np.where(is_known, y, -1),
        decision=np.where(is_refused, 2, 0).astype(np.int8),
        outcome_day=np.where(is_known, day, -1).astype(np.int32),
    )
    within = float(((y == 1) & (age <= 90))[~is_refused].mean())
    at = START + days * DAY_MICROSECONDS
    found = make_backtest(history, CONTRACT, MODEL.sha256, None, at, maturity=90)
    assert found.maturity.days == 180
    assert found.windows[-1].observed.value == pytest.approx(within, abs=0.01)
    assert found.change is None or found.change.chance > 0.01
