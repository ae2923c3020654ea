"""Reading the file of a fitted model."""

from __future__ import annotations

import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from train.errors import TrainingError
from train.importing.absent import stand_in
from train.importing.files import read_model_file

X = np.random.default_rng(0).normal(size=(100, 2))
MODEL = LogisticRegression().fit(X, X[:, 0] > 0)


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "model.sav", "model.dat", "model.pickle", "model"])
@pytest.mark.parametrize("compress", [0, "gzip", "zlib", "xz"])
def test_a_trusted_pickle_is_known_by_its_content(name: str, compress: Any, tmp_path: Path) -> None:
    """Whatever its name and compression."""
    joblib.dump(MODEL, tmp_path / name, compress=compress)

    fitted = read_model_file(tmp_path / name, is_trusted=True).fitted

    np.testing.assert_array_equal(fitted.coef_, MODEL.coef_)


def test_a_skops_file_is_known_by_its_content(tmp_path: Path) -> None:
    """It needs no trust, whatever its name."""
    skops.io.dump(MODEL, tmp_path / "model.bin")

    assert type(read_model_file(tmp_path / "model.bin", is_trusted=False).fitted) is LogisticRegression


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; expected a fitted model"),
        (b"a,b\n1,2\n", r"starts with b'a,b\\n1,2\\n'; expected a fitted model"),
        (b'{"a": 1}', "is a JSON file, but not of XGBoost"),
        (b"\x89HDF\r\n", "is an HDF5 file"),
        (b"\x08\x07", "is an ONNX file"),
        (b"binf", "XGBoost's old binary format; load it with the XGBoost that wrote it"),
        (b"\x80\x04cut off", "is a pickle.*add --trust"),
        (pickle.dumps(MODEL, protocol=0), "is a pickle.*add --trust"),
        (b"PK\x03\x04cut off", "can't be read as a fitted model: BadZipFile"),
    ],
)
def test_any_other_file_is_named_for_what_it_is(content: bytes, message: str, tmp_path: Path) -> None:
    """One sentence; what is no pickle isn't called one."""
    (tmp_path / "model.pkl").write_bytes(content)

    with pytest.raises(TrainingError, match=message):
        read_model_file(tmp_path / "model.pkl", is_trusted=False)


def test_another_zip_archive_is_no_model(tmp_path: Path) -> None:
    """A ZIP archive without skops' schema."""
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr("data.csv", "a\n1\n")

    with pytest.raises(TrainingError, match="is a ZIP archive, but not of skops"):
        read_model_file(tmp_path / "model.zip", is_trusted=False)


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    """Instead of a trace of the import."""
    content = pickle.dumps(MODEL, protocol=2).replace(
        b"sklearn.linear_model._logistic", b"nosuchlib.linear_model._logist"
    )
    (tmp_path / "model.pkl").write_bytes(content)

    with pytest.raises(TrainingError, match="needs the package nosuchlib"):
        read_model_file(tmp_path / "model.pkl", is_trusted=True)


@pytest.mark.parametrize("setting", ["pickled_model: model.pkl", "pickled_model: 'model.pkl'"])
def test_the_folder_of_an_mlflow_model_is_its_file(setting: str, tmp_path: Path) -> None:
    """MLmodel names the file of the flavour; the path of the file is that of the model."""
    joblib.dump(MODEL, tmp_path / "model.pkl")
    (tmp_path / "MLmodel").write_text(
        "artifact_path: model\nflavors:\n  python_function:\n    env:\n      conda: conda.yaml\n"
        f"    model_path: other.pkl\n  sklearn:\n    code: null\n    {setting}\nmlflow_version: 3.0\n"
    )

    read = read_model_file(tmp_path, is_trusted=True)

    assert read.path == tmp_path / "model.pkl"
    assert type(read.fitted) is LogisticRegression


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "it is a folder without a readable file MLmodel"),
        ("flavors:\n  onnx:\n    data: model.onnx\n", "has the flavours onnx, expected one of: sklearn"),
        ("flavors:\n  sklearn:\n    pickled_model: gone.pkl\n", "gone.pkl, which isn't there"),
        ("", "has the flavours none"),
    ],
)
def test_any_other_folder_is_refused(text: str | None, message: str, tmp_path: Path) -> None:
    """One sentence."""
    if text is not None:
        (tmp_path / "MLmodel").write_text(text)

    with pytest.raises(TrainingError, match=message):
        read_model_file(tmp_path, is_trusted=True)


class Sampler:
    """Stands for a sampler of a library that isn't there when the pickle is loaded."""


class Pipeline:
    """Stands for the pipeline of such a library."""

    def __init__(self, steps: list[tuple[str, Any]]) -> None:
        self.steps = steps


def test_a_resampling_pipeline_is_read_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its samplers are passed over, and its prediction is that of the other steps."""
    for made in (Sampler, Pipeline):
        monkeypatch.setattr(made, "__module__", "nolib.pipeline")
    monkeypatch.setitem(sys.modules, "nolib", sys.modules[__name__])
    monkeypatch.setitem(sys.modules, "nolib.pipeline", sys.modules[__name__])
    content = pickle.dumps(Pipeline([("sample", Sampler()), ("model", MODEL)]))
    for name in ("nolib", "nolib.pipeline"):
        monkeypatch.delitem(sys.modules, name)

    with stand_in("nolib"):
        pipeline = pickle.loads(content)  # noqa: S301

    assert [name for name, _ in pipeline.steps] == ["model"]
    assert [type(sampler).__name__ for sampler in pipeline.resampled_by] == ["Sampler"]
    np.testing.assert_array_equal(pipeline.predict_proba(X), MODEL.predict_proba(X))
