"""Class weights of other libraries: found, and corrected exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from train.importing.files import read_model_file
from train.importing.weights import Reweighting, find_reweighting

lightgbm = pytest.importorskip("lightgbm")
xgboost = pytest.importorskip("xgboost")
catboost = pytest.importorskip("catboost")

X = np.random.default_rng(0).normal(size=(200, 2))
Y = (X[:, 0] > 0.8).astype(int)
LIGHTGBM = {"n_estimators": 3, "verbose": -1}
CATBOOST = {"iterations": 3, "verbose": False, "allow_writing_files": False}


@pytest.mark.parametrize(
    ("classifier", "what", "factor", "odds"),
    [
        (lightgbm.LGBMClassifier(**LIGHTGBM, class_weight="balanced"), "class_weight='balanced'", None, 1.0),
        (lightgbm.LGBMClassifier(**LIGHTGBM, is_unbalance=True), "is_unbalance", None, 1.0),
        (lightgbm.LGBMClassifier(**LIGHTGBM, scale_pos_weight=3.5), "scale_pos_weight=3.5", 3.5, None),
        (xgboost.XGBClassifier(n_estimators=3, scale_pos_weight=3.5), "scale_pos_weight=3.5", 3.5, None),
        (catboost.CatBoostClassifier(**CATBOOST, scale_pos_weight=2), "scale_pos_weight=2", 2.0, None),
        (catboost.CatBoostClassifier(**CATBOOST, class_weights=[1, 4]), r"class_weights=[1, 4]", 4.0, None),
        (
            catboost.CatBoostClassifier(**CATBOOST, auto_class_weights="Balanced"),
            "auto_class_weights='Balanced'",
            None,
            1.0,
        ),
    ],
)
def test_weights_of_boosters_are_found(classifier: Any, what: str, factor: float | None, odds: float | None) -> None:
    """As their classes keep them."""
    found = find_reweighting(classifier.fit(X, Y))

    assert found == (Reweighting(f"{what} of its {type(classifier).__name__}", factor, odds),)


def test_weights_of_reloaded_files_are_found(tmp_path: Path) -> None:
    """The parameters are in the files too."""
    lightgbm.LGBMClassifier(**LIGHTGBM, is_unbalance=True).fit(X, Y).booster_.save_model(tmp_path / "l.txt")
    xgboost.XGBClassifier(n_estimators=3, scale_pos_weight=3.5).fit(X, Y).save_model(tmp_path / "x.json")
    catboost.CatBoostClassifier(**CATBOOST, auto_class_weights="Balanced").fit(X, Y).save_model(str(tmp_path / "c.cbm"))

    found = [
        find_reweighting(read_model_file(tmp_path / name, is_trusted=False).fitted)
        for name in ("l.txt", "x.json", "c.cbm")
    ]

    assert [(one.factor, one.odds) for (one,) in found] == [(None, 1.0), (3.5, None), (None, 1.0)]


def test_resampling_is_found() -> None:
    """Samplers that make both classes equal tell the share, others don't."""
    make_pipeline = pytest.importorskip("imblearn.pipeline").make_pipeline
    make_smote = pytest.importorskip("imblearn.over_sampling").SMOTE
    make_cleaned = pytest.importorskip("imblearn.combine").SMOTETomek

    def fit(sampler: Any) -> Any:
        return make_pipeline(sampler, LogisticRegression()).fit(X, Y)

    assert find_reweighting(fit(make_smote())) == (Reweighting("resampling with SMOTE", odds=1.0),)
    assert find_reweighting(fit(make_smote(sampling_strategy=0.5))) == (Reweighting("resampling with SMOTE"),)
    assert find_reweighting(fit(make_cleaned())) == (Reweighting("resampling with SMOTETomek"),)
