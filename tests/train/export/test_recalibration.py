"""Recalibration of a file: exact for every kind of score, the identity is one, and two of them are one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from model.inputs import Input
from model.loading import load_model
from model.money import Money
from model.rules import Compares, Rule
from model.session import Model, RowSession
from tests.train.models import KINDS, POLICY, draw_numbers, export_kind
from train.errors import TrainingError
from train.export.recalibration import Recalibration, move_contract, recalibrate
from train.proof import REASONS_TOLERANCE, TOLERANCE
from train.recalibration_proof import Parent, prove_recalibration

ROWS = draw_numbers(257, 9)

IN_LOG_ODDS = {"logistic", "boosting"}

kinds = st.sampled_from(sorted(KINDS))
intercepts = st.floats(-5, 5)
slopes = st.floats(0.05, 5)


def make(content: bytes, change: Recalibration) -> bytes:
    """The bytes of the recalibrated file."""
    parent = Parent(content)
    golden = parent.expect(np.array(parent.contract.golden.applicants), change)
    contract = structs.replace(parent.contract, parent=parent.model.sha256)
    return recalibrate(content, move_contract(contract, change, golden), change)


def log_odds(model: Model) -> np.ndarray:
    """Of ROWS, from the file's probabilities."""
    p = model.score(ROWS).probability
    with np.errstate(divide="ignore"):
        return np.log(p) - np.log1p(-p)


@settings(max_examples=30)
@given(kind=kinds, intercept=intercepts, slope=slopes)
def test_a_recalibrated_file_gives_the_moved_probabilities(kind: str, intercept: float, slope: float) -> None:
    """Against a computation in numpy; the file loads, its decisions follow, and it has passed its own proof."""
    before, change = Parent(export_kind(kind)), Recalibration(intercept, slope)

    after = load_model(make(before.content, change))

    expected = 1 / (1 + np.exp(-(intercept + slope * log_odds(before.model))))
    scores = after.score(ROWS)
    # Beyond these log-odds a float64 probability no longer tells them.
    is_told = np.abs(log_odds(before.model)) < 5
    np.testing.assert_allclose(scores.probability[is_told], expected[is_told], rtol=0, atol=TOLERANCE)
    np.testing.assert_array_equal(scores.decision, before.contract.policy.decide(scores.probability, ROWS))
    prove_recalibration(before, after, change, ROWS, seed=0)


@settings(max_examples=20)
@given(kind=kinds, intercept=intercepts, slope=slopes)
def test_contributions_are_moved_where_they_are_log_odds(kind: str, intercept: float, slope: float) -> None:
    """They add up to the new score; elsewhere they stay, and the unit says that they are of the score before."""
    before = load_model(export_kind(kind))

    after = load_model(make(export_kind(kind), Recalibration(intercept, slope)))

    old, new = (model.score(ROWS, explain=True).contributions for model in (before, after))
    if kind in IN_LOG_ODDS:
        np.testing.assert_allclose(new, slope * old, rtol=0, atol=REASONS_TOLERANCE)
        assert after.contract.base_value == pytest.approx(intercept + slope * before.contract.base_value)
        assert after.contract.attribution == before.contract.attribution
    else:
        np.testing.assert_array_equal(new, old)
        assert after.contract.base_value == before.contract.base_value
        assert after.contract.attribution.unit.startswith("uncalibrated")
        assert after.contract.attribution.definition == before.contract.attribution.definition


def test_money_and_rules_decide_on_the_new_probabilities() -> None:
    """The thresholds of each applicant stay; so do the rules, and the rows at their limits that verify the file."""
    a, b = Input("a", 0), Input("b", 1)
    money = Money(a, 0.1, b)
    rule = Rule("limit", "refuse", "b is large", Compares(b, "above", 5.0, times=a))
    policy = structs.replace(POLICY, money=money, stated="money", cost_review=0.01, rules=(rule,))
    before, change = Parent(export_kind("logistic", policy)), Recalibration(0.7)

    after = load_model(make(before.content, change))

    prove_recalibration(before, after, change, ROWS, seed=0)
    scores = after.score(ROWS)
    assert scores.decision.tolist() == policy.decide(scores.probability, ROWS).tolist()
    assert set(scores.decision.tolist()) == {0, 1, 2}
    golden = np.array(after.contract.golden.applicants)
    assert set(rule.when.holds(golden).tolist()) == {True, False}


@pytest.mark.parametrize("kind", KINDS)
def test_the_identity_keeps_every_probability(kind: str) -> None:
    """Intercept 0 and slope 1."""
    before, after = (
        load_model(content) for content in (export_kind(kind), make(export_kind(kind), Recalibration(0.0)))
    )

    difference = np.abs(after.score(ROWS).probability - before.score(ROWS).probability)
    assert difference.max() <= TOLERANCE
    if kind in IN_LOG_ODDS:
        assert difference.max() == 0


@settings(max_examples=20)
@given(kind=kinds, first=st.tuples(intercepts, slopes), second=st.tuples(intercepts, slopes))
def test_two_recalibrations_are_one(kind: str, first: tuple[float, float], second: tuple[float, float]) -> None:
    """c + d · (a + b · x) = (c + d · a) + d · b · x."""
    (a, b), (c, d) = first, second
    twice = load_model(make(make(export_kind(kind), Recalibration(a, b)), Recalibration(c, d)))
    once = load_model(make(export_kind(kind), Recalibration(c + d * a, d * b)))

    # Where the first one's probability is next to 1 it has fewer digits for the second.
    is_told = np.abs(a + b * log_odds(load_model(export_kind(kind)))) < 5
    of_two, of_one = (model.score(ROWS).probability[is_told] for model in (twice, once))
    np.testing.assert_allclose(of_two, of_one, rtol=0, atol=TOLERANCE)
    assert twice.contract.parent != once.contract.parent


@pytest.mark.parametrize("kind", KINDS)
def test_an_applicant_gets_the_same_answer_alone_and_in_any_batch(kind: str) -> None:
    """Bit for bit, whatever the size of the batch."""
    model = load_model(make(export_kind(kind), Recalibration(-0.7, 1.3)))
    expected = model.score(ROWS)
    alone = RowSession(model)

    assert [float(alone.score(row).probability[0]) for row in ROWS.tolist()] == expected.probability.tolist()
    for size in (2, 3, 5, 16, 17, 100):
        parts = [model.score(ROWS[start : start + size], explain=True) for start in range(0, len(ROWS), size)]
        assert np.concatenate([part.probability for part in parts]).tolist() == expected.probability.tolist()


def test_the_contract_keeps_what_is_true() -> None:
    """Metrics of the order and training facts stay, others go; the edges of the probability's bins are moved."""
    content, change = export_kind("logistic"), Recalibration(0.8, 1.2)
    before, after = load_model(content), load_model(make(content, change))

    assert after.contract.parent == before.sha256
    assert after.contract.metrics == {"auc": 0.8, "gini": 0.6}
    assert after.contract.training == before.contract.training
    assert after.contract.policy == before.contract.policy
    bins, moved = before.contract.probability_bins, after.contract.probability_bins
    assert bins
    assert moved
    assert moved.counts == bins.counts
    X = draw_numbers(600, 0)
    before_places = np.searchsorted(bins.edges, before.score(X).probability)
    assert np.searchsorted(moved.edges, after.score(X).probability).tolist() == before_places.tolist()


@pytest.mark.parametrize("kind", ["logistic", "isotonic calibration"])
def test_a_wrong_file_fails_the_proof(kind: str) -> None:
    """The proof is of the line that was asked for."""
    parent = Parent(export_kind(kind))
    model = load_model(make(parent.content, Recalibration(0.1, 1.0)))

    with pytest.raises(TrainingError, match="nothing was written"):
        prove_recalibration(parent, model, Recalibration(0.1000001, 1.0), ROWS, seed=0)
