"""The fitted scorecard: whole points that add up, in order, calibrated, and within what points can show."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from model.policy import Points
from model.scorecard import sum_points
from tests.train.scorecard.made_up import RULES, draw, fit
from train.errors import TrainingError
from train.fitted.steps import Matrix
from train.scorecard.bins import Places
from train.scorecard.classifier import LARGEST, ScorecardClassifier
from train.scorecard.facts import UNKNOWN
from train.scorecard.fields import FieldRule
from train.scorecard.points import bins_of


@pytest.fixture(scope="module")
def fitted() -> ScorecardClassifier:
    """600 applicants, four fields and a pair."""
    return fit()


def test_the_sum_of_printed_points_is_the_score(fitted: ScorecardClassifier) -> None:
    """base + a bin of every field + a cell of every pair, looked up by hand."""
    X, _ = draw(300, seed=1)
    card = fitted.scorecard_
    expected = []
    for row in X:
        places = [int(bins_of(field).place(row[None])[0]) for field in card.fields]
        points = sum(field.points[place] for field, place in zip(card.fields, places, strict=True))
        pairs = sum(pair.points[places[pair.fields[0]]][places[pair.fields[1]]] for pair in card.pairs)
        expected.append(card.base + points + pairs)

    assert sum_points(card, X).tolist() == expected
    assert (fitted.decision_function(X) == (card.offset - np.array(expected)) / card.factor).all()


def test_the_smallest_points_of_a_field_are_0(fitted: ScorecardClassifier) -> None:
    """So that every field adds, and the base is what all share."""
    card = fitted.scorecard_

    assert {min(field.points) for field in card.fields} == {0}
    assert {min(min(row) for row in pair.points) for pair in card.pairs} == {0}


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), pairs=st.integers(0, 3))
def test_the_risk_goes_in_the_stated_directions(seed: int, pairs: int) -> None:
    """Of every applicant, whatever the other fields, pairs included."""
    classifier = fit(300, seed, pairs, rounds=30)
    X, _ = draw(60, seed + 1)
    X = X[~np.isnan(X).any(axis=1)]

    for column in (0, 3):
        risk = np.array([classifier.decision_function(_with(X, column, x)) for x in np.linspace(-20, 120, 40)])
        assert (np.diff(risk, axis=0) * RULES[column].direction >= 0).all()


def _with(X: Matrix, column: int, value: float) -> Matrix:
    changed = X.copy()
    changed[:, column] = value
    return changed


def test_the_mean_probability_is_the_default_rate(fitted: ScorecardClassifier) -> None:
    """Of the training rows, far nearer than a whole point of the base; weighted where rows have weights."""
    X, y = draw(600)
    weight = np.random.default_rng(1).uniform(0.2, 3, len(y))
    weighted = clone(fitted).fit(X, y, weight)

    assert fitted.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), abs=1e-4)
    assert np.average(weighted.predict_proba(X)[:, 1], weights=weight) == pytest.approx(
        np.average(y, weights=weight), abs=1e-4
    )


def test_it_tells_applicants_apart(fitted: ScorecardClassifier) -> None:
    """On rows that it wasn't fitted on."""
    X, y = draw(2_000, seed=5)

    assert roc_auc_score(y, fitted.predict_proba(X)[:, 1]) > 0.78


def test_the_same_rows_give_the_same_scorecard(fitted: ScorecardClassifier) -> None:
    """Of a clone too."""
    assert clone(fitted).fit(*draw(600)).scorecard_ == fitted.scorecard_


def test_a_correction_is_rounded_again(fitted: ScorecardClassifier) -> None:
    """The slope stretches the scores, and points stay whole; the classifier itself doesn't change."""
    X, _ = draw(600)
    before = fitted.decision_function(X)

    corrected = fitted.corrected(-0.3, 1.5)

    assert np.abs(corrected.decision_function(X) - (-0.3 + 1.5 * before)).max() < 8 / corrected.scorecard_.factor
    assert (fitted.decision_function(X) == before).all()
    assert {type(point) for field in corrected.scorecard_.fields for point in field.points} == {int}


def test_what_no_training_row_has_is_neutral() -> None:
    """A missing value and a level count as the mean of the field."""
    X, y = draw(800)
    X = np.nan_to_num(X, nan=50.0)
    X[:, 2] = X[:, 2] % 3
    rules = (*RULES[:2], FieldRule("home", 4, groups=((0,), (1,), (2,), (3,))), RULES[3])

    card = ScorecardClassifier(rules, rounds=40).fit(X, y).scorecard_

    for field in card.fields:
        rows = np.bincount(bins_of(field).place(X), minlength=len(field.points))
        mean = float(np.average(field.points, weights=rows))
        assert all(abs(field.points[place] - mean) <= 2 for place in np.flatnonzero(rows == 0))


CASES: dict[str, Callable[[Matrix, Places], tuple[Matrix, Places]]] = {
    "one field": lambda X, y: (X[:, :1], y),
    "a constant": lambda X, y: (np.ones((len(y), 1)), y),
    "all missing": lambda X, y: (np.column_stack([np.full(len(y), np.nan), X[:, 0]]), y),
    "nothing but missing": lambda X, y: (np.full((len(y), 2), np.nan), y),
    "three rows": lambda X, y: (np.nan_to_num(X[:3]), np.array([0, 1, 0])),
    "separable": lambda X, y: (X, np.where(np.nan_to_num(X[:, 1]) > 50, 1, 0)),
    "huge": lambda X, y: (X * 1e97, y),
    "tiny": lambda X, y: (X * 1e-320, y),
    "many fields": lambda X, y: (np.column_stack([np.roll(X, shift, axis=0) for shift in range(20)]), y),
    "noise that looks like signal": lambda X, y: (np.random.default_rng(0).normal(size=(80, 200)), y[:80]),
}


@pytest.mark.parametrize("case", CASES)
def test_unusual_tables_have_a_scorecard(case: str) -> None:
    """With finite probabilities and log-odds that points can show, whatever the cells."""
    X, y = CASES[case](*draw(300))
    rules = [FieldRule(str(column)) for column in range(X.shape[1])]

    fitted = ScorecardClassifier(rules, pairs=1, rounds=15).fit(X, y)

    card = fitted.scorecard_
    ends = [
        card.base
        + sum(limit(one.points) for one in card.fields)
        + sum(limit(map(limit, one.points)) for one in card.pairs)
        for limit in (min, max)
    ]
    assert np.isfinite(fitted.predict_proba(X)).all()
    assert max(abs(card.offset - end) / card.factor for end in ends) <= LARGEST


def test_a_category_of_a_thousand_levels_has_few_bins() -> None:
    """Of levels with similar default rates; rare ones together."""
    random = np.random.default_rng(0)
    level = np.minimum(random.geometric(0.02, 4_000), 999).astype(np.float64)
    y = (random.random(4_000) < np.where(level % 2 == 0, 0.5, 0.1)).astype(np.int64)

    card = ScorecardClassifier([FieldRule("x", n_levels=1_000)], rounds=40).fit(level[:, None], y).scorecard_

    (field,) = card.fields
    assert 2 <= len(field.groups) <= 8
    assert sorted(one for group in field.groups for one in group) == list(range(1_000))


@pytest.mark.parametrize("scale", [Points(double=1.0), Points(6e6, 50, 1e6), Points(-1000, 0.01, 40)])
def test_points_are_on_the_scale_of_the_policy(scale: Points) -> None:
    """The answer's points, from the probability, are the sum of the printed ones."""
    X, _ = draw(200, seed=2)
    fitted = ScorecardClassifier(RULES, scale, rounds=30).fit(*draw(600))

    p = fitted.predict_proba(X)[:, 1]

    assert scale.at_log_odds(np.log((1 - p) / p)).tolist() == sum_points(fitted.scorecard_, X).tolist()


def test_points_too_coarse_for_a_scorecard_are_refused() -> None:
    """The message says what to set."""
    classifier = ScorecardClassifier(RULES, Points(double=0.5))

    with pytest.raises(TrainingError, match=r"double = 0\.5.*set double to 1 or more"):
        classifier.fit(*draw(100))


def test_one_class_is_refused() -> None:
    """As by scikit-learn's classifiers."""
    X, y = draw(100)

    with pytest.raises(ValueError, match="1 classes, expected two"):
        ScorecardClassifier(RULES).fit(X, np.zeros_like(y))


def test_facts_of_bins_are_of_the_training_rows(fitted: ScorecardClassifier) -> None:
    """Share, default rate, weight of evidence and information value; test_facts.py has those that aren't published."""
    X, y = draw(600)

    for field in fitted.scorecard_.fields:
        place = bins_of(field).place(X)
        for number, facts in enumerate(field.facts):
            rows = place == number
            if facts == UNKNOWN:
                assert field.information_value is None
                continue
            woe = math.log((1 - y[rows]).sum() / (1 - y).sum() / (y[rows].sum() / y.sum()))
            assert facts.share == pytest.approx(rows.mean())
            assert facts.default_rate == pytest.approx(y[rows].mean())
            assert facts.woe == pytest.approx(woe)
        if field.information_value is not None:
            assert field.information_value == pytest.approx(math.fsum(facts.iv or 0 for facts in field.facts))
