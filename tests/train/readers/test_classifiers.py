"""scikit-learn's classifiers: their descriptions give the library's own probabilities, on and beside every split."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from train.dataset import Matrix
from train.fitted.links import Sigmoid
from train.fitted.model import FittedModel
from train.fitted.trees import Trees, collect_splits
from train.leaves import compare_leaves
from train.readers.classifiers import LEAF_FINDERS
from train.readers.describe import describe

TOLERANCE = 1e-12


def draw(seed: int, missing_share: float = 0.0, rows: int = 300) -> tuple[Matrix, Any]:
    """Three columns, of which the last has large numbers, and an outcome that depends on all."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, 3))
    X[:, 0] = X[:, 0].round(1)
    X[:, 2] = (X[:, 2] * 1e5).round(2)
    y = np.nan_to_num(X) @ [1.0, -0.5, 1e-5] + random.normal(size=rows) > 0
    X[random.random(X.shape) < missing_share] = np.nan
    return X, y.astype(int)


def beside_splits(described: FittedModel, X: Matrix) -> Matrix:
    """Rows of X with one number replaced: on a split of float64, one ulp beside it, and a float32 beside it."""
    rows = [X]
    for member in described.members:
        if not isinstance(member.function, Trees):
            continue
        splits = [split for split in collect_splits(member.function) if math.isfinite(split.threshold)]
        for number, split in enumerate(splits[:400]):
            at, near = split.threshold, float(np.float32(split.threshold))
            beside = [float(np.nextafter(np.float32(at), np.float32(way))) for way in (-np.inf, np.inf)]
            values = [at, near, *beside, math.nextafter(at, -math.inf), math.nextafter(at, math.inf)]
            row = np.tile(X[number % len(X)], (len(values), 1))
            row[:, split.column] = values
            rows.append(row)
    return np.vstack(rows)


def check(model: Any, X: Matrix) -> FittedModel:
    """Compare probabilities of both classes and the leaves with the library's."""
    described = describe(model)
    rows = beside_splits(described, X)
    expected = model.predict_proba(rows)
    np.testing.assert_allclose(described.probability(rows), expected[:, 1], rtol=0, atol=TOLERANCE)
    turned = describe(model, default=0)
    np.testing.assert_allclose(turned.probability(rows), expected[:, 0], rtol=0, atol=TOLERANCE)
    np.testing.assert_array_equal(described.ask(rows), expected[:, 1])
    for member in described.members:
        if isinstance(member.function, Trees):
            assert all(0 <= split.true_share <= 1 for split in collect_splits(member.function))
            if type(member.classifier).__name__ in LEAF_FINDERS:
                compared, differ = compare_leaves(member.classifier, member.function, member.encode(rows))
                assert compared > 0
                assert differ == 0
    return described


FORESTS: list[Any] = [
    DecisionTreeClassifier(random_state=0),
    DecisionTreeClassifier(max_depth=3, class_weight="balanced", random_state=0),
    ExtraTreeClassifier(random_state=0),
    RandomForestClassifier(10, random_state=0),
    RandomForestClassifier(10, class_weight="balanced_subsample", max_depth=4, random_state=0),
    ExtraTreesClassifier(10, min_samples_leaf=3, random_state=0),
]


@pytest.mark.parametrize("model", FORESTS, ids=str)
@pytest.mark.parametrize("missing_share", [0.0, 0.2])
def test_forests_and_trees_add_up_probabilities(model: Any, missing_share: float) -> None:
    """Their numbers are rounded to float32; a missing value goes the way that training chose."""
    X, y = draw(0, missing_share)
    described = check(clone(model).fit(X, y), X)
    assert described.unit == "probability"
    assert all(one.nullable for one in described.inputs)


def test_a_forest_that_meets_a_threshold_exactly() -> None:
    """8 of 10 trees are 0.8, where ten times a tenth of their probabilities would be less."""
    X, y = draw(10)
    model = RandomForestClassifier(10, random_state=0).fit(X, y)
    described, rows = describe(model), draw(11)[0]
    assert (model.predict_proba(rows)[:, 1] == 0.8).any()
    np.testing.assert_array_equal(described.probability(rows), model.predict_proba(rows)[:, 1])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), which=st.sampled_from(range(len(FORESTS))), share=st.sampled_from([0.0, 0.3]))
def test_any_forest_is_described_exactly(seed: int, which: int, share: float) -> None:
    """Whatever the data."""
    X, y = draw(seed, share, 60)
    check(clone(FORESTS[which]).set_params(random_state=seed).fit(X, y), X)


@pytest.mark.parametrize("loss", ["log_loss", "exponential"])
@pytest.mark.parametrize("init", [None, "zero", DummyClassifier(strategy="prior"), DummyClassifier(strategy="uniform")])
def test_gradient_boosting(loss: str, init: Any) -> None:
    """Log-odds, or half of them with the exponential loss."""
    X, y = draw(1)
    model = GradientBoostingClassifier(n_estimators=20, loss=loss, init=init, random_state=0).fit(X, y)
    described = check(model, X)
    assert described.unit == "log-odds"
    assert not any(one.nullable for one in described.inputs)


def test_gradient_boosting_after_another_model_is_refused() -> None:
    """Its first log-odds aren't a sum of leaves."""
    X, y = draw(1)
    model = GradientBoostingClassifier(n_estimators=2, init=LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match="starts from a LogisticRegression can't be exported"):
        describe(model)


@pytest.mark.parametrize("missing_share", [0.0, 0.2])
def test_histogram_gradient_boosting(missing_share: float) -> None:
    """Its splits are of float64."""
    X, y = draw(2, missing_share)
    check(HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(X, y), X)


@pytest.mark.parametrize("missing_share", [0.0, 0.2])
def test_native_categories_of_histogram_gradient_boosting(missing_share: float) -> None:
    """Words and numbers as categories; those that training didn't see go the way of missing values."""
    random = np.random.default_rng(3)
    home = random.choice(["owner", "rent", "parents", "other", "ignore"], 600)
    terms = random.choice([3.0, 5.0, 7.0, 40.0], 600)
    table = pd.DataFrame({"amount": random.normal(size=600), "home": home, "terms": terms})
    y = table["amount"] + (home == "rent") - (terms == 5) + random.normal(size=600) > 0.2
    table["home"] = table["home"].astype("category").where(random.random(600) >= missing_share)
    table.loc[random.random(600) < missing_share, "terms"] = np.nan
    model = HistGradientBoostingClassifier(max_iter=20, categorical_features=["home", "terms"], random_state=0)
    described = describe(model.fit(table, y))
    assert described.inputs[1].levels == ("ignore", "other", "owner", "parents", "rent")
    assert described.inputs[1].is_open
    rows = np.column_stack(
        [random.normal(size=500), random.integers(0, 6, 500), random.choice([3.0, 5.0, 7.0, 40.0, 9.0, -1.0], 500)]
    ).astype(float)
    rows[random.random(rows.shape) < 0.1] = np.nan
    np.testing.assert_allclose(described.probability(rows), described.ask(rows), rtol=0, atol=TOLERANCE)
    known = table.assign(home=table["home"].cat.codes.where(lambda code: code >= 0)).to_numpy(dtype=float)
    np.testing.assert_allclose(described.probability(known), model.predict_proba(table)[:, 1], rtol=0, atol=TOLERANCE)
    (member,) = described.members
    assert isinstance(member.function, Trees)
    assert all(0 <= split.true_share <= 1 for split in collect_splits(member.function))


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(class_weight="balanced"),
        LogisticRegressionCV(Cs=3, cv=3, l1_ratios=(0,), scoring="roc_auc", use_legacy_attributes=False),
        SGDClassifier(loss="log_loss", random_state=0),
    ],
    ids=str,
)
def test_linear_classifiers(model: Any) -> None:
    """Their decision function is the log-odds."""
    X, y = draw(4)
    X[:, 2] /= 1e5
    assert check(model.fit(X, y), X).unit == "log-odds"


def test_a_softmax_of_two_classes_has_twice_the_log_odds() -> None:
    """multi_class="multinomial" of scikit-learn before 1.8: the softmax of the decision function and its negative."""
    X, y = draw(4)
    X[:, 2] /= 1e5
    model = LogisticRegression().fit(X, y)
    model.multi_class = "multinomial"
    (member,) = describe(model).members
    np.testing.assert_array_equal(member.value(X), 2 * (X @ model.coef_[0] + model.intercept_[0]))
    assert member.links == (Sigmoid(),)


def test_losses_without_a_sigmoid_are_refused() -> None:
    """The message says which loss has one."""
    X, y = draw(4)
    with pytest.raises(ValueError, match="loss='modified_huber' can't be exported; fit it with loss='log_loss'"):
        describe(SGDClassifier(loss="modified_huber").fit(X, y))


SCALED = make_pipeline(StandardScaler(), LogisticRegression())


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
@pytest.mark.parametrize("ensemble", [True, False])
@pytest.mark.parametrize(
    "model",
    [
        SCALED,
        RandomForestClassifier(5, max_depth=3, random_state=0),
        GradientBoostingClassifier(n_estimators=5, loss="exponential", random_state=0),
        HistGradientBoostingClassifier(max_iter=5, random_state=0),
    ],
    ids=["linear", "forest", "exponential", "histogram"],
)
def test_calibration(model: Any, method: str, ensemble: bool) -> None:
    """Of the decision function where there is one, else of the probability; in folds or once."""
    X, y = draw(5)
    described = check(CalibratedClassifierCV(model, method=method, cv=3, ensemble=ensemble).fit(X, y), X)
    assert described.estimator == "CalibratedClassifierCV"
    assert len(described.members) == (3 if ensemble else 1)
    is_forest = isinstance(model, RandomForestClassifier)
    if method == "isotonic":
        assert described.unit == ("uncalibrated probability" if is_forest else "uncalibrated log-odds")
    elif not ensemble:
        assert described.unit == "log-odds"


def test_calibration_of_a_frozen_classifier_and_temperature() -> None:
    """One member, in calibrated log-odds."""
    X, y = draw(6)
    fitted = clone(SCALED).fit(X, y)
    for method in ("sigmoid", "temperature"):
        calibrated = CalibratedClassifierCV(FrozenEstimator(fitted), method=method, cv=3, ensemble=False).fit(X, y)
        assert check(calibrated, X).unit == "log-odds"
    forest = CalibratedClassifierCV(RandomForestClassifier(3, random_state=0), method="temperature", cv=3).fit(X, y)
    with pytest.raises(ValueError, match="temperature scaling of probabilities"):
        describe(forest)


def test_soft_voting_and_bagging() -> None:
    """Weighted means of probabilities, among classifiers of one kind."""
    X, y = draw(7)
    linear = [("linear", SCALED), ("boosting", GradientBoostingClassifier(n_estimators=5, random_state=0))]
    dropped = [*linear, ("none", "drop")]
    check(VotingClassifier(linear, voting="soft").fit(X, y), X)
    described = check(VotingClassifier(dropped, voting="soft", weights=[2, 1, 5]).fit(X, y), X)
    assert [member.weight for member in described.members] == [2.0, 1.0]
    assert described.unit == "uncalibrated log-odds"
    trees = [("forest", RandomForestClassifier(5, random_state=0)), ("tree", DecisionTreeClassifier(random_state=0))]
    assert check(VotingClassifier(trees, voting="soft").fit(X, y), X).unit == "probability"
    check(BaggingClassifier(DecisionTreeClassifier(), 5, max_features=2, random_state=0).fit(X, y), X)
    with pytest.raises(ValueError, match="vote among classifiers of one kind"):
        describe(VotingClassifier([*linear, *trees], voting="soft").fit(X, y))
    with pytest.raises(ValueError, match="voting='hard' has no probability"):
        describe(VotingClassifier(linear).fit(X, y))


def test_wrappers_of_one_classifier() -> None:
    """Searches and chosen thresholds have the probability of the classifier in them."""
    X, y = draw(8)
    for model in (
        FixedThresholdClassifier(SCALED, threshold=0.4),
        TunedThresholdClassifierCV(SCALED, cv=3),
        GridSearchCV(SCALED, {"logisticregression__C": [0.1, 1]}, cv=3),
    ):
        described = check(model.fit(X, y), X)
        assert described.estimator == "LogisticRegression"
        assert described.unit == "log-odds"


def test_what_has_no_exact_export_is_refused() -> None:
    """Before anything else is asked."""
    X, y = draw(9)
    stacked = StackingClassifier([("linear", SCALED)], LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match="a StackingClassifier can't be exported with exact reasons"):
        describe(stacked)
    with pytest.raises(ValueError, match="a GaussianNB can't be exported exactly, expected one of: LogisticRegression"):
        describe(GaussianNB().fit(X, y))
    three = LogisticRegression().fit(X, np.arange(len(X)) % 3)
    with pytest.raises(ValueError, match="the LogisticRegression tells 3 classes apart"):
        describe(three)
