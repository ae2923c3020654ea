"""The models that `python -m benchmarks.quality` compares with ours.

Boosting libraries without the limits of train/candidates.py (trees of any size, no monotonic constraints) and an
explainable boosting machine, each with common default settings and a search space around them.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier

from train.candidates import CANDIDATES, Candidate, Hyperparameters, Span
from train.card import CardField

LEARNING_RATE = Span(0.01, 0.2, log=True)
TREES = Span(100, 1000)
LEAVES = Span(4, 64, log=True)
DEPTH = Span(2, 8)
COLUMN_SHARE = Span(0.2, 1.0)
ROW_SHARE = Span(0.5, 1.0)


def without_limits(
    name: str, settings: Hyperparameters, space: dict[str, Span], *, removed: str = "", **arguments: Any
) -> Candidate:
    """A candidate of train/candidates.py with other settings and a larger space.

    `settings` and `space` are merged into the candidate's, less the setting `removed`; `arguments` replace the
    estimator's constraints.
    """
    ours = CANDIDATES[name]
    return replace(
        ours,
        name=f"{name}-without-limits",
        title=ours.title.partition(",")[0],
        estimator=lambda fields, seed: ours.estimator(fields, seed).set_params(**arguments),
        settings={key: value for key, value in (ours.settings | settings).items() if key != removed},
        space={key: span for key, span in (ours.space | space).items() if key != removed},
    )


def ordinal(fields: list[CardField]) -> ColumnTransformer:
    """Every column unchanged; a category is the index of its level."""
    return ColumnTransformer([("all", "passthrough", list(range(len(fields))))])


def make_ebm(fields: list[CardField], seed: int) -> Any:
    """Explainable boosting machine of the package interpret, with nominal categories."""
    from interpret.glassbox import ExplainableBoostingClassifier

    warnings.filterwarnings("ignore", "Missing values detected")  # concerns its plots, which are not used here
    types = ["nominal" if field.kind == "category" else "continuous" for field in fields]
    return ExplainableBoostingClassifier(feature_types=types, random_state=seed, n_jobs=1)


def make_hist_gradient_boosting(fields: list[CardField], seed: int) -> HistGradientBoostingClassifier:
    """scikit-learn's gradient boosting with native categories."""
    categories = [index for index, field in enumerate(fields) if field.kind == "category"]
    return HistGradientBoostingClassifier(categorical_features=categories, early_stopping=False, random_state=seed)


EBM = Candidate(
    "ebm",
    "EBM (interpret)",
    ordinal,
    make_ebm,
    # The package's defaults, except 4 bags instead of 14, which cost time and hardly change the result.
    {"learning_rate": 0.015, "interactions": 20, "max_leaves": 2, "min_samples_leaf": 4, "outer_bags": 4},
    {
        "learning_rate": Span(0.005, 0.1, log=True),
        "interactions": Span(0, 40),
        "max_leaves": Span(2, 4),
        "min_samples_leaf": Span(2, 100, log=True),
    },
    requires="interpret",
)

COMPETITORS = (
    without_limits(
        "lightgbm",
        {"learning_rate": 0.03, "num_leaves": 15, "colsample_bytree": 0.7, "subsample": 0.8, "reg_lambda": 1.0},
        {
            "learning_rate": LEARNING_RATE,
            "n_estimators": TREES,
            "num_leaves": LEAVES,
            "colsample_bytree": COLUMN_SHARE,
            "subsample": ROW_SHARE,
        },
        monotone_constraints=None,
        subsample_freq=1,
    ),
    without_limits(
        "xgboost",
        {"learning_rate": 0.03, "max_depth": 4, "colsample_bytree": 0.7, "subsample": 0.8, "reg_lambda": 1.0},
        {
            "learning_rate": LEARNING_RATE,
            "n_estimators": TREES,
            "max_depth": DEPTH,
            "colsample_bytree": COLUMN_SHARE,
            "subsample": ROW_SHARE,
        },
        removed="colsample_bynode",
        monotone_constraints=None,
        max_leaves=0,
        grow_policy="depthwise",
    ),
    without_limits(
        "catboost",
        {"iterations": 400, "depth": 5, "l2_leaf_reg": 3.0, "random_strength": 1.0},
        {
            "learning_rate": LEARNING_RATE,
            "iterations": TREES,
            "depth": DEPTH,
            "random_strength": Span(0.1, 10.0, log=True),
        },
        removed="rsm",
        monotone_constraints={},
    ),
    EBM,
    replace(
        EBM,
        name="ebm-without-pairs",
        title="EBM (interpret), without pairs",
        settings=EBM.settings | {"interactions": 0},
        space={name: span for name, span in EBM.space.items() if name != "interactions"},
    ),
    replace(
        CANDIDATES["boosting"],
        name="boosting-without-limits",
        title="HistGradientBoosting",
        preprocess=ordinal,
        estimator=make_hist_gradient_boosting,
        settings={
            "learning_rate": 0.05,
            "max_iter": 100,
            "max_leaf_nodes": 31,
            "min_samples_leaf": 20,
            "max_features": 1.0,
            "l2_regularization": 0.1,
        },
        space=CANDIDATES["boosting"].space
        | {"learning_rate": LEARNING_RATE, "max_iter": TREES, "max_leaf_nodes": LEAVES, "max_features": COLUMN_SHARE},
    ),
)
