"""python -m train import: a model fitted elsewhere becomes the same artifact."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from model.loading import load_model
from train.__main__ import main
from train.dataset import Matrix
from train.proof import TOLERANCE

FIELDS = 300


@pytest.fixture(scope="module")
def X() -> Matrix:
    """Applicants of several hundred fields of different scales."""
    return np.random.default_rng(0).lognormal(1, 1, (500, FIELDS))


@pytest.fixture(scope="module")
def pipeline(X: Matrix) -> Pipeline:
    """An older project's model: scaler and logistic regression, no names."""
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, (X[:, 0] > X[:, 1]).astype(int))


@pytest.fixture
def pickles(pipeline: Pipeline, tmp_path: Path) -> list[str]:
    """--scaler and --model as two pickles."""
    for name, step in (("scaler", pipeline[0]), ("model", pipeline[-1])):
        (tmp_path / f"{name}.pkl").write_bytes(pickle.dumps(step))
    return ["--scaler", str(tmp_path / "scaler.pkl"), "--model", str(tmp_path / "model.pkl")]


def test_a_scaler_and_a_model_become_an_exact_artifact_with_a_card(
    pickles: list[str], pipeline: Pipeline, X: Matrix, tmp_path: Path
) -> None:
    """Several hundred fields without names: the same probabilities, golden rows, reasons, a card to complete."""
    out = tmp_path / "out"

    assert 0 == main(["import", *pickles, "--trust", "--name", "old", "--out", str(out)])

    model = load_model(out / "model.onnx")
    np.testing.assert_allclose(pipeline.predict_proba(X)[:, 1], model.score(X).probability, rtol=0, atol=TOLERANCE)
    assert (500, FIELDS) == model.score(X, explain=True).contributions.shape
    assert "field_001" == model.contract.fields[0].name
    assert {"model.onnx", "old.toml"} == {path.name for path in out.iterdir()}


def test_the_completed_card_is_taken_at_the_next_import(pickles: list[str], tmp_path: Path) -> None:
    """Names, labels and costs come from the card; it is not written again."""
    out = tmp_path / "out"
    assert 0 == main(["import", *pickles, "--trust", "--out", str(out)])
    card = out / "imported.toml"
    card.write_text(card.read_text().replace('label = "field_001"', 'label = "Income"'))

    assert 0 == main(["import", *pickles, "--trust", "--card", str(card), "--out", str(out)])

    assert "Income" == load_model(out / "model.onnx").contract.fields[0].label


def test_a_pickle_asks_for_trust(pickles: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Loading a pickle runs the code inside it: nothing is loaded, nothing written, exit code 2."""
    assert 2 == main(["import", *pickles, "--out", str(tmp_path / "out")])

    assert "say --trust" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


class Harmful:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_the_code_in_an_untrusted_pickle_never_runs(tmp_path: Path) -> None:
    """Refused before it is opened."""
    trace = tmp_path / "trace"
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Harmful(trace)))

    assert 2 == main(["import", "--model", str(tmp_path / "model.pkl"), "--out", str(tmp_path)])

    assert not trace.exists()


def test_a_skops_file_needs_no_trust(pipeline: Pipeline, X: Matrix, tmp_path: Path) -> None:
    """skops holds data, not code."""
    skops.io.dump(pipeline, tmp_path / "model.skops")

    assert 0 == main(["import", "--pipeline", str(tmp_path / "model.skops"), "--out", str(tmp_path)])

    score = load_model(tmp_path / "model.onnx").score(X)
    np.testing.assert_allclose(pipeline.predict_proba(X)[:, 1], score.probability, rtol=0, atol=TOLERANCE)


def test_an_older_version_is_said_once(pipeline: Pipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """scikit-learn warns for every object in the file; the user reads it once, and the model is imported."""
    import sklearn

    old = pickle.dumps(pipeline).replace(sklearn.__version__.encode(), b"0.9.9"[: len(sklearn.__version__)])
    (tmp_path / "old.pkl").write_bytes(old)

    assert 0 == main(["import", "--pipeline", str(tmp_path / "old.pkl"), "--trust", "--out", str(tmp_path)])

    assert 1 == capsys.readouterr().out.count("from version 0.9.9")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "can't be read"), (b"garbage", "can't be read"), (pickle.dumps(3), "expected a fitted")],
)
def test_a_file_that_is_no_model_is_one_sentence(
    content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Empty, garbage, a pickle of something else."""
    (tmp_path / "model.pkl").write_bytes(content)

    assert 2 == main(["import", "--model", str(tmp_path / "model.pkl"), "--trust", "--out", str(tmp_path / "out")])

    error = capsys.readouterr().err
    assert message in error
    assert 1 == len(error.strip().splitlines())
    assert not (tmp_path / "out").exists()


def test_other_classes_and_other_classifiers_are_refused(
    X: Matrix, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which class is default must be plain, and a probability must be there."""
    y = np.where(X[:, 0] > X[:, 1], "bad", "good")
    for name, classifier, message in (
        ("words", LogisticRegression(), "expected 0 (good) and 1 (default)"),
        ("svm", LinearSVC(), "expected a fitted classifier that gives probabilities"),
    ):
        path = tmp_path / f"{name}.joblib"
        joblib.dump(make_pipeline(StandardScaler(), classifier).fit(X, y), path)
        assert 2 == main(["import", "--pipeline", str(path), "--trust", "--out", str(tmp_path)])
        assert message in capsys.readouterr().err


def test_a_model_without_a_scaler_asks_for_applicants_to_compare_with(
    X: Matrix, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Contributions need somebody to compare with; a table of applicants serves."""
    few = X[:, :3]
    model = tmp_path / "model.joblib"
    joblib.dump(LogisticRegression().fit(few, (few[:, 0] > few[:, 1]).astype(int)), model)
    table = tmp_path / "applicants.csv"
    np.savetxt(table, few, delimiter=",", header="field_1,field_2,field_3", comments="")
    arguments = ["import", "--model", str(model), "--trust", "--out", str(tmp_path / "out")]

    assert 2 == main(arguments)
    assert "--reference FILE.csv" in capsys.readouterr().err
    assert 0 == main([*arguments, "--reference", str(table)])

    contributions = load_model(tmp_path / "out" / "model.onnx").score(few, explain=True).contributions
    np.testing.assert_allclose(np.zeros(3), contributions.mean(axis=0), atol=1e-9)


def test_names_of_a_data_frame_become_the_fields(X: Matrix, tmp_path: Path) -> None:
    """A pipeline fitted on a table remembers its columns; asking it with a matrix is no cause for warnings."""
    frame = pd.DataFrame(X[:, :3], columns=["income", "amount", "debt"])
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, (X[:, 0] > X[:, 1]).astype(int))
    joblib.dump(fitted, tmp_path / "model.joblib")

    assert 0 == main(["import", "--pipeline", str(tmp_path / "model.joblib"), "--trust", "--out", str(tmp_path)])

    fields = load_model(tmp_path / "model.onnx").contract.fields
    assert ["income", "amount", "debt"] == [field.name for field in fields]


def test_a_pipeline_of_sparse_one_hot_columns_is_exact(X: Matrix, tmp_path: Path) -> None:
    """scikit-learn's default encoder, a dropped column, a scaler after it: proven with applicants to compare with."""
    rows = np.column_stack([np.arange(500) % 3, X[:, 0], X[:, 1]])
    encoder = ColumnTransformer(
        [("c", OneHotEncoder(handle_unknown="ignore"), [0]), ("n", "passthrough", [1]), ("no", "drop", [2])]
    )
    steps = make_pipeline(encoder, StandardScaler(with_mean=False), LogisticRegression())
    joblib.dump(steps.fit(rows, (X[:, 0] > 3).astype(int)), tmp_path / "model.joblib")
    table = tmp_path / "applicants.csv"
    np.savetxt(table, rows, delimiter=",", header="field_1,field_2,field_3", comments="")
    arguments = ["import", "--pipeline", str(tmp_path / "model.joblib"), "--trust", "--out", str(tmp_path / "out")]

    assert 2 == main(arguments)
    assert 0 == main([*arguments, "--reference", str(table)])


@pytest.mark.parametrize(
    "step",
    [
        SimpleImputer(add_indicator=True),
        SimpleImputer(missing_values=0.0),
        SimpleImputer(),
        OneHotEncoder(drop="first", handle_unknown="ignore"),
        OneHotEncoder(),
        FunctionTransformer(np.abs),
    ],
    ids=[
        "indicator",
        "zero is missing",
        "drops an empty column",
        "drops a level",
        "fails on other levels",
        "any function",
    ],
)
def test_a_step_that_cant_be_exact_is_refused(
    step: object, X: Matrix, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rather no artifact than one that answers differently: one sentence, exit code 2."""
    rows = np.floor(X[:, :3])
    rows[:, 2] = np.nan if isinstance(step, SimpleImputer) and step.missing_values != 0.0 else 1.0
    rows[0, 0] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = make_pipeline(step, LogisticRegression(max_iter=2000)).fit(rows, (X[:, 0] > X[:, 1]).astype(int))
    joblib.dump(fitted, tmp_path / "model.joblib")
    table = tmp_path / "applicants.csv"
    np.savetxt(table, np.nan_to_num(rows), delimiter=",", header="field_1,field_2,field_3", comments="")
    arguments = ["--pipeline", str(tmp_path / "model.joblib"), "--trust", "--reference", str(table)]

    assert 2 == main(["import", *arguments, "--out", str(tmp_path / "out")])

    assert "can't be exported" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
