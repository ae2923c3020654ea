"""The correction of log-odds: recovered, unused where probabilities are calibrated, and exact in the graph."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from model.calibration import expit, log_odds
from train.candidates import CANDIDATES
from train.card import CardField
from train.correction import CorrectedClassifier, correct_across_folds, fit_correction
from train.dataset import Dataset
from train.folds import make_random_folds
from train.readers.describe import describe

FIELDS = [CardField(name, "number", nullable=True, reason=name) for name in "ab"]
ROUNDING = 1e-12
SEED = 5


def draw(seed: int, n: int, intercept: float = 0.0, slope: float = 1.0) -> tuple[Dataset, np.ndarray]:
    """Outcomes whose log-odds are intercept + slope · the predicted ones, and the predicted probabilities."""
    random = np.random.default_rng(seed)
    x = random.normal(-1.2, 1.1, n)
    y = (random.random(n) < expit(intercept + slope * x)).astype(np.int64)
    return Dataset(x[:, None], y), expit(x)


def test_calibrated_probabilities_are_hardly_ever_corrected() -> None:
    """At most five of 100 draws; the test has a level of 1%."""
    assert sum(fit_correction(*draw(seed, 2_000)) is not None for seed in range(100)) <= 5


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), intercept=st.floats(-0.8, 0.8), slope=st.sampled_from([0.6, 0.8, 1.3, 1.7]))
def test_the_line_of_probabilities_that_are_off_is_recovered(seed: int, intercept: float, slope: float) -> None:
    """Up to twice the width of the intervals."""
    correction = fit_correction(*draw(seed, 6_000, intercept, slope))

    assert correction is not None
    for estimate, truth in ((correction.intercept, intercept), (correction.slope, slope)):
        assert abs(estimate.value - truth) <= 2 * (estimate.high - estimate.low)


def test_an_order_that_is_wrong_is_not_corrected() -> None:
    """A slope below 0 would reverse it."""
    assert fit_correction(*draw(1, 3_000, 0.0, -0.7)) is None


@pytest.mark.parametrize("y", [np.zeros(50, np.int64), np.ones(50, np.int64)])
def test_one_class_alone_is_not_corrected(y: np.ndarray) -> None:
    """Nor are probabilities that are all the same."""
    p = np.linspace(0.2, 0.6, 50)

    assert fit_correction(Dataset(p[:, None], y), p) is None
    assert fit_correction(Dataset(p[:, None], np.arange(50) % 2), np.full(50, 0.3)) is None


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_whole_weights_are_repeated_rows(seed: int) -> None:
    """Intercept and slope are the same; their intervals aren't, because a weight isn't another applicant."""
    data, p = draw(seed, 1_500, 0.6, 0.6)
    repeats = np.random.default_rng(seed).integers(1, 4, len(p))
    weighted = replace(data, weight=repeats / repeats.mean())
    again = np.repeat(np.arange(len(p)), repeats)

    one, two = fit_correction(weighted, p), fit_correction(data.take(again), p[again])

    assert one is not None
    assert two is not None
    assert one.line == pytest.approx(two.line, abs=1e-6)


def test_rows_that_no_fold_measured_are_left_out() -> None:
    """Their probabilities are NaN."""
    data, p = draw(2, 3_000, 0.5, 0.7)
    with_gaps = np.concatenate([np.full(1_000, np.nan), p])
    longer = Dataset(np.concatenate([data.X[:1_000], data.X]), np.concatenate([1 - data.y[:1_000], data.y]))

    one, two = fit_correction(longer, with_gaps), fit_correction(data, p)

    assert one == two


def test_the_outcomes_of_a_fold_do_not_change_its_corrected_probabilities() -> None:
    """The line for a fold is that of the other folds."""
    data, p = draw(3, 2_000, 0.5, 0.7)
    folds = make_random_folds(data, SEED)
    turned = data.y.copy()
    turned[folds[0].measured] = 1 - turned[folds[0].measured]

    one, two = (correct_across_folds(Dataset(data.X, y), p, folds) for y in (data.y, turned))

    np.testing.assert_array_equal(one[folds[0].measured], two[folds[0].measured])
    assert not np.isclose(one[folds[1].measured], two[folds[1].measured]).any()


@pytest.mark.parametrize("name", ["logistic", "boosting"])
def test_the_correction_is_exact_in_what_the_graph_is_made_of(name: str) -> None:
    """The line is folded into coefficients and leaves, so that the score is the corrected log-odds."""
    random = np.random.default_rng(4)
    X = random.normal(size=(400, 2))
    X[random.random(X.shape) < 0.1] = np.nan
    y = (np.nan_to_num(X).sum(axis=1) + random.logistic(size=400) > 0.5).astype(np.int64)
    pipeline: Pipeline = CANDIDATES[name].build(FIELDS, 0).fit(X, y)

    model = describe(CorrectedClassifier(pipeline, -0.4, 1.3))

    plain = describe(pipeline)
    assert model.unit == "log-odds"
    assert model.estimator == plain.estimator
    np.testing.assert_allclose(model.score(X), -0.4 + 1.3 * plain.score(X), rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(model.probability(X), model.ask(X), rtol=0, atol=ROUNDING)


def test_a_classifier_without_a_decision_function_is_corrected_by_its_probabilities() -> None:
    """As the boosting libraries are."""

    class Plain:
        n_features_in_ = 1
        classes_ = np.array([0, 1])

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            return np.column_stack([1 - X[:, 0], X[:, 0]])

    p = np.array([[0.1], [0.5], [0.9]])

    corrected = CorrectedClassifier(Plain(), 0.5, 2.0).predict_proba(p)

    np.testing.assert_allclose(corrected[:, 1], expit(0.5 + 2 * log_odds(p[:, 0])))
    np.testing.assert_allclose(corrected.sum(axis=1), 1)


def test_a_classifier_without_log_odds_is_refused_by_the_reader() -> None:
    """A line through log-odds needs them."""
    from sklearn.ensemble import RandomForestClassifier

    X = np.arange(20.0)[:, None]
    forest = RandomForestClassifier(3, random_state=0).fit(X, np.arange(20) % 2)

    with pytest.raises(ValueError, match="without log-odds"):
        describe(CorrectedClassifier(forest, 0.1, 1.0))
    assert describe(CorrectedClassifier(LogisticRegression().fit(X, np.arange(20) // 10), 0.0, 1.0)).unit == "log-odds"
