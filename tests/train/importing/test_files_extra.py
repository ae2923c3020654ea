"""Reading the files of boosting libraries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from train.__main__ import main
from train.card import read_card
from train.errors import TrainingError
from train.importing.files import read_model_file
from train.readers.describe import describe

lightgbm = pytest.importorskip("lightgbm")
xgboost = pytest.importorskip("xgboost")
catboost = pytest.importorskip("catboost")

X = np.random.default_rng(0).normal(size=(200, 2))
Y = (X[:, 0] > 0.3).astype(int)
LIGHTGBM = lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(X, Y)
XGBOOST = xgboost.XGBClassifier(n_estimators=3).fit(X, Y)
CATBOOST = catboost.CatBoostClassifier(iterations=3, verbose=False, allow_writing_files=False).fit(X, Y)

WRITERS: dict[str, tuple[Any, Callable[[Path], object]]] = {
    "LightGBM's text": (LIGHTGBM, lambda path: LIGHTGBM.booster_.save_model(path)),
    "XGBoost's json": (XGBOOST, lambda path: XGBOOST.save_model(path.with_suffix(".json"))),
    "CatBoost's cbm": (CATBOOST, lambda path: CATBOOST.save_model(str(path))),
    "CatBoost's json": (CATBOOST, lambda path: CATBOOST.save_model(str(path), format="json")),
    "skops of LightGBM": (LIGHTGBM, lambda path: skops.io.dump(LIGHTGBM, path)),
    "skops of XGBoost": (XGBOOST, lambda path: skops.io.dump(XGBOOST, path)),
    "skops of CatBoost": (CATBOOST, lambda path: skops.io.dump(CATBOOST, path)),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_boosters_file_needs_no_trust_and_is_described_as_the_model(kind: str, tmp_path: Path) -> None:
    """Whatever its name."""
    model, write = WRITERS[kind]
    path = tmp_path / "model.bin"
    write(path)
    (written,) = tmp_path.iterdir()

    described = describe(read_model_file(written.rename(path), is_trusted=False).fitted)

    expected = model.predict_proba(X)[:, 1]
    np.testing.assert_allclose(described.probability(X), expected, rtol=0, atol=1e-12 if model is not XGBOOST else 1e-6)


@pytest.mark.parametrize("suffix", [".json", ".ubj"])
@pytest.mark.parametrize("source", [XGBOOST, XGBOOST.get_booster()], ids=["classifier", "booster"])
def test_both_formats_of_xgboost_are_read(source: Any, suffix: str, tmp_path: Path) -> None:
    """Of the classifier and of its booster."""
    path = tmp_path / f"model{suffix}"
    source.save_model(path)

    fitted = read_model_file(path, is_trusted=False).fitted

    np.testing.assert_array_equal(fitted.predict_proba(X), XGBOOST.predict_proba(X))


class Own(lightgbm.LGBMClassifier):  # type: ignore[misc, name-defined]
    """A class of the user's own."""


def test_other_types_in_a_skops_file_need_trust(tmp_path: Path) -> None:
    """They are named."""
    skops.io.dump(Own(n_estimators=1, verbose=-1).fit(X, Y), tmp_path / "model.skops")

    with pytest.raises(TrainingError, match=r"holds types that aren't known to be harmless: .*Own; if you trust"):
        read_model_file(tmp_path / "model.skops", is_trusted=False)


@pytest.mark.parametrize("content", [b"tree\nversion=v4\n", b"CBM1broken", b'{"learner": {}}', b"{L\x00\x00"])
def test_a_damaged_file_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    """Whatever the library raises."""
    (tmp_path / "model").write_bytes(content)

    with pytest.raises(TrainingError, match="can't be read as a fitted model"):
        read_model_file(tmp_path / "model", is_trusted=False)


def test_bounds_of_lightgbm_are_those_of_its_training_rows(tmp_path: Path) -> None:
    """Its file keeps them, and names; big trees need no reference."""
    noise = np.random.default_rng(1).normal(size=len(X))
    fitted = lightgbm.LGBMClassifier(n_estimators=9, min_child_samples=3, verbose=-1).fit(X, X[:, 0] + noise > 0)
    joblib.dump(fitted, tmp_path / "model.pkl")

    options = ["--threshold", "0.4", "--out", str(tmp_path)]
    assert main(["import", "--pipeline", str(tmp_path / "model.pkl"), "--trust", *options]) == 0

    fields = read_card(tmp_path / "imported.toml").inputs
    for field, column in zip(fields.values(), X.T, strict=True):
        assert field.minimum is not None
        assert field.maximum is not None
        assert field.minimum <= column.min() <= column.max() <= field.maximum


def test_an_imbalanced_pipeline_is_read_with_its_resampling_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its sampler does nothing to an applicant."""
    make_pipeline = pytest.importorskip("imblearn.pipeline").make_pipeline
    smote = pytest.importorskip("imblearn.over_sampling").SMOTE(random_state=0)

    steps = make_pipeline(StandardScaler(), smote, LogisticRegression())
    joblib.dump(steps.fit(X, Y), tmp_path / "model.pkl")

    options = ["--threshold", "0.4", "--out", str(tmp_path)]
    assert main(["import", "--pipeline", str(tmp_path / "model.pkl"), "--trust", *options]) == 0

    assert "no default rates (resampling with SMOTE)" in capsys.readouterr().out
