"""A policy in money and with rules on record: thresholds of each applicant, stakes, profit, and what rules decided."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from decisions.reading import find_records_of
from decisions.record import Entry
from decisions.retention import erase
from decisions.store import Store
from model.inputs import Matrix
from model.session import Model
from monitor.backtest import make_backtest
from monitor.costs import compare_policies
from monitor.history import History, read_history
from monitor.pages.page import render_page
from monitor.pages.report import make_report
from monitor.profit import measure_profit
from monitor.rule_effects import measure_rules
from monitor.summary import read_monitor
from monitor.terms import Terms, make_terms, read_terms
from tests.monitor.histories import POLICY, make_history
from tests.monitor.html import read_html
from tests.monitor.records import HOUR, MINUTE, NOON, append, count_all, decide, open_filled

NOW = NOON + HOUR

N = 200


@pytest.fixture
def decisions(money_model: Model) -> list[Entry]:
    """Decisions of a model in money and with rules, one a second."""
    return decide(money_model, [NOON + number * MINUTE // 60 for number in range(N)])


@pytest.fixture
def store(tmp_path: Path, money_content: bytes, money_model: Model, decisions: list[Entry]) -> Iterator[Store]:
    """A database with these decisions."""
    url = f"sqlite:///{tmp_path}/decisions.db"
    with closing(open_filled(url, money_content, money_model)) as opened:
        append(url, *decisions)
        yield opened


@pytest.fixture
def rows(decisions: list[Entry]) -> Matrix:
    """Their inputs."""
    return np.array([json.loads(decision.payload)["inputs"] for decision in decisions], np.float64)


def make_money_terms() -> Terms:
    """Four applicants, two of one rule, one without exposure."""
    return Terms(
        loss=np.array([100.0, 1000.0, np.nan, 10.0]),
        gain=np.array([20.0, 200.0, np.nan, 2.0]),
        by_thresholds=np.array([0, 0, 1, 2], np.int8),
        by_rules=np.array([0, 2, 0, 2], np.int8),
        holds=np.array([[False], [True], [False], [True]]),
        review=5.0,
    )


def make_four(y: list[int], **columns: Any) -> History:
    """Their decisions, with these outcomes."""
    decision = np.array([0, 2, 1, 2], np.int8)
    return make_history(np.array([0.1, 0.1, 0.3, 0.6]), np.array(y), decision=decision, **columns)


def test_thresholds_and_rules_give_the_recorded_decision(store: Store, money_model: Model, rows: Matrix) -> None:
    """By the inputs on record, as do the stakes; where these were erased nothing is known."""
    erase(store, find_records_of(store, "applicant 7"))
    terms = read_terms(store, history := read_history(store), money_model.contract, None, None)

    kept = np.arange(N) != 7
    stakes = money_model.contract.policy.stakes(rows)
    assert terms.decision[kept].tolist() == history.decision[kept].tolist()
    np.testing.assert_array_equal(terms.loss[kept], stakes.loss[kept])
    np.testing.assert_array_equal(terms.gain[kept], stakes.gain[kept])
    assert np.isnan(terms.loss[7])
    assert (terms.by_thresholds == -1).nonzero()[0].tolist() == [7]
    assert not terms.is_known[7]


def test_a_policy_in_costs_reads_no_input(store: Store, money_model: Model) -> None:
    """Its costs and thresholds are the same for all."""
    contract = replace(money_model.contract, policy=POLICY)
    history = read_history(store)
    found, expected = read_terms(store, history, contract, None, None), make_terms(POLICY, history.probability)

    assert (found.loss.tolist(), found.gain.tolist()) == ([POLICY.cost_default] * N, [POLICY.cost_good] * N)
    assert found.decision.tolist() == expected.decision.tolist()


def test_costs_are_those_of_each_applicant(money_model: Model) -> None:
    """On decisions whose stakes are known; the thresholds of the average applicant leave the rules as they are."""
    policy = replace(money_model.contract.policy, review_from=0.05, refuse_from=0.5)
    history = make_four([1, 0, 1, 0])
    found = {one.name: one for one in compare_policies(history, history.defaulted, policy, make_money_terms())}

    was, average = found["as it was"], found["thresholds of the average"]
    assert (was.decisions, was.known, was.cost) == (3, 3, 100 + 200 + 2)
    assert was.expected == pytest.approx(0.1 * 100 + 0.9 * 200 + 0.4 * 2)
    assert (average.accepted, average.reviewed, average.refused, average.cost) == (0, 1, 2, 5 + 200 + 2)
    assert "present policy" not in found  # it decides as the model did


def test_realized_profit_is_beside_the_expected() -> None:
    """A default loses what is on record, or else LGD · exposure; of accepted applicants with a known exposure."""
    history = make_four(
        [1, 0, 1, 0], final=np.array([-1, 0, 0, 0], np.int8), amount_lost=np.array([70.0, *[np.nan] * 3])
    )
    month, whole = measure_profit(history, history.defaulted, make_money_terms())

    assert (month.month, whole.month) == ("2026-01", "all")
    assert (whole.accepted, whole.defaults, whole.recorded) == (3, 1, 1)
    assert whole.expected == pytest.approx((18 - 10) + (180 - 100) + (0.8 - 6))
    assert (whole.realized, whole.realized_loss) == (200 + 2 - 70, 70)
    assert whole.low < whole.expected < whole.high


def test_expected_profit_holds_what_is_realized() -> None:
    """In 95 of 100 draws of outcomes from the probabilities."""
    random = np.random.default_rng(1)
    p, n = random.random(50) / 2, 50
    terms = replace_stakes(make_terms(POLICY, p), random.lognormal(5, 1, n), random.lognormal(3, 1, n))
    inside = 0
    for _ in range(1_000):
        history = make_history(p, (random.random(n) < p).astype(np.int64))
        whole = measure_profit(history, history.defaulted, terms)[-1]
        inside += whole.low <= whole.realized <= whole.high
    assert inside == pytest.approx(950, abs=30)


def replace_stakes(terms: Terms, loss: Matrix, gain: Matrix) -> Terms:
    """The terms with stakes of each applicant."""
    return Terms(loss, gain, terms.by_thresholds, terms.by_rules, terms.holds, terms.review)


def test_a_rule_shows_what_it_decided_and_what_that_costs(money_model: Model) -> None:
    """Stricter than the thresholds once of two times, for (1 − p) · gain instead of p · loss."""
    rule = replace(money_model.contract.policy.rules[0], decision="refuse")
    history = make_four([-1, 0, -1, 1])
    (found,) = measure_rules([rule], history, history.defaulted, make_money_terms(), np.ones(4, np.bool_))

    assert (found.holds, found.decided, found.changed, found.outcomes) == (2, 2, 1, 2)
    assert found.observed is not None
    assert found.observed.value == 0.5
    assert found.predicted == pytest.approx(0.35)
    assert found.expected_cost == pytest.approx(0.9 * 200 - 0.1 * 1000)


def test_the_backtest_shows_profit_and_rules(store: Store, money_model: Model) -> None:
    """And how many decisions have no cost, with the words of a policy in money."""
    erase(store, find_records_of(store, "applicant 7"))
    history = read_history(store)
    history.defaulted[:] = np.where(history.decision == 0, np.arange(N) % 10 == 0, -1)
    history.outcome_day[history.decision == 0] = NOON // (24 * HOUR) + 1
    contract = money_model.contract
    terms = read_terms(store, history, contract, None, None)
    found = make_backtest(history, contract, money_model.sha256, None, NOW + 100 * 24 * HOUR, terms=terms)
    text = read_html(make_report(found, contract, "database")).text

    deciding = [
        int((terms.holds[:, number] & (history.decision == rule.index)).sum())
        for number, rule in enumerate(contract.policy.rules)
    ]
    assert [one.decided for one in found.rules] == deciding
    assert sum(deciding) > 0
    assert found.profit[-1].accepted == int(((history.decision == 0) & terms.is_known & (history.defaulted >= 0)).sum())
    assert f"{found.unpriced} decisions are in none of these figures" in text
    assert "by each applicant's own exposure: accepted default" in text
    assert "Expected: by their probabilities. Realized: the margins" in text
    assert all(rule.name in text for rule in contract.policy.rules)


def test_the_page_counts_what_each_rule_decided(store: Store, money_model: Model, rows: Matrix) -> None:
    """In the last hour, day and week, of the decisions whose inputs are on record."""
    count_all(store, NOW)
    policy, decision = money_model.contract.policy, read_history(store).decision.astype(np.int64)
    deciding = policy.find_deciding_rules(decision, rows)
    monitor = read_monitor(store, money_model, None, NOW)
    assert [one.decided for one in monitor.windows[-1].rules] == deciding.sum(axis=0).tolist()
    assert all(rule.name in read_html(render_page(monitor)).text for rule in policy.rules)

    place = int(np.flatnonzero(deciding.any(axis=1))[0])
    erase(store, find_records_of(store, f"applicant {place}"))
    count_all(store, NOW)
    remaining = np.delete(deciding, place, axis=0).sum(axis=0)
    assert [one.decided for one in read_monitor(store, money_model, None, NOW).windows[0].rules] == remaining.tolist()
