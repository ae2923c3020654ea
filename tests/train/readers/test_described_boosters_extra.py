"""Whole models of boosting libraries: their descriptions give the library's own probabilities, whatever was fitted."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from train.dataset import Matrix
from train.export.paths import expected_value
from train.fitted.model import FittedModel
from train.fitted.trees import Trees, collect_splits
from train.readers.describe import describe

# By name: what types they ship are not strict.
catboost: Any = importlib.import_module("catboost")
lightgbm: Any = importlib.import_module("lightgbm")
xgboost: Any = importlib.import_module("xgboost")

ROUNDING = {"xgboost": 2e-6, "lightgbm": 1e-12, "catboost": 1e-12}
QUIET = {"n_estimators": 12, "n_jobs": 1}
SMALL = {**QUIET, "verbose": -1, "min_child_samples": 5, "cat_smooth": 1.0, "min_data_per_group": 5}
WORDS = np.array(["owner", "rent", "parents", "other"])
N = 500


def draw(seed: int = 0) -> tuple[pd.DataFrame, Any]:
    """Two columns of numbers, one of words and one of numbers as categories, with gaps; and the outcome."""
    random = np.random.default_rng(seed)
    amount, age = random.normal(size=N).round(1), random.normal(size=N)
    home, terms = random.integers(0, 4, N), random.choice([3, 5, 7, 40], N)
    y = amount + (home == 1) + (terms == 5) - (terms == 40) + random.normal(size=N) > 0.5
    amount[random.random(N) < 0.1] = np.nan
    table = pd.DataFrame({"amount": amount, "home": pd.Categorical(WORDS[home]), "terms": terms, "age": age})
    table.loc[random.random(N) < 0.1, "home"] = np.nan
    return table.assign(terms=pd.Categorical(table["terms"])), y.astype(int)


def as_matrix(table: pd.DataFrame) -> Matrix:
    """The same as numbers: the words' codes, the numbers themselves."""
    codes = table["home"].cat.codes.where(lambda code: code >= 0)
    return np.column_stack([table["amount"], codes, table["terms"].astype(float), table["age"]]).astype(float)


def draw_applicants(described: FittedModel, seed: int) -> Matrix:
    """Every level, gaps, numbers on and beside every split, and numbers that are no whole ones."""
    random = np.random.default_rng(seed)
    columns = []
    for number, one in enumerate(described.inputs):
        numbers = [
            -1.0,
            -0.5,
            -1e-300,
            -0.0,
            0.3,
            2.9999999999,
            1e15,
            1.0,
            2.7,
            3.0,
            5.0,
            5.5,
            7.0,
            8.0,
            40.0,
            1e-40,
            1e6,
        ]
        for member in described.members:
            assert isinstance(member.function, Trees)
            at = [split.threshold for split in collect_splits(member.function) if split.column == number]
            numbers += [value for t in at for value in (t, math.nextafter(t, -math.inf), math.nextafter(t, math.inf))]
        choices = list(range(len(one.levels) + one.is_open)) if one.levels else numbers
        drawn = random.choice(np.array([value for value in choices if abs(value) < 1e30], dtype=np.float64), 2_000)
        drawn[random.random(2_000) < 0.1 * one.nullable] = np.nan
        columns.append(drawn)
    return np.column_stack(columns)


def check(model: Any, library: str) -> FittedModel:
    """Compare the description's probabilities with the library's; every split must know its share of training rows."""
    described = describe(model)
    applicants = draw_applicants(described, 1)
    expected = described.ask(applicants)
    np.testing.assert_allclose(described.probability(applicants), expected, rtol=0, atol=ROUNDING[library])
    turned = describe(model, default=0)
    np.testing.assert_allclose(turned.probability(applicants), 1 - expected, rtol=0, atol=ROUNDING[library])
    function = described.members[0].function
    assert isinstance(function, Trees)
    assert all(0 <= split.true_share <= 1 for split in collect_splits(function))
    return described


BOTH = pytest.mark.parametrize("is_table", [True, False])


@BOTH
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"num_leaves": 200, "min_child_samples": 1},
        {"boosting_type": "rf", "subsample": 0.7, "subsample_freq": 1},
        {"boosting_type": "dart", "drop_rate": 0.5},
        {"zero_as_missing": True},
        {"use_missing": False},
        {"sigmoid": 1.7},
        {"objective": "cross_entropy"},
        {"max_cat_to_onehot": 1},
    ],
)
def test_lightgbm_with_native_categories(params: dict[str, Any], is_table: bool) -> None:
    """As pandas' category type, with levels it doesn't know, or as numbers, which it cuts to whole ones."""
    table, y = draw()
    model = lightgbm.LGBMClassifier(**{**SMALL, **params})
    if is_table:
        described = check(model.fit(table, y), "lightgbm")
        assert described.inputs[1].levels == tuple(sorted(WORDS))
        assert described.inputs[2].levels == (3, 5, 7, 40)
    else:
        described = check(model.fit(as_matrix(table), y, categorical_feature=[1, 2]), "lightgbm")
        assert not any(one.levels for one in described.inputs)
    assert all(one.nullable for one in described.inputs)


@BOTH
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"max_cat_to_onehot": 1},
        {"booster": "dart", "rate_drop": 0.5, "one_drop": True, "verbosity": 0},
        {"grow_policy": "lossguide", "max_leaves": 31, "max_depth": 0},
    ],
)
def test_xgboost_with_native_categories(params: dict[str, Any], is_table: bool) -> None:
    """Words are kept in the model; the numbers of a matrix are cut to whole ones."""
    table, y = draw()
    types = None if is_table else ["q", "c", "c", "q"]
    model = xgboost.XGBClassifier(**QUIET, enable_categorical=True, feature_types=types, **params)
    described = check(model.fit(table if is_table else as_matrix(table), y), "xgboost")
    assert described.inputs[1].levels == (tuple(sorted(WORDS)) if is_table else ())


def test_xgboost_words_beyond_ascii_are_refused() -> None:
    """Of these words it stores only the beginning."""
    table, y = draw()
    table["home"] = table["home"].cat.rename_categories({"rent": "Miete für alle"})
    model = xgboost.XGBClassifier(**QUIET, enable_categorical=True).fit(table, y)
    with pytest.raises(ValueError, match="keeps only a part of words with letters beyond ASCII"):
        describe(model)


@pytest.mark.parametrize("missing", [-1.0, 0.0, 3.0, 0.1])
def test_xgboost_with_another_number_for_missing(missing: float) -> None:
    """Every float64 that equals it in float32 is missing; so is NaN."""
    table, y = draw()
    rows = as_matrix(table)
    described = check(xgboost.XGBClassifier(**QUIET, missing=missing).fit(rows, y), "xgboost")
    near = np.float32(missing)
    halves = [(float(near) + float(np.nextafter(near, np.float32(way)))) / 2 for way in (-np.inf, np.inf)]
    beside = [math.nextafter(half, way) for half in halves for way in (-math.inf, math.inf)]
    applicants = np.tile(rows[:1], (len(beside) + len(halves), 1))
    for column in range(4):
        applicants[:, column] = [*beside, *halves]
        expected = described.ask(applicants)
        np.testing.assert_allclose(described.probability(applicants), expected, rtol=0, atol=ROUNDING["xgboost"])


def test_boosters_without_their_classifier(tmp_path: Path) -> None:
    """As training functions return them and as files hold them."""
    table, y = draw()
    data = lightgbm.Dataset(table, y)
    booster = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 8)
    booster.save_model(tmp_path / "model.txt")
    for one in (booster, lightgbm.Booster(model_file=tmp_path / "model.txt")):
        assert [field.name for field in check(one, "lightgbm").inputs] == list(table.columns)

    frame = xgboost.DMatrix(table, y, enable_categorical=True)
    trained = xgboost.train({"objective": "binary:logistic", "nthread": 1}, frame, 8)
    trained.save_model(tmp_path / "model.ubj")
    for one in (trained, xgboost.Booster(model_file=tmp_path / "model.ubj")):
        assert [field.name for field in check(one, "xgboost").inputs] == list(table.columns)
    classifier = xgboost.XGBClassifier()
    classifier.load_model(tmp_path / "model.ubj")
    check(classifier, "xgboost")
    check(xgboost.XGBRFClassifier(**QUIET).fit(as_matrix(table), y), "xgboost")


def test_catboost_read_from_a_file(tmp_path: Path) -> None:
    """It has forgotten how many columns it takes; their names are still there."""
    table, y = draw()
    numbers = pd.DataFrame(as_matrix(table), columns=table.columns)
    model = catboost.CatBoostClassifier(iterations=8, depth=3, thread_count=1, verbose=False, allow_writing_files=False)
    model.fit(numbers, y).save_model(str(tmp_path / "model.cbm"))
    for kind in (catboost.CatBoostClassifier, catboost.CatBoost):
        loaded = kind()
        loaded.load_model(str(tmp_path / "model.cbm"))
        assert [field.name for field in check(loaded, "catboost").inputs] == list(table.columns)
    grown = catboost.CatBoostClassifier(iterations=8, grow_policy="Lossguide", verbose=False, allow_writing_files=False)
    check(grown.fit(as_matrix(table), y), "catboost")


def test_shares_of_training_rows_give_the_libraries_own_expected_value() -> None:
    """What their path-dependent contributions add up from: the last column."""
    table, y = draw()
    rows = as_matrix(table)
    boosting = lightgbm.LGBMClassifier(**SMALL, zero_as_missing=True).fit(rows, y, categorical_feature=[1, 2])
    xgb = xgboost.XGBClassifier(**QUIET, enable_categorical=True, feature_types=["q", "c", "c", "q"]).fit(rows, y)
    frame = xgboost.DMatrix(rows[:1], feature_types=["q", "c", "c", "q"], enable_categorical=True)
    cat = catboost.CatBoostClassifier(iterations=8, depth=3, verbose=False, allow_writing_files=False).fit(rows, y)
    expected = [
        (boosting, boosting.predict(rows[:1], pred_contrib=True)[0, -1]),
        (xgb, xgb.get_booster().predict(frame, pred_contribs=True)[0, -1]),
        (cat, cat.get_feature_importance(catboost.Pool(rows, y), type="ShapValues")[0, -1]),
    ]
    for model, value in expected:
        function = describe(model).members[0].function
        assert isinstance(function, Trees)
        assert expected_value(function.divided()) == pytest.approx(value, abs=1e-6)
