"""python -m train import: models that were fitted elsewhere."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.impute import KNNImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Normalizer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from model.loading import load_model
from train.__main__ import main
from train.dataset import Matrix
from train.proof import TOLERANCE

IMPORT = ("import", "--threshold", "0.5")


@pytest.fixture(scope="module")
def X() -> Matrix:
    """Applicants whose fields have different scales."""
    return np.random.default_rng(0).lognormal(1, 1, (500, 20))


def fit_pipeline(X: Matrix) -> Pipeline:
    """Scaler and logistic regression, fitted on a matrix without column names."""
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(X, (X[:, 0] > X[:, 1]).astype(int))


@pytest.fixture(scope="module")
def pipeline(X: Matrix) -> Pipeline:
    """The pipeline fitted on X."""
    return fit_pipeline(X)


def write_pickles(pipeline: Pipeline, folder: Path) -> list[str]:
    """--scaler and --model as two pickles."""
    for name, step in (("scaler", pipeline[0]), ("model", pipeline[-1])):
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(step))
    return ["--scaler", str(folder / "scaler.pkl"), "--model", str(folder / "model.pkl")]


@pytest.fixture
def pickles(pipeline: Pipeline, tmp_path: Path) -> list[str]:
    """--scaler and --model of the pipeline."""
    return write_pickles(pipeline, tmp_path)


def test_a_scaler_and_a_model_become_an_exact_artifact_with_a_card(tmp_path: Path) -> None:
    """300 unnamed fields: the same probabilities, with reasons and a card to complete."""
    X = np.random.default_rng(0).lognormal(1, 1, (500, 300))
    pipeline = fit_pipeline(X)
    pickles, out = write_pickles(pipeline, tmp_path), tmp_path / "out"

    assert main([*IMPORT, *pickles, "--trust", "--name", "old", "--out", str(out)]) == 0

    model = load_model(out / "model.onnx")
    np.testing.assert_allclose(model.score(X).probability, pipeline.predict_proba(X)[:, 1], rtol=0, atol=TOLERANCE)
    assert model.score(X[:9], explain=True).contributions.shape == (9, 300)
    assert model.contract.fields[0].name == "field_001"
    assert {path.name for path in out.iterdir()} == {"model.onnx", "old.toml"}


def test_the_completed_card_is_used_by_the_next_import(pickles: list[str], tmp_path: Path) -> None:
    """The label comes from the card."""
    out = tmp_path / "out"
    assert main([*IMPORT, *pickles, "--trust", "--out", str(out)]) == 0
    card = out / "imported.toml"
    card.write_text(card.read_text().replace('label = "field_01"', 'label = "Income"'))

    assert main([*IMPORT, *pickles, "--trust", "--card", str(card), "--out", str(out)]) == 0

    assert load_model(out / "model.onnx").contract.fields[0].label == "Income"


def test_a_pickle_is_refused_without_trust(
    pickles: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and nothing is written."""
    assert main([*IMPORT, *pickles, "--out", str(tmp_path / "out")]) == 2

    assert "add --trust" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


class Harmful:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


def test_the_code_in_an_untrusted_pickle_never_runs(tmp_path: Path) -> None:
    """The file that the pickle would create isn't there."""
    trace = tmp_path / "trace"
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Harmful(trace)))

    assert main([*IMPORT, "--model", str(tmp_path / "model.pkl"), "--out", str(tmp_path)]) == 2

    assert not trace.exists()


def test_a_skops_file_needs_no_trust(pipeline: Pipeline, X: Matrix, tmp_path: Path) -> None:
    """skops files hold data, not code: imported exactly without --trust."""
    skops.io.dump(pipeline, tmp_path / "model.skops")

    assert main([*IMPORT, "--pipeline", str(tmp_path / "model.skops"), "--out", str(tmp_path)]) == 0

    score = load_model(tmp_path / "model.onnx").score(X)
    np.testing.assert_allclose(score.probability, pipeline.predict_proba(X)[:, 1], rtol=0, atol=TOLERANCE)


def test_an_older_scikit_learn_version_is_reported_once(
    pipeline: Pipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """scikit-learn warns for every object in the file; one note is printed, and the model is imported."""
    import sklearn

    old = pickle.dumps(pipeline).replace(sklearn.__version__.encode(), b"0.9.9"[: len(sklearn.__version__)])
    (tmp_path / "old.pkl").write_bytes(old)

    assert main([*IMPORT, "--pipeline", str(tmp_path / "old.pkl"), "--trust", "--out", str(tmp_path)]) == 0

    assert capsys.readouterr().out.count("from version 0.9.9") == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; expected a fitted model"),
        (b"garbage", "starts with b'garbage'; expected a fitted model"),
        (b"\x1f\x8b\x08\x00garbage", "can't be read"),
        (b"x\x9cgarbage", "can't be read"),
        (pickle.dumps(LogisticRegression())[:-9], "can't be read"),
        (pickle.dumps(3), "expected a fitted"),
        (pickle.dumps({"model": LogisticRegression()}), "isn't fitted"),
        (pickle.dumps(LogisticRegression), "expected a fitted"),
        (pickle.dumps(LogisticRegression()), "isn't fitted"),
        (pickle.dumps(Pipeline([])), "expected a fitted"),
    ],
)
def test_a_file_that_is_no_model_is_refused(
    content: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line of error, exit code 2, and nothing is written."""
    (tmp_path / "model.pkl").write_bytes(content)

    assert main([*IMPORT, "--model", str(tmp_path / "model.pkl"), "--trust", "--out", str(tmp_path / "out")]) == 2

    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_other_classes_and_other_classifiers_are_refused(
    X: Matrix, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There must be two classes, and the classifier must give probabilities."""
    y = np.where(X[:, 0] > X[:, 1], "bad", "good")
    y[:50] = "new"
    for name, classifier, message in (
        ("words", LogisticRegression(), "it has 3 classes: 'bad', 'good', 'new'; expected two"),
        ("svm", LinearSVC(), "holds no classifier that gives probabilities, but pipeline (LinearSVC)"),
    ):
        path = tmp_path / f"{name}.joblib"
        joblib.dump(make_pipeline(StandardScaler(), classifier).fit(X, y), path)
        assert main([*IMPORT, "--pipeline", str(path), "--trust", "--out", str(tmp_path)]) == 2
        assert message in capsys.readouterr().err


def test_a_model_without_a_scaler_needs_reference_applicants(
    X: Matrix, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Contributions are relative to a reference, which --reference gives: their mean over it is 0."""
    few = X[:, :3]
    model = tmp_path / "model.joblib"
    joblib.dump(LogisticRegression().fit(few, (few[:, 0] > few[:, 1]).astype(int)), model)
    table = tmp_path / "applicants.csv"
    np.savetxt(table, few, delimiter=",", header="field_1,field_2,field_3", comments="")
    arguments = [*IMPORT, "--model", str(model), "--trust", "--out", str(tmp_path / "out")]

    assert main(arguments) == 2
    assert "--reference TABLE" in capsys.readouterr().err
    assert main([*arguments, "--reference", str(table)]) == 0

    contributions = load_model(tmp_path / "out" / "model.onnx").score(few, explain=True).contributions
    np.testing.assert_allclose(contributions.mean(axis=0), np.zeros(3), atol=1e-9)


def test_names_of_a_data_frame_become_the_fields(X: Matrix, tmp_path: Path) -> None:
    """A pipeline fitted on a data frame knows its columns; scikit-learn's warning about a matrix is ignored."""
    frame = pd.DataFrame(X[:, :3], columns=["income", "amount", "debt"])
    fitted = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, (X[:, 0] > X[:, 1]).astype(int))
    joblib.dump(fitted, tmp_path / "model.joblib")

    assert main([*IMPORT, "--pipeline", str(tmp_path / "model.joblib"), "--trust", "--out", str(tmp_path)]) == 0

    fields = load_model(tmp_path / "model.onnx").contract.fields
    assert [field.name for field in fields] == ["income", "amount", "debt"]


def test_a_pipeline_of_sparse_one_hot_columns_is_exact(X: Matrix, tmp_path: Path) -> None:
    """A sparse encoder, a dropped column and a scaler after them can be imported with --reference."""
    rows = np.column_stack([np.arange(500) % 3, X[:, 0], X[:, 1]])
    encoder = ColumnTransformer(
        [("c", OneHotEncoder(handle_unknown="ignore"), [0]), ("n", "passthrough", [1]), ("no", "drop", [2])]
    )
    steps = make_pipeline(encoder, StandardScaler(with_mean=False), LogisticRegression())
    joblib.dump(steps.fit(rows, (X[:, 0] > 3).astype(int)), tmp_path / "model.joblib")
    table = tmp_path / "applicants.csv"
    np.savetxt(table, rows, delimiter=",", header="field_1,field_2,field_3", comments="")
    arguments = [*IMPORT, "--pipeline", str(tmp_path / "model.joblib"), "--trust", "--out", str(tmp_path / "out")]

    assert main(arguments) == 2
    assert main([*arguments, "--reference", str(table)]) == 0


@pytest.mark.parametrize("step", [KNNImputer(), Normalizer()], ids=["searches training rows", "mixes fields"])
def test_a_step_without_an_exact_export_is_refused(
    step: object, X: Matrix, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is asked, such as which of the classes A and B means default; nothing is written."""
    classes = np.where(X[:, 0] > X[:, 1], "A", "B")
    joblib.dump(make_pipeline(step, LogisticRegression()).fit(X, classes), tmp_path / "model.joblib")
    arguments = ["import", "--pipeline", str(tmp_path / "model.joblib"), "--trust"]

    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2

    assert "can't be exported exactly" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_damaged_skops_file_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is a ZIP archive, which zipfile refuses in its own way."""
    path = tmp_path / "model.skops"
    path.write_bytes(b"PK\x03\x04 cut off")

    assert main([*IMPORT, "--pipeline", str(path), "--out", str(tmp_path)]) == 2

    assert "can't be read as a fitted model: BadZipFile" in capsys.readouterr().err


def test_a_damaged_scaler_is_one_sentence(
    pipeline: Pipeline, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was saved without an attribute that prediction needs."""
    scaler = pickle.loads(pickle.dumps(pipeline[0]))  # noqa: S301
    del scaler.with_std
    arguments = write_pickles(Pipeline([("scale", scaler), ("classify", pipeline[-1])]), tmp_path)

    assert main([*IMPORT, *arguments, "--trust", "--out", str(tmp_path)]) == 2

    assert "has no attribute 'with_std'; check that it is fitted" in capsys.readouterr().err


def test_a_folder_is_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence that says so."""
    assert main([*IMPORT, "--pipeline", str(tmp_path), "--trust", "--out", str(tmp_path)]) == 2

    assert "it is a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "value"), [("minimum", "-inf"), ("maximum", "nan"), ("cost_default", "inf"), ("odds", "inf")]
)
def test_a_card_with_a_number_that_is_not_finite_is_refused(
    key: str, value: str, pickles: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """TOML can write inf and nan, a contract can't hold them."""
    assert main([*IMPORT, *pickles, "--trust", "--out", str(tmp_path)]) == 0
    card = tmp_path / "imported.toml"
    sections = {"odds": "[policy.points]", "cost_default": "[policy]"}
    text = re.sub(rf"^({key}|threshold) = .*$", "", card.read_text(), flags=re.MULTILINE)
    section = sections.get(key, "[fields.field_01]")
    card.write_text(text.replace(section, f"{section}\n{key} = {value}"))

    assert main([*IMPORT, *pickles, "--trust", "--card", str(card), "--out", str(tmp_path)]) == 2

    assert "finite number" in capsys.readouterr().err


def test_a_card_with_a_code_that_the_model_takes_as_a_number_is_refused(
    pickles: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The doors would call it missing, and the graph wouldn't."""
    assert main([*IMPORT, *pickles, "--trust", "--out", str(tmp_path)]) == 0
    card = tmp_path / "imported.toml"
    card.write_text(card.read_text().replace("[fields.field_01]", "[fields.field_01]\nmissing = [999.0]"))

    assert main([*IMPORT, *pickles, "--trust", "--card", str(card), "--out", str(tmp_path)]) == 2

    assert "'field_01' of the card has missing = 999, which this model doesn't take" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", [b"", b"field_1\n", b"\x00\x01", b'field_01,field_02\n"1,2\n'], ids=["empty", "header", "bytes", "quote"]
)
def test_a_damaged_reference_is_one_sentence(
    content: bytes, pickles: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2."""
    table = tmp_path / "applicants.csv"
    table.write_bytes(content)

    assert main([*IMPORT, *pickles, "--trust", "--reference", str(table), "--out", str(tmp_path)]) == 2

    assert len(capsys.readouterr().err.strip().splitlines()) == 1
