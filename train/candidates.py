"""The models that are tried: each a name and how its pipeline is built. Add one here and it takes part."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from train.card import CardField
from train.errors import TrainingError

DIRECTION = {"increases": 1, "decreases": -1, None: 0}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to try: `build` makes its unfitted pipeline for the fields, in the order of the columns of X.

    An optional one needs a library of requirements-boosters.txt and is tried only when named.
    """

    name: str
    title: str
    build: Callable[[list[CardField], int], Pipeline]
    is_optional: bool = False


def build_logistic(fields: list[CardField], seed: int) -> Pipeline:
    """Median imputation, StandardScaler, one-hot, logistic regression."""
    numbers = Pipeline(
        [("impute", SimpleImputer(strategy="median", keep_empty_features=True)), ("scale", StandardScaler())]
    )
    return Pipeline(
        [
            ("preprocess", _by_kind(fields, numbers)),
            ("classify", LogisticRegression(C=1.0, max_iter=2000, random_state=seed)),
        ]
    )


def build_boosting(fields: list[CardField], seed: int) -> Pipeline:
    """One-hot, gradient boosting of trees with at most 8 leaves, monotonic where the card knows the direction.

    Numbers go in as they are: a tree asks only for order, sends a missing value its own way, and its
    splits stay readable in the field's unit. Slow learning, few columns a split and L2 keep 300 small
    trees from learning noise. No class weights: probabilities stay probabilities.
    """
    classifier = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=300,
        max_leaf_nodes=8,
        min_samples_leaf=20,
        max_features=0.3,
        l2_regularization=20.0,
        monotonic_cst=_directions(fields),
        early_stopping=False,
        random_state=seed,
    )
    return _with_one_hot(fields, classifier)


def build_lightgbm(fields: list[CardField], seed: int) -> Pipeline:
    """LightGBM with the settings of `build_boosting`."""
    classifier = _load("lightgbm").LGBMClassifier(
        learning_rate=0.05,
        n_estimators=300,
        num_leaves=8,
        min_child_samples=20,
        colsample_bytree=0.3,
        reg_lambda=20.0,
        monotone_constraints=_directions(fields),
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_col_wise=True,
        verbosity=-1,
    )
    return _with_one_hot(fields, classifier)


def build_xgboost(fields: list[CardField], seed: int) -> Pipeline:
    """XGBoost with the settings of `build_boosting`."""
    classifier = _load("xgboost").XGBClassifier(
        learning_rate=0.05,
        n_estimators=300,
        max_leaves=8,
        max_depth=0,
        grow_policy="lossguide",
        tree_method="hist",
        min_child_weight=5.0,
        colsample_bynode=0.3,
        reg_lambda=5.0,
        monotone_constraints=tuple(_directions(fields)),
        random_state=seed,
        n_jobs=1,
    )
    return _with_one_hot(fields, classifier)


def build_catboost(fields: list[CardField], seed: int) -> Pipeline:
    """CatBoost: symmetric trees of depth 3, 8 leaves each."""
    classifier = _load("catboost").CatBoostClassifier(
        learning_rate=0.05,
        iterations=600,
        depth=3,
        rsm=0.3,
        l2_leaf_reg=5.0,
        monotone_constraints=_directions(fields),
        random_seed=seed,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )
    return _with_one_hot(fields, classifier)


CANDIDATES = {
    candidate.name: candidate
    for candidate in (
        Candidate("logistic", "Logistic regression", build_logistic),
        Candidate("boosting", "Boosting, 8 leaves", build_boosting),
        Candidate("lightgbm", "LightGBM, 8 leaves", build_lightgbm, is_optional=True),
        Candidate("xgboost", "XGBoost, 8 leaves", build_xgboost, is_optional=True),
        Candidate("catboost", "CatBoost, depth 3", build_catboost, is_optional=True),
    )
}


def _by_kind(fields: list[CardField], numbers: Pipeline | str) -> ColumnTransformer:
    """Numbers first, then the one-hot columns of each category, in the order of the fields."""
    columns = {kind: [i for i, field in enumerate(fields) if field.kind == kind] for kind in ("number", "category")}
    one_hot = OneHotEncoder(categories=_levels(fields), handle_unknown="ignore", sparse_output=False)
    parts = [("numbers", numbers, columns["number"]), ("categories", one_hot, columns["category"])]
    return ColumnTransformer([part for part in parts if part[2]])


def _with_one_hot(fields: list[CardField], classifier: Any) -> Pipeline:
    return Pipeline([("preprocess", _by_kind(fields, "passthrough")), ("classify", classifier)])


def _directions(fields: list[CardField]) -> list[int]:
    """The monotonic direction of each encoded column: numbers as the card says, one-hot columns free."""
    numbers = [DIRECTION[field.risk] for field in fields if field.kind == "number"]
    return numbers + [0] * sum(len(levels) for levels in _levels(fields))


def _load(library: str) -> Any:
    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise TrainingError(
            f"{library} isn't installed; install it with: python -m pip install -r requirements-boosters.txt"
        ) from error


def _levels(fields: list[CardField]) -> list[np.ndarray]:
    """Of each category the indices of its levels, and NaN where it may be missing: that is a level too."""
    return [
        np.append(np.arange(len(field.levels), dtype=np.float64), [np.nan] if field.nullable else [])
        for field in fields
        if field.kind == "category"
    ]
