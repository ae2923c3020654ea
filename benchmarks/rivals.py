"""The models that `python -m benchmarks.quality` compares with ours: candidates like ours, free of our limits.

Each has settings that its users would call sensible and a space around them. No monotonic directions, any
number of leaves: what a library does when nobody asks it to be explained exactly.
"""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier

from train.candidates import Candidate, Span, load, one_hot
from train.card import CardField

RATE = Span(0.01, 0.2, log=True)
TREES = Span(100, 1000)
LEAVES = Span(4, 64, log=True)
SHARE = Span(0.2, 1.0)
L2 = Span(0.1, 200.0, log=True)
ROWS = Span(5, 200, log=True)


def as_they_are(fields: list[CardField]) -> ColumnTransformer:
    """Every column as it is, a category as the index of its level."""
    return ColumnTransformer([("all", "passthrough", list(range(len(fields))))])


def make_lightgbm(fields: list[CardField], seed: int) -> Any:
    """LightGBM, rows drawn anew for each tree."""
    return load("lightgbm").LGBMClassifier(random_state=seed, n_jobs=1, subsample_freq=1, verbosity=-1)


def make_xgboost(fields: list[CardField], seed: int) -> Any:
    """XGBoost by histograms."""
    return load("xgboost").XGBClassifier(random_state=seed, n_jobs=1, tree_method="hist")


def make_catboost(fields: list[CardField], seed: int) -> Any:
    """CatBoost."""
    return load("catboost").CatBoostClassifier(
        random_seed=seed, thread_count=1, verbose=False, allow_writing_files=False
    )


def make_ebm(fields: list[CardField], seed: int) -> Any:
    """Explainable boosting machine of interpret, categories as such."""
    from interpret.glassbox import ExplainableBoostingClassifier

    warnings.filterwarnings("ignore", "Missing values detected")  # of its pictures, which nobody draws here
    types = ["nominal" if field.kind == "category" else "continuous" for field in fields]
    return ExplainableBoostingClassifier(feature_types=types, random_state=seed, n_jobs=1)


def make_plain(fields: list[CardField], seed: int) -> HistGradientBoostingClassifier:
    """scikit-learn's boosting without limits, categories as such."""
    categories = [place for place, field in enumerate(fields) if field.kind == "category"]
    return HistGradientBoostingClassifier(categorical_features=categories, early_stopping=False, random_state=seed)


RIVALS = (
    Candidate(
        "lightgbm-free",
        "LightGBM",
        one_hot,
        make_lightgbm,
        {
            "learning_rate": 0.03,
            "n_estimators": 300,
            "num_leaves": 15,
            "min_child_samples": 20,
            "colsample_bytree": 0.7,
            "subsample": 0.8,
            "reg_lambda": 1.0,
        },
        {
            "learning_rate": RATE,
            "n_estimators": TREES,
            "num_leaves": LEAVES,
            "min_child_samples": ROWS,
            "colsample_bytree": SHARE,
            "subsample": Span(0.5, 1.0),
            "reg_lambda": L2,
        },
        requires="lightgbm",
    ),
    Candidate(
        "xgboost-free",
        "XGBoost",
        one_hot,
        make_xgboost,
        {
            "learning_rate": 0.03,
            "n_estimators": 300,
            "max_depth": 4,
            "min_child_weight": 5.0,
            "colsample_bytree": 0.7,
            "subsample": 0.8,
            "reg_lambda": 1.0,
        },
        {
            "learning_rate": RATE,
            "n_estimators": TREES,
            "max_depth": Span(2, 8),
            "min_child_weight": Span(0.5, 50.0, log=True),
            "colsample_bytree": SHARE,
            "subsample": Span(0.5, 1.0),
            "reg_lambda": L2,
        },
        requires="xgboost",
    ),
    Candidate(
        "catboost-free",
        "CatBoost",
        one_hot,
        make_catboost,
        {"learning_rate": 0.05, "iterations": 400, "depth": 5, "l2_leaf_reg": 3.0, "random_strength": 1.0},
        {
            "learning_rate": RATE,
            "iterations": TREES,
            "depth": Span(2, 8),
            "l2_leaf_reg": L2,
            "random_strength": Span(0.1, 10.0, log=True),
        },
        requires="catboost",
    ),
    Candidate(
        "ebm",
        "EBM (interpret)",
        as_they_are,
        make_ebm,
        # Its own defaults but for 4 bags instead of 14, which cost time and change hardly anything.
        {"learning_rate": 0.015, "interactions": 20, "max_leaves": 2, "min_samples_leaf": 4, "outer_bags": 4},
        {
            "learning_rate": Span(0.005, 0.1, log=True),
            "interactions": Span(0, 40),
            "max_leaves": Span(2, 4),
            "min_samples_leaf": Span(2, 100, log=True),
        },
        requires="interpret",
    ),
    Candidate(
        "plain",
        "HistGradientBoosting",
        as_they_are,
        make_plain,
        {
            "learning_rate": 0.05,
            "max_iter": 100,
            "max_leaf_nodes": 31,
            "min_samples_leaf": 20,
            "max_features": 1.0,
            "l2_regularization": 0.1,
        },
        {
            "learning_rate": RATE,
            "max_iter": TREES,
            "max_leaf_nodes": LEAVES,
            "min_samples_leaf": ROWS,
            "max_features": SHARE,
            "l2_regularization": L2,
        },
    ),
)
