"""The classifiers that can be exported, and their readers.

Classes are identified by name, so that optional libraries needn't be installed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from train.dataset import Matrix
from train.export.catboost import read_catboost
from train.export.lightgbm import read_lightgbm
from train.export.linear import Linear, read_logistic
from train.export.swapped_classes import SwappedClasses
from train.export.trees import Trees, read_hist_gradient_boosting
from train.export.xgboost import read_xgboost

READERS: dict[str, Callable[[Any], Linear | Trees]] = {
    "LogisticRegression": read_logistic,
    "HistGradientBoostingClassifier": read_hist_gradient_boosting,
    "LGBMClassifier": read_lightgbm,
    "XGBClassifier": read_xgboost,
    "CatBoostClassifier": read_catboost,
}
"""Name of the class → reader of a fitted model with two classes."""

FLOAT32_SUMS = ("XGBClassifier",)
"""Classifiers that sum their leaves in float32; the graph sums the same leaves in float64."""

LEAF_FINDERS: dict[str, Callable[[Any, Matrix], Any]] = {
    "LGBMClassifier": lambda model, rows: model.predict(rows, pred_leaf=True),
    "XGBClassifier": lambda model, rows: model.apply(rows),
    "CatBoostClassifier": lambda model, rows: model.calc_leaf_indexes(rows),
}
"""Name of the class → the library's own function for the leaf that each encoded row reaches in each tree."""


def read_classifier(model: Any) -> Linear | Trees:
    """A fitted classifier as a linear model or as trees of the log-odds of its second class, default.

    Raises ValueError if its type is unknown, it hasn't two classes, or its settings can't be exported exactly.
    """
    if isinstance(model, SwappedClasses):
        return read_classifier(model.classifier).negated()
    name = type(model).__name__
    if name not in READERS:
        raise ValueError(f"a {name} can't be exported exactly, expected one of: {', '.join(READERS)}")
    if len(model.classes_) != 2:
        raise ValueError(f"the {name} tells {len(model.classes_)} classes apart, expected two: good and default")
    return READERS[name](model)
