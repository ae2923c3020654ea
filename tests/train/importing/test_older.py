"""Old pickles: the versions that they tell, and objects that are asked for in another process."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from train.errors import TrainingError
from train.importing import older
from train.importing.bundle import open_bundle
from train.importing.older import Environment, find_requirements, is_of_other_version, read_old, read_requirements
from train.importing.remote import Process
from train.readers.describe import describe


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Numbers and words with a target."""
    random = np.random.default_rng(0)
    columns = {"income": random.exponential(size=300), "home": random.choice(["own", "rent"], 300)}
    return pd.DataFrame({**columns, "default": random.integers(0, 2, 300)})


@pytest.fixture(scope="module")
def pipeline(table: pd.DataFrame) -> Pipeline:
    """A pipeline on numbers and words."""
    numbers = Pipeline([("log", FunctionTransformer(np.log1p)), ("scale", StandardScaler())])
    steps = ColumnTransformer([("numbers", numbers, ["income"]), ("words", OneHotEncoder(), ["home"])])
    return Pipeline([("prepare", steps), ("model", LogisticRegression())]).fit(
        table[["income", "home"]], table["default"]
    )


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_version_is_found_without_loading(pipeline: Pipeline, tmp_path: Path, protocol: int) -> None:
    """In pickles of every protocol."""
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(pipeline, protocol))
    found = find_requirements(path)
    assert found is not None
    assert found.requirements.splitlines()[0] == f"scikit-learn=={sklearn.__version__}"
    assert not is_of_other_version(path)


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)])
def test_version_is_found_in_compressed_files(pipeline: Pipeline, tmp_path: Path, compress: Any) -> None:
    """As joblib writes them."""
    path = tmp_path / "model.joblib"
    joblib.dump(pipeline, path, compress=compress)
    found = find_requirements(path)
    assert found is not None
    assert found.requirements.splitlines()[0] == f"scikit-learn=={sklearn.__version__}"


def test_old_version_has_its_python_and_its_time(pipeline: Pipeline, tmp_path: Path) -> None:
    """Packages are from the time of that version; of other libraries only those that the file mentions."""
    path = tmp_path / "model.pkl"
    old = pickle.dumps([pipeline, "lightgbm.sklearn"], 0).replace(sklearn.__version__.encode(), b"1.0.2")
    path.write_bytes(old)
    expected = Environment("scikit-learn==1.0.2\nlightgbm\npandas\nsetuptools\n", "3.9", "2022-05-10")
    assert find_requirements(path) == expected
    assert is_of_other_version(path)


def test_requirements_file(tmp_path: Path) -> None:
    """Its scikit-learn tells Python and time too."""
    path = tmp_path / "old.txt"
    path.write_text("scikit-learn==1.2.2\nlightgbm==3.3.5\n")
    expected = Environment("scikit-learn==1.2.2\nlightgbm==3.3.5\n\npandas\nsetuptools\n", "3.11", "2023-06-28")
    assert read_requirements(path) == expected


def test_file_without_version_asks_for_requirements(tmp_path: Path) -> None:
    """The message says how to name the versions."""
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(TrainingError, match=r"doesn't tell the versions .* --requirements FILE"):
        read_old(path, None, "ImportError: gone")


def test_missing_uv_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setattr("train.importing.older.shutil.which", lambda *_, **__: None)
    path = tmp_path / "old.txt"
    path.write_text("scikit-learn==1.2.2\n")
    with pytest.raises(TrainingError, match="python -m pip install uv"):
        read_old(tmp_path / "model.pkl", path, "")


@pytest.fixture(scope="module")
def load_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Callable[[object], Any]:
    """The same object in another process, here of the same interpreter."""
    process, path = Process(Path(sys.executable)), tmp_path_factory.mktemp("elsewhere") / "model.pkl"

    def load(value: object) -> Any:
        path.write_bytes(pickle.dumps(value))
        return process.load(path)

    return load


def test_remote_pipeline_is_described_and_asked(
    pipeline: Pipeline, table: pd.DataFrame, load_elsewhere: Callable[[object], Any]
) -> None:
    """The description reads the other process's attributes; tables of applicants travel there."""
    remote = load_elsewhere(pipeline)
    assert type(remote).__name__ == "Pipeline"
    assert not isinstance(remote, Pipeline)
    described = describe(remote)
    applicants = np.column_stack([table["income"], table["home"] == "rent"]).astype(np.float64)
    expected = pipeline.predict_proba(table[["income", "home"]])[:, 1]
    np.testing.assert_array_equal(described.ask(applicants), expected)
    np.testing.assert_allclose(described.probability(applicants), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("model", [RandomForestClassifier(5), HistGradientBoostingClassifier(max_iter=5)])
def test_remote_trees(model: Any, table: pd.DataFrame, load_elsewhere: Callable[[object], Any]) -> None:
    """Structured arrays and objects of Cython are read too."""
    remote = load_elsewhere(model.fit(table[["income"]], table["default"]))
    described = describe(remote)
    applicants = table[["income"]].to_numpy()
    np.testing.assert_allclose(described.probability(applicants), described.ask(applicants), atol=1e-12, rtol=0)


def test_remote_bundle(table: pd.DataFrame, load_elsewhere: Callable[[object], Any]) -> None:
    """Dicts and lists come as such; a pipeline of remote steps predicts."""
    X, y = table[["income"]].to_numpy(), table["default"]
    scaler = StandardScaler().fit(X)
    model = LogisticRegression().fit(scaler.transform(X), y)
    remote = load_elsewhere({"model": model, "scaler": scaler, "threshold": 0.4})
    bundle = open_bundle({"pipeline": remote})
    assert bundle.threshold == 0.4
    np.testing.assert_array_equal(describe(bundle.fitted).ask(X), model.predict_proba(scaler.transform(X))[:, 1])


def test_remote_errors_are_raised_here(pipeline: Pipeline, load_elsewhere: Callable[[object], Any]) -> None:
    """Of the same kind, so that attributes that an object doesn't have are absent here too."""
    remote = load_elsewhere(pipeline)
    assert not hasattr(remote, "no_such_attribute")
    with pytest.raises(ValueError, match="7 features"):
        remote.predict_proba(np.zeros((1, 7)))


class TellsEnvironment:
    """Loading it tells the names of the environment variables, and whether another host is reached."""

    def __reduce__(self) -> tuple[Any, ...]:
        program = (
            "{'names': sorted(__import__('os').environ), "
            "'interfaces': [name for _, name in __import__('socket').if_nameindex()]}"
        )
        return eval, (program,)


def test_process_has_minimal_variables_and_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without network only the loopback interface is there."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    monkeypatch.setenv("API_KEYS", "secret")
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(TellsEnvironment()))
    process = Process(Path(sys.executable))
    found = process.load(path)
    assert not {"HTTPS_PROXY", "API_KEYS"} & set(found["names"])
    if not process.has_network:
        assert found["interfaces"] == ["lo"]


class EndsProcess:
    """Loading it ends the process."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (3,)


def test_process_that_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its exit code and the next step."""
    monkeypatch.setattr(older, "build_environment", lambda *_: Path(sys.executable))
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(EndsProcess()))
    requirements = tmp_path / "old.txt"
    requirements.write_text("scikit-learn==1.2.2\n")
    with pytest.raises(TrainingError, match=r"ended with code 3.*--requirements FILE"):
        read_old(path, requirements, "ImportError: gone")
