"""python -m train import: which class of a model means default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model.loading import load_model
from model.session import Model
from train.__main__ import main
from train.proof import TOLERANCE

X = np.random.default_rng(0).normal(size=(400, 3))
IS_SECOND = X[:, 0] + X[:, 1] * X[:, 2] > 0


def fit(classes: tuple[Any, Any], path: Path, classifier: Any = None) -> Any:
    """A pipeline fitted on two classes, the second where IS_SECOND, and saved."""
    y = np.array(classes)[IS_SECOND.astype(int)]
    pipeline = make_pipeline(StandardScaler(), classifier or LogisticRegression()).fit(X, y)
    joblib.dump(pipeline, path)
    return pipeline


def import_model(path: Path, *options: str) -> int:
    """The exit code of an import into the file's folder."""
    stated = ["--trust", "--threshold", "0.5", "--out", str(path.parent)]
    return main(["import", "--pipeline", str(path), *stated, *options])


def read_model(path: Path) -> Model:
    """The artifact beside the file."""
    return load_model(path.parent / "model.onnx")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the fitted model is saved."""
    return tmp_path / "model.joblib"


@pytest.mark.parametrize(
    ("classes", "default"),
    [
        ((0, 1), 1),
        ((0.0, 1.0), 1.0),
        ((False, True), True),
        (("0", "1"), "1"),
        (("bad", "good"), "bad"),
        (("Charged Off", "Fully Paid"), "Charged Off"),
        (("default", "no default"), "default"),
    ],
)
def test_classes_that_everybody_reads_one_way_are_taken(
    classes: tuple[Any, Any], default: Any, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is taken as default is printed, and its probability is the artifact's."""
    pipeline = fit(classes, path)

    assert import_model(path) == 0

    assert f"{default!r} means default" in capsys.readouterr().out
    expected = pipeline.predict_proba(X)[:, list(classes).index(default)]
    np.testing.assert_allclose(read_model(path).score(X).probability, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("classes", [(1, 2), (-1, 1), ("A", "B"), ("no", "yes"), (0, 2)])
def test_other_classes_are_asked_for_and_either_may_mean_default(
    classes: tuple[Any, Any], path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both options are named, and each gives the probability of its own class."""
    pipeline = fit(classes, path)

    assert import_model(path) == 2
    assert f"say which: --default {classes[0]} or --default {classes[1]}" in capsys.readouterr().err
    assert not (path.parent / "model.onnx").exists()

    for column, default in enumerate(classes):
        assert import_model(path, "--default", str(default), "--name", f"default_{column}") == 0
        expected = pipeline.predict_proba(X)[:, column]
        np.testing.assert_allclose(read_model(path).score(X).probability, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(
    "classifier", [LogisticRegression(), HistGradientBoostingClassifier(max_leaf_nodes=8, max_iter=20)]
)
def test_where_1_means_good_log_odds_and_contributions_are_negated(classifier: Any, path: Path) -> None:
    """To the bit, as is the base value."""
    fit((0, 1), path, classifier)
    assert import_model(path, "--name", "one") == 0
    usual, base = read_model(path).score(X, explain=True), read_model(path).contract.base_value

    assert import_model(path, "--default", "0", "--name", "zero") == 0

    swapped = read_model(path)
    contributions = swapped.score(X, explain=True).contributions
    np.testing.assert_array_equal(contributions, -usual.contributions)
    assert swapped.contract.base_value == -base
    assert swapped.contract.training.estimator == f"imported {type(classifier).__name__}"


def test_the_card_remembers_the_default(path: Path) -> None:
    """The next import with it needs no --default, and isn't inverted; --default overrides it."""
    fit((1, 2), path)
    card = str(path.parent / "imported.toml")
    assert import_model(path, "--default", "1") == 0
    first = read_model(path).score(X).probability

    assert import_model(path, "--card", card) == 0
    np.testing.assert_array_equal(read_model(path).score(X).probability, first)

    assert import_model(path, "--card", card, "--default", "2") == 0
    np.testing.assert_allclose(read_model(path).score(X).probability, 1 - first, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("default", ["true", "True", "1"])
def test_a_boolean_class_is_named_in_any_way(default: str, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a word in any case, or as a number."""
    fit((False, True), path)

    assert import_model(path, "--default", default) == 0

    assert "True means default" in capsys.readouterr().out


def test_a_class_that_does_not_exist_is_refused(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The classes are named."""
    fit((1, 2), path)

    assert import_model(path, "--default", "3") == 2

    assert "--default '3' is no class of the model; its classes are: 1 and 2" in capsys.readouterr().err
