"""Trees of boosting libraries: any float64 reaches the same leaf as in the library, in every tree.

The leaf values are replaced by leaf numbers in the library's model, so that leaves of equal value are distinguished.
"""

from __future__ import annotations

import importlib
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.train.readers.trees_of import trees_of
from train.dataset import Matrix
from train.export.trees import Split, Trees, collect_splits
from train.readers.float32 import largest_below, largest_not_above
from train.readers.lightgbm import ZERO

# By name: what types they ship are not strict.
catboost: Any = importlib.import_module("catboost")
lightgbm: Any = importlib.import_module("lightgbm")
xgboost: Any = importlib.import_module("xgboost")

Leaves = npt.NDArray[np.int64]

FLOAT64_ROUNDING = 1e-12
FLOAT32_ROUNDING = 2e-6
"""Rounding of a probability whose log-odds are summed in float32."""

LARGEST_FLOAT32 = float(np.finfo(np.float32).max)


def build_xgboost(**params: Any) -> Any:
    """Boosting of 8-leaf trees, grown leaf-wise."""
    defaults = {"n_estimators": 6, "max_leaves": 8, "max_depth": 0, "grow_policy": "lossguide", "learning_rate": 0.3}
    return xgboost.XGBClassifier(**{**defaults, "min_child_weight": 0.1, "n_jobs": 1, **params})


def build_lightgbm(**params: Any) -> Any:
    """Boosting of 8-leaf trees."""
    defaults = {"n_estimators": 6, "num_leaves": 8, "min_child_samples": 5, "n_jobs": 1, "verbose": -1}
    return lightgbm.LGBMClassifier(**{**defaults, **params})


def build_catboost(**params: Any) -> Any:
    """Boosting of symmetric trees with three splits."""
    quiet = {"thread_count": 1, "verbose": False, "allow_writing_files": False}
    return catboost.CatBoostClassifier(**{"iterations": 6, "depth": 3, **quiet, **params})


def number_xgboost(model: Any) -> None:
    """Replace the value of each leaf by the number of its node."""
    dump = json.loads(model.get_booster().save_raw("json"))
    for tree in dump["learner"]["gradient_booster"]["model"]["trees"]:
        for index, left in enumerate(tree["left_children"]):
            if left == -1:
                tree["split_conditions"][index] = float(index)
    model.get_booster().load_model(bytearray(json.dumps(dump), "utf-8"))


def number_lightgbm(model: Any) -> None:
    """Replace the value of each leaf by its number."""
    for tree, tree_info in enumerate(model.booster_.dump_model(num_iteration=-1)["tree_info"]):
        for leaf in range(tree_info["num_leaves"]):
            model.booster_.set_leaf_output(tree, leaf, float(leaf))


def number_catboost(model: Any) -> None:
    """Replace the value of each leaf by its number within its tree."""
    model.set_leaf_values(np.concatenate([np.arange(float(leaves)) for leaves in model.get_tree_leaf_counts()]))
    model.set_scale_and_bias(1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Library:
    """Functions of a library; `tolerance` is the rounding of its own probability."""

    build: Callable[..., Any]
    read: Callable[[Any], Trees]
    number: Callable[[Any], None]
    find_leaves: Callable[[Any, Matrix], Any]
    tolerance: float
    largest: float
    """The largest number that `find_leaves` accepts."""


LIBRARIES = {
    "xgboost": Library(
        build_xgboost,
        trees_of,
        number_xgboost,
        lambda model, rows: model.apply(rows),
        FLOAT32_ROUNDING,
        LARGEST_FLOAT32,
    ),
    "lightgbm": Library(
        build_lightgbm,
        trees_of,
        number_lightgbm,
        lambda model, rows: model.predict(rows, pred_leaf=True),
        FLOAT64_ROUNDING,
        math.inf,
    ),
    "catboost": Library(
        build_catboost,
        trees_of,
        number_catboost,
        lambda model, rows: model.calc_leaf_indexes(rows),
        FLOAT64_ROUNDING,
        math.inf,
    ),
}

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("xgboost", {}),
    ("xgboost", {"tree_method": "exact", "grow_policy": "depthwise", "max_leaves": 0, "max_depth": 3}),
    ("xgboost", {"tree_method": "approx", "num_parallel_tree": 2, "subsample": 0.7, "base_score": 0.2}),
    ("lightgbm", {}),
    ("lightgbm", {"zero_as_missing": True}),
    ("lightgbm", {"use_missing": False}),
    ("lightgbm", {"boosting_type": "dart", "drop_rate": 0.5, "boost_from_average": False}),
    ("lightgbm", {"extra_trees": True, "is_unbalance": True}),
    ("catboost", {"nan_mode": "Min"}),
    ("catboost", {"nan_mode": "Max", "boost_from_average": True}),
    ("catboost", {"grow_policy": "Lossguide", "max_leaves": 8}),
    ("catboost", {"grow_policy": "Depthwise", "model_shrink_rate": 0.1}),
]


def draw(seed: int, missing_share: float, rows: int = 200) -> Matrix:
    """Duplicates, zeros of both signs, denormals of float32, and numbers close to its largest."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, 4)).round(1)
    X[:, 2] *= 1e-40
    X[:, 3] = np.clip(8e37 * X[:, 3], -3e38, 3e38)
    X[random.random(X.shape) < 0.1] = -0.0
    X[random.random(X.shape) < missing_share] = np.nan
    return X


def outcome(X: Matrix, seed: int) -> Leaves:
    """Depends on every column, and on which values are missing."""
    signal = np.where(np.isnan(X), 0.7, np.sign(X)) @ [1.0, -0.5, 1.0, 0.5]
    noise = np.random.default_rng(seed).normal(size=len(X))
    return np.asarray(signal + noise > np.median(signal), np.int64)


def hard_rows(trees: Trees, X: Matrix, largest: float, seed: int) -> Matrix:
    """Real rows with one number replaced: on a split, one ulp of float64 or float32 beside it, or extreme."""
    cases: set[tuple[int, float]] = set()
    extremes = [0.0, 5e-324, 1e-300, 1e-45, 1e-40, 1e-36, 1.0, 1e38, LARGEST_FLOAT32, 1e39, 1e300, 2e300, math.inf]
    for column in range(X.shape[1]):
        for value in (*extremes, ZERO, math.nextafter(ZERO, 0), math.nextafter(ZERO, 1)):
            cases |= {(column, value), (column, -value)}
    for split in collect_splits(trees):
        near = np.float32(np.clip(split.threshold, -LARGEST_FLOAT32, LARGEST_FLOAT32))
        with np.errstate(over="ignore"):
            beside = [float(np.nextafter(near, np.float32(way))) for way in (-math.inf, math.inf)]
        halves = [(value + float(near)) / 2 for value in beside]
        for at in (split.threshold, float(near), *beside, *halves):
            cases |= {
                (split.column, value) for value in (math.nextafter(at, -math.inf), at, math.nextafter(at, math.inf))
            }
    chosen = [case for case in sorted(cases) if abs(case[1]) <= largest]
    rows = X[np.random.default_rng(seed).integers(0, len(X), 3 * len(chosen))]
    for row, (column, value) in zip(rows, 3 * chosen, strict=True):
        row[column] = value
    return np.vstack([X, rows, np.full((1, X.shape[1]), np.nan)])


def walk(trees: Trees, rows: Matrix) -> Matrix:
    """The value of the leaf that each row reaches in each tree, shape (m, n_trees)."""
    return np.column_stack([Trees(0.0, (tree,)).log_odds(rows) for tree in trees.trees])


def check(library: Library, model: Any, X: Matrix, seed: int) -> Trees:
    """Compare leaves, log-odds and probability with the library's; returns the trees."""
    trees = library.read(model)
    rows = hard_rows(trees, X, library.largest, seed)
    log_odds = trees.log_odds(rows)
    leaves = walk(trees, rows)
    probability = model.predict_proba(rows)[:, 1]

    np.testing.assert_allclose(probability, 1 / (1 + np.exp(-log_odds)), rtol=0, atol=library.tolerance)
    exact = [math.fsum([trees.base, *row]) for row in leaves.tolist()]
    np.testing.assert_allclose(exact, log_odds, rtol=0, atol=FLOAT64_ROUNDING)

    expected = library.find_leaves(model, rows)
    library.number(model)
    np.testing.assert_array_equal(expected.reshape(len(rows), -1), walk(library.read(model), rows))
    return trees


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), missing_share=st.sampled_from([0.0, 0.2, 0.6]))
@pytest.mark.parametrize(("name", "params"), VARIANTS)
def test_every_row_reaches_the_leaf_that_the_library_reaches(
    name: str, params: dict[str, Any], seed: int, missing_share: float
) -> None:
    """On and beside every split, at the limits of float32 and float64, with missing values seen in training or not."""
    X = draw(seed, missing_share)
    model = LIBRARIES[name].build(**params).fit(X, outcome(X, seed))
    rows = np.vstack([X[:150], draw(seed + 1, 0.3, 50)])

    assert collect_splits(check(LIBRARIES[name], model, rows, seed))


@pytest.mark.parametrize(
    ("name", "params", "fit"),
    [
        ("xgboost", {"early_stopping_rounds": 3, "num_parallel_tree": 2, "subsample": 0.7}, {"verbose": False}),
        ("lightgbm", {"metric": "binary_logloss"}, {"callbacks": [lightgbm.early_stopping(3, verbose=False)]}),
        ("catboost", {"early_stopping_rounds": 3}, {}),
    ],
)
def test_trees_after_the_best_iteration_are_left_out(name: str, params: dict[str, Any], fit: dict[str, Any]) -> None:
    """`predict_proba` leaves them out of its sum too."""
    X = draw(1, 0.2, 400)
    y = outcome(X, 1)
    count = "iterations" if name == "catboost" else "n_estimators"
    model = LIBRARIES[name].build(**{count: 200}, **params)
    held_out = (
        {"eval_X": (X[200:],), "eval_y": (y[200:],)} if name == "lightgbm" else {"eval_set": [(X[200:], y[200:])]}
    )
    model.fit(X[:200], y[:200], **held_out, **fit)

    trees = check(LIBRARIES[name], model, X[:100], 1)

    assert 0 < len(trees.trees) < 200


@pytest.mark.parametrize(
    ("name", "params"),
    [("xgboost", {}), ("lightgbm", {}), ("catboost", {"nan_mode": "Min"}), ("catboost", {"nan_mode": "Max"})],
)
def test_a_split_on_missing_values_alone(name: str, params: dict[str, Any]) -> None:
    """If only missing values matter, the threshold is infinity or the largest float32."""
    X = draw(2, 0.5)[:, [0, 3]]
    for missing_is_bad in (0, 1):
        model = LIBRARIES[name].build(**params).fit(X, np.isnan(X[:, 0]) == missing_is_bad)
        check(LIBRARIES[name], model, X, 2)


@pytest.mark.parametrize("name", ["xgboost", "lightgbm"])
def test_a_tree_without_splits_is_a_leaf(name: str) -> None:
    """Boosting without splits predicts the average log-odds."""
    X = draw(3, 0.0)
    params = {"gamma": 1e9} if name == "xgboost" else {"min_child_samples": 150}
    model = LIBRARIES[name].build(**params).fit(X, outcome(X, 3))

    trees = check(LIBRARIES[name], model, X, 3)

    assert not collect_splits(trees)


@given(split=st.floats(width=32, allow_nan=False, exclude_min=True, min_value=-math.inf))
def test_the_largest_number_that_rounds_below_a_split(split: float) -> None:
    """It rounds below the split, and the next float64 doesn't."""
    largest = largest_below(np.float32(split))

    with np.errstate(over="ignore"):
        assert np.float32(largest) < np.float32(split)
        assert not np.float32(math.nextafter(largest, math.inf)) < np.float32(split)


@given(threshold=st.floats(allow_nan=False, exclude_min=True, min_value=-math.inf))
def test_the_largest_number_that_rounds_not_above_a_threshold(threshold: float) -> None:
    """It doesn't round above the threshold, and the next float64 does."""
    largest = largest_not_above(threshold)

    with np.errstate(over="ignore"):
        assert float(np.float32(largest)) <= threshold
        assert largest == math.inf or float(np.float32(math.nextafter(largest, math.inf))) > threshold


@pytest.mark.parametrize("split", [0.0, -0.0, 1e-45, -1e-45, LARGEST_FLOAT32, -LARGEST_FLOAT32, math.inf])
def test_splits_at_the_limits_of_float32(split: float) -> None:
    """Zero of either sign, the smallest and the largest number, and infinity."""
    largest = largest_below(np.float32(split))

    with np.errstate(over="ignore"):
        assert np.float32(largest) < np.float32(split)
        assert not np.float32(math.nextafter(largest, math.inf)) < np.float32(split)


@pytest.mark.parametrize("tree_method", ["hist", "exact"])
def test_xgboost_takes_a_number_beyond_float32_for_infinity(tree_method: str) -> None:
    """`apply` refuses such numbers, `predict_proba` doesn't; the log-odds of each tree identify its leaf."""
    numbers = np.array([3e38, -3e38, np.nan, 1.0, 2.0, -3.4e38, 3.4e38])
    X = np.tile(numbers, 40).reshape(-1, 1)
    beyond = [
        1e39,
        1e300,
        math.inf,
        LARGEST_FLOAT32,
        2.0**128 - 2.0**103,
        math.nextafter(2.0**128 - 2.0**103, 0),
        np.nan,
    ]
    rows = np.array([*beyond, *(-value for value in beyond)]).reshape(-1, 1)
    thresholds = set()
    for y in (np.arange(280) % 7 == 2, np.arange(280) % 7 < 3, np.arange(280) % 7 % 2):
        model = build_xgboost(tree_method=tree_method, grow_policy="depthwise", max_leaves=0, max_depth=3).fit(X, y)
        trees = trees_of(model)
        thresholds |= {split.threshold for split in collect_splits(trees)}
        for index, leaves in enumerate(walk(trees, rows).T):
            margin = model.predict(rows, output_margin=True, iteration_range=(index, index + 1))
            np.testing.assert_array_equal(margin, np.float32(trees.base) + leaves.astype(np.float32))

    assert largest_below(np.float32(math.inf)) in thresholds
    assert tree_method == "hist" or math.inf in thresholds  # a split at −infinity, which only `exact` makes


@pytest.mark.parametrize("base_score", [None, 0.5, 0.1, 1e-20, 1e-6, 0.999, 0.9999999, 0.41666])
def test_the_log_odds_that_xgboost_starts_from(base_score: float | None) -> None:
    """The float32 logit of base_score, clipped as XGBoost clips it."""
    X = draw(4, 0.2)
    model = build_xgboost(n_estimators=1, learning_rate=0.0, base_score=base_score).fit(X, outcome(X, 4))

    assert model.predict(X[:1], output_margin=True).tolist() == [trees_of(model).base]


@pytest.mark.parametrize("threshold", [-1.0, -ZERO, -1e-36, -0.0, 0.0, 1e-40, ZERO, 1.0, 1e300, math.inf])
@pytest.mark.parametrize("decision_type", range(0, 12, 2))
def test_lightgbm_zeros_and_missing_values(decision_type: int, threshold: float) -> None:
    """Every missing type and default direction with every kind of threshold, for values around those taken as 0."""
    X = draw(5, 0.0)[:, :1]
    model = build_lightgbm(n_estimators=1, num_leaves=2).fit(X, X[:, 0] > 0)
    text = re.sub(r"tree_sizes=.*\n", "", model.booster_.model_to_string())
    text = re.sub(r"threshold=\S+", f"threshold={threshold!r}", text)
    text = re.sub(r"decision_type=\S+", f"decision_type={decision_type}", text)
    model._Booster = lightgbm.Booster(model_str=text)

    check(LIBRARIES["lightgbm"], model, np.array([[np.nan], [0.0], [2.0]]), 5)


def test_catboost_scale_and_bias() -> None:
    """They are part of the log-odds."""
    X = draw(6, 0.2)
    model = build_catboost().fit(X, outcome(X, 6))
    model.set_scale_and_bias(0.7, 0.3)

    check(LIBRARIES["catboost"], model, X, 6)


BINARY = draw(7, 0.0)
THREE = np.arange(len(BINARY)) % 3


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("xgboost", {"objective": "binary:hinge"}, "for binary:hinge can't be exported"),
        ("lightgbm", {"objective": "regression"}, "for regression can't be exported"),
        ("lightgbm", {"linear_tree": True}, "linear_tree can't be exported"),
        ("lightgbm", {"pred_early_stop": True}, "pred_early_stop can't be exported"),
    ],
)
def test_what_can_not_be_exact_is_refused(name: str, params: dict[str, Any], message: str) -> None:
    """The message says what to do instead."""
    X = np.abs(BINARY).round()
    model = LIBRARIES[name].build(**params).fit(X, outcome(BINARY, 7))

    with pytest.raises(ValueError, match=message):
        LIBRARIES[name].read(model)


@pytest.mark.parametrize("name", sorted(LIBRARIES))
def test_more_than_two_classes_are_refused(name: str) -> None:
    """The graph has one probability, of default."""
    model = LIBRARIES[name].build().fit(BINARY, THREE)

    with pytest.raises(ValueError, match="3 classes apart, expected two"):
        LIBRARIES[name].read(model)


@pytest.mark.filterwarnings("ignore:.*gblinear:UserWarning")  # deprecated since XGBoost 3.4
def test_a_linear_booster_of_xgboost_is_refused() -> None:
    """It has no trees."""
    model = xgboost.XGBClassifier(n_estimators=2, booster="gblinear", n_jobs=1, verbosity=0).fit(
        BINARY, outcome(BINARY, 7)
    )

    with pytest.raises(ValueError, match="booster=gblinear can't be exported; fit it with gbtree"):
        trees_of(model)


def test_native_categories_of_catboost_are_refused() -> None:
    """Category statistics are not an input of the graph."""
    X = np.random.default_rng(0).integers(0, 5, (200, 1)).astype(object)
    model = build_catboost(cat_features=[0]).fit(X, X[:, 0].astype(int) % 2)

    with pytest.raises(ValueError, match="with categorical_features"):
        trees_of(model)


def test_infinite_borders_of_catboost_are_refused() -> None:
    """CatBoost itself can't write them as JSON."""
    X = np.tile([-math.inf, -1.0, 1.0, math.inf], 50).reshape(-1, 1)
    model = build_catboost().fit(X, np.isinf(X[:, 0]))

    with pytest.raises(ValueError, match="fit it on finite numbers"):
        trees_of(model)


def test_the_usual_split_of_lightgbm_is_one_split() -> None:
    """It needs no extra split for values taken as 0."""
    X = draw(8, 0.2)[:, :2]
    model = build_lightgbm(n_estimators=1).fit(X, outcome(draw(8, 0.2), 8))
    trees = trees_of(model)

    assert all(isinstance(tree, Split) for tree in trees.trees)
    assert len(collect_splits(trees)) == model.booster_.dump_model()["tree_info"][0]["num_leaves"] - 1
