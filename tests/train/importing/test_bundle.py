"""What the object in a model file holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from train.errors import TrainingError
from train.importing.bundle import open_bundle
from train.readers.describe import describe

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(3, 2, size=(300, 3))
Y = (X[:, 0] + X[:, 1] > 6).astype(int)
SCALER = StandardScaler().fit(X)
MODEL = LogisticRegression().fit(SCALER.transform(X), Y)
EXPECTED = MODEL.predict_proba(SCALER.transform(X))[:, 1]


@pytest.mark.parametrize(
    "content",
    [
        {"model": MODEL, "scaler": SCALER},
        {"scaler": SCALER, "clf": MODEL, "accuracy": 0.8, "date": "2024"},
        {"artifacts": {"classifier": MODEL, "preprocessor": SCALER}, "cutoff": 0.3},
        (SCALER, MODEL),
        [SCALER, MODEL],
    ],
    ids=["dict", "with notes", "nested", "tuple", "list"],
)
def test_a_model_beside_its_scaler_is_one_pipeline(content: Any) -> None:
    """However they are put together."""
    fitted = open_bundle({"pipeline": content}).fitted

    np.testing.assert_array_equal(fitted.predict_proba(X)[:, 1], EXPECTED)


def test_names_and_threshold_are_taken_and_told() -> None:
    """What isn't used is told too."""
    content = {"model": MODEL, "scaler": SCALER, "features": ["a", "b", "c"], "threshold": 0.55, "auc": 0.8}

    bundle = open_bundle({"pipeline": content})

    assert (bundle.names, bundle.threshold) == (("a", "b", "c"), 0.55)
    assert bundle.remarks == (
        "taken from the file, in this order: scaler → model",
        "the names of the fields are those under 'features'",
        "threshold from the file: threshold = 0.55",
        "not used: auc",
    )


def test_a_threshold_that_is_no_probability_is_not_taken() -> None:
    """Points, for example."""
    bundle = open_bundle({"pipeline": {"model": MODEL, "scaler": SCALER, "cut_off": 620}})

    assert bundle.threshold is None
    assert bundle.remarks[-1] == "not used: cut_off = 620, which is no probability"


def test_an_imputer_comes_before_a_scaler() -> None:
    """In training code it does, whatever the order of the keys."""
    holes = X.copy()
    holes[::7, 1] = np.nan
    imputer = SimpleImputer().fit(holes)
    scaler = StandardScaler().fit(imputer.transform(holes))
    model = LogisticRegression().fit(scaler.transform(imputer.transform(holes)), Y)

    fitted = open_bundle({"pipeline": {"model": model, "scaler": scaler, "imputer": imputer}}).fitted

    expected = model.predict_proba(scaler.transform(imputer.transform(holes)))
    np.testing.assert_array_equal(fitted.predict_proba(holes), expected)


def test_a_scaler_of_some_columns_is_applied_to_these() -> None:
    """As training code assigns them: table[names] = scaler.transform(table[names])."""
    table = pd.DataFrame(X, columns=["a", "b", "c"])
    scaler = StandardScaler().fit(table[["c", "a"]])
    scaled = table.copy()
    scaled[["c", "a"]] = scaler.transform(table[["c", "a"]])
    model = LogisticRegression().fit(scaled, Y)

    fitted = open_bundle({"pipeline": {"model": model, "scaler": scaler}}).fitted

    np.testing.assert_array_equal(fitted.predict_proba(table), model.predict_proba(scaled))
    described = describe(fitted)
    assert [one.name for one in described.inputs] == ["a", "b", "c"]
    np.testing.assert_allclose(described.probability(X), model.predict_proba(scaled)[:, 1], rtol=0, atol=1e-15)


def test_label_encoders_beside_the_model_make_categories() -> None:
    """One for each column of words; their classes are the levels, and others are refused."""
    jobs = RANDOM.choice(["clerk", "farmer", "nurse"], 300)
    encoder = LabelEncoder().fit(jobs)
    table = pd.DataFrame({"age": X[:, 0], "job": encoder.transform(jobs)})
    model = DecisionTreeClassifier(max_depth=3).fit(table, Y)

    fitted = open_bundle({"pipeline": {"model": model, "encoders": {"job": encoder}}}).fitted

    described = describe(fitted)
    assert [(one.name, one.levels, one.is_open) for one in described.inputs] == [
        ("age", (), False),
        ("job", ("clerk", "farmer", "nurse"), False),
    ]
    rows = np.column_stack([X[:, 0], encoder.transform(jobs)])
    np.testing.assert_array_equal(described.probability(rows), model.predict_proba(table)[:, 1])
    np.testing.assert_array_equal(described.ask(rows), model.predict_proba(table)[:, 1])


def test_a_step_that_is_saved_twice_is_applied_once() -> None:
    """The pipeline, and beside it one of its own steps."""
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)

    bundle = open_bundle({"pipeline": {"pipeline": pipeline, "scaler": pipeline[0]}})

    assert bundle.fitted is pipeline


def test_an_encoder_of_the_target_names_the_classes() -> None:
    """The model's own are 0 and 1."""
    encoder = LabelEncoder().fit(["good", "bad"])

    bundle = open_bundle({"pipeline": {"model": MODEL, "scaler": SCALER, "target_encoder": encoder}})

    assert bundle.classes == ("bad", "good")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"rf": MODEL, "lr": MODEL}, "holds 2 classifiers: rf, lr; say which: --key 'rf' or --key 'lr'"),
        ({"scaler": SCALER}, "holds no classifier that gives probabilities, but 'scaler': StandardScaler"),
        ({}, "holds no classifier that gives probabilities, but nothing"),
        (3, "holds no classifier that gives probabilities, but pipeline"),
        ({"model": MODEL, "t1_threshold": 0.3, "t2_threshold": 0.4}, "several thresholds, t1_threshold = 0.3 and t2"),
        ({"model": MODEL, "pca": PCA(2).fit(X)}, "'model', which takes 3 columns, and 'pca' .PCA., which takes 3"),
        (
            {"model": make_pipeline(SCALER, MODEL), "scaler": StandardScaler().fit(X)},
            "holds the pipeline 'model' and beside it 'scaler'; whether its input is transformed before can't be told",
        ),
        (
            {"model": MODEL, "encoder": OneHotEncoder().fit([["a"], ["b"]])},
            "'model', which takes 3 columns, and 'encoder' .OneHotEncoder., which takes 1; which of them can't be told",
        ),
        ({"model": MODEL, "encoder": LabelEncoder().fit(["a", "b", "c"])}, "which column it encodes can't be told"),
    ],
)
def test_what_can_be_meant_in_two_ways_is_asked(content: Any, message: str) -> None:
    """And what can't be used is named, in one sentence."""
    with pytest.raises(TrainingError, match=message):
        open_bundle({"pipeline": content})


def test_a_classifier_is_chosen_by_its_key() -> None:
    """--key."""
    tree = DecisionTreeClassifier(max_depth=1).fit(X, Y)
    content = {"tree": tree, "logistic": MODEL}

    assert open_bundle({"pipeline": content}, "tree").fitted is tree
    with pytest.raises(TrainingError, match="no classifier 'other'; its classifiers are: tree, logistic"):
        open_bundle({"pipeline": content}, "other")
