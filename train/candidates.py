"""The models that are tried, as data: estimator, default settings and the space that `--search` looks in.

Add a row to CANDIDATES and it takes part. Every model has at most 8 leaves a tree and 600 trees: more
leaves can't be explained exactly by a table in the graph, more trees make the file large and slow.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
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

Settings = dict[str, int | float]
"""Arguments of an estimator by name."""


@dataclass(frozen=True, slots=True)
class Span:
    """The values a setting may take, both ends included: whole numbers where both ends are; `log`: by their ratio."""

    low: int | float
    high: int | float
    log: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model to try.

    `preprocess` makes the unfitted step before the estimator, `estimator` the estimator with all that is
    never tuned; both get the fields in the order of the columns of X. Each name in `space` is one in
    `settings`, whose default lies within. A candidate that `requires` a library is tried only when named.
    """

    name: str
    title: str
    preprocess: Callable[[list[CardField]], Any]
    estimator: Callable[[list[CardField], int], Any]
    settings: Settings
    space: dict[str, Span] = field(default_factory=dict)
    requires: str = ""

    @property
    def is_optional(self) -> bool:
        """Whether it needs a library that `python -m train` itself doesn't."""
        return bool(self.requires)

    def build(self, fields: list[CardField], seed: int, settings: Settings | None = None) -> Pipeline:
        """Its unfitted pipeline; `settings` override the defaults.

        Raises TrainingError if its library isn't installed.
        """
        estimator = self.estimator(fields, seed).set_params(**self.settings | (settings or {}))
        return Pipeline([("preprocess", self.preprocess(fields)), ("classify", estimator)])


def scale_and_one_hot(fields: list[CardField]) -> ColumnTransformer:
    """For linear models: median imputation and StandardScaler, one-hot categories."""
    steps = [("impute", SimpleImputer(strategy="median", keep_empty_features=True)), ("scale", StandardScaler())]
    return _by_kind(fields, Pipeline(steps))


def one_hot(fields: list[CardField]) -> ColumnTransformer:
    """For trees: numbers as they are, one-hot categories.

    A tree asks only for order, sends a missing value its own way, and its splits stay readable in the
    field's unit.
    """
    return _by_kind(fields, "passthrough")


def make_logistic(fields: list[CardField], seed: int) -> LogisticRegression:
    """Logistic regression."""
    return LogisticRegression(max_iter=2000, random_state=seed)


def make_boosting(fields: list[CardField], seed: int) -> HistGradientBoostingClassifier:
    """scikit-learn's boosting, monotonic where the card knows the direction.

    No class weights: probabilities stay probabilities.
    """
    return HistGradientBoostingClassifier(
        max_leaf_nodes=8, monotonic_cst=directions(fields), early_stopping=False, random_state=seed
    )


def make_lightgbm(fields: list[CardField], seed: int) -> Any:
    """LightGBM, the same bytes at every fit."""
    return load("lightgbm").LGBMClassifier(
        num_leaves=8,
        monotone_constraints=directions(fields),
        random_state=seed,
        n_jobs=1,
        deterministic=True,
        force_col_wise=True,
        verbosity=-1,
    )


def make_xgboost(fields: list[CardField], seed: int) -> Any:
    """XGBoost, trees grown by leaves."""
    return load("xgboost").XGBClassifier(
        max_leaves=8,
        max_depth=0,
        grow_policy="lossguide",
        tree_method="hist",
        monotone_constraints=tuple(directions(fields)),
        random_state=seed,
        n_jobs=1,
    )


def make_catboost(fields: list[CardField], seed: int) -> Any:
    """CatBoost: symmetric trees of depth 3, 8 leaves each."""
    return load("catboost").CatBoostClassifier(
        depth=3,
        monotone_constraints=directions(fields),
        random_seed=seed,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )


CANDIDATES = {
    candidate.name: candidate
    for candidate in (
        Candidate(
            "logistic",
            "Logistic regression",
            scale_and_one_hot,
            make_logistic,
            {"C": 1.0},
            {"C": Span(1e-3, 1e2, log=True)},
        ),
        Candidate(
            "boosting",
            "Boosting, 8 leaves",
            one_hot,
            make_boosting,
            # Slow learning, few columns a split and L2 keep 300 small trees from learning noise.
            {
                "learning_rate": 0.05,
                "max_iter": 300,
                "min_samples_leaf": 20,
                "max_features": 0.3,
                "l2_regularization": 20.0,
            },
            {
                "learning_rate": Span(0.015, 0.15, log=True),
                "max_iter": Span(100, 600),
                "min_samples_leaf": Span(5, 200, log=True),
                "max_features": Span(0.1, 1.0),
                "l2_regularization": Span(0.1, 200.0, log=True),
            },
        ),
        Candidate(
            "lightgbm",
            "LightGBM, 8 leaves",
            one_hot,
            make_lightgbm,
            {
                "learning_rate": 0.05,
                "n_estimators": 300,
                "min_child_samples": 20,
                "colsample_bytree": 0.3,
                "reg_lambda": 20.0,
            },
            {
                "learning_rate": Span(0.015, 0.15, log=True),
                "n_estimators": Span(100, 600),
                "min_child_samples": Span(5, 200, log=True),
                "colsample_bytree": Span(0.1, 1.0),
                "reg_lambda": Span(0.1, 200.0, log=True),
            },
            requires="lightgbm",
        ),
        Candidate(
            "xgboost",
            "XGBoost, 8 leaves",
            one_hot,
            make_xgboost,
            {
                "learning_rate": 0.05,
                "n_estimators": 300,
                "min_child_weight": 5.0,
                "colsample_bynode": 0.3,
                "reg_lambda": 5.0,
            },
            {
                "learning_rate": Span(0.015, 0.15, log=True),
                "n_estimators": Span(100, 600),
                "min_child_weight": Span(0.5, 50.0, log=True),
                "colsample_bynode": Span(0.1, 1.0),
                "reg_lambda": Span(0.1, 200.0, log=True),
            },
            requires="xgboost",
        ),
        Candidate(
            "catboost",
            "CatBoost, depth 3",
            one_hot,
            make_catboost,
            {"learning_rate": 0.05, "iterations": 600, "rsm": 0.3, "l2_leaf_reg": 5.0},
            {
                "learning_rate": Span(0.015, 0.3, log=True),
                "iterations": Span(100, 600),
                "rsm": Span(0.1, 1.0),
                "l2_leaf_reg": Span(0.1, 200.0, log=True),
            },
            requires="catboost",
        ),
    )
}


def load(library: str) -> Any:
    """An optional library; raises TrainingError saying how to install it."""
    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise TrainingError(
            f"{library} isn't installed; install it with: python -m pip install -r requirements-boosters.txt"
        ) from error


def directions(fields: list[CardField]) -> list[int]:
    """The monotonic direction of each encoded column: numbers as the card says, one-hot columns free."""
    numbers = [DIRECTION[field.risk] for field in fields if field.kind == "number"]
    return numbers + [0] * sum(len(levels) for levels in _levels(fields))


def _by_kind(fields: list[CardField], numbers: Pipeline | str) -> ColumnTransformer:
    """Numbers first, then the one-hot columns of each category, in the order of the fields."""
    columns = {kind: [i for i, field in enumerate(fields) if field.kind == kind] for kind in ("number", "category")}
    encoder = OneHotEncoder(categories=_levels(fields), handle_unknown="ignore", sparse_output=False)
    parts = [("numbers", numbers, columns["number"]), ("categories", encoder, columns["category"])]
    return ColumnTransformer([part for part in parts if part[2]])


def _levels(fields: list[CardField]) -> list[np.ndarray]:
    """Of each category the indices of its levels, and NaN where it may be missing: that is a level too."""
    return [
        np.append(np.arange(len(field.levels), dtype=np.float64), [np.nan] if field.nullable else [])
        for field in fields
        if field.kind == "category"
    ]
