"""Readers of classifiers: a fitted classifier → members (train/fitted/model.py) for its second class.

A wrapper (calibration, voting) has several members; a pipeline inside a wrapper brings its own steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from train.fitted.links import COMPLEMENT, Affine, Sigmoid
from train.fitted.model import Member
from train.fitted.steps import Matrix
from train.readers.catboost import read_catboost
from train.readers.classifier import Classifier
from train.readers.columns import Columns, decode_numbers
from train.readers.ebm import read_ebm
from train.readers.lightgbm import read_lightgbm
from train.readers.linear import read_linear
from train.readers.scorecard import read_scorecard_classifier
from train.readers.sklearn_trees import (
    read_forest,
    read_gradient_boosting,
    read_hist_gradient_boosting,
    read_tree,
)
from train.readers.transformers import read_steps
from train.readers.wrappers import WRAPPERS
from train.readers.xgboost import read_xgboost

BOOSTERS: dict[str, Callable[[Any, Columns], Classifier]] = {"lightgbm": read_lightgbm, "xgboost": read_xgboost}
"""Library → reader of its Booster."""

READERS: dict[str, Callable[[Any, Columns], Classifier]] = {
    "LogisticRegression": lambda model, _: read_linear(model),
    "LogisticRegressionCV": lambda model, _: read_linear(model),
    "SGDClassifier": lambda model, _: read_linear(model),
    "DecisionTreeClassifier": lambda model, _: read_tree(model),
    "ExtraTreeClassifier": lambda model, _: read_tree(model),
    "RandomForestClassifier": lambda model, _: read_forest(model),
    "ExtraTreesClassifier": lambda model, _: read_forest(model),
    "BalancedRandomForestClassifier": lambda model, _: read_forest(model),
    "GradientBoostingClassifier": lambda model, _: read_gradient_boosting(model),
    "HistGradientBoostingClassifier": read_hist_gradient_boosting,
    "LGBMClassifier": read_lightgbm,
    "XGBClassifier": read_xgboost,
    "XGBRFClassifier": read_xgboost,
    "Booster": lambda model, columns: BOOSTERS[type(model).__module__.split(".")[0]](model, columns),
    "CatBoostClassifier": lambda model, _: Classifier(read_catboost(model)),
    "CatBoost": lambda model, _: Classifier(read_catboost(model)),
    "ExplainableBoostingClassifier": read_ebm,
    "DPExplainableBoostingClassifier": read_ebm,
    "ScorecardClassifier": lambda model, _: read_scorecard_classifier(model),
}
"""Name of the class → reader of a fitted classifier with two classes, given the columns that enter it."""


def name_columns(rows: Matrix, names: Sequence[str] | None) -> Any:
    """The rows as a data frame where the library asks for its columns' names."""
    if not names:
        return rows
    import pandas as pd

    return pd.DataFrame(rows, columns=list(names))


LEAF_FINDERS: dict[str, Callable[[Any, Matrix], Any]] = {
    "LGBMClassifier": lambda model, rows: model.predict(rows, pred_leaf=True),
    "XGBClassifier": lambda model, rows: model.apply(name_columns(rows, model.get_booster().feature_names)),
    "XGBRFClassifier": lambda model, rows: model.apply(name_columns(rows, model.get_booster().feature_names)),
    "CatBoostClassifier": lambda model, rows: model.calc_leaf_indexes(rows),
    "CatBoost": lambda model, rows: model.calc_leaf_indexes(rows),
    "DecisionTreeClassifier": lambda model, rows: model.apply(rows),
    "ExtraTreeClassifier": lambda model, rows: model.apply(rows),
    "RandomForestClassifier": lambda model, rows: model.apply(rows),
    "ExtraTreesClassifier": lambda model, rows: model.apply(rows),
    "BalancedRandomForestClassifier": lambda model, rows: model.apply(rows),
    "GradientBoostingClassifier": lambda model, rows: model.apply(rows),
}
"""Name of the class → the library's own function for the leaf that each encoded row reaches in each tree."""


FLOAT32_TREES = (
    "DecisionTreeClassifier",
    "ExtraTreeClassifier",
    "RandomForestClassifier",
    "ExtraTreesClassifier",
    "BalancedRandomForestClassifier",
    "GradientBoostingClassifier",
)
"""Classifiers that refuse numbers beyond float32."""


def read_members(fitted: Any, columns: Columns) -> tuple[Member, ...]:
    """The members of a fitted classifier or pipeline; raises ValueError if it has no exact export."""
    if hasattr(fitted, "steps"):
        *before, (_, last) = fitted.steps
        steps, columns = read_steps([step for _, step in before], columns)
        return tuple(replace(member, steps=(*steps, *member.steps)) for member in read_members(last, columns))
    name = type(fitted).__name__
    if name not in READERS and name not in WRAPPERS:
        known = ", ".join([*READERS, *WRAPPERS])
        raise ValueError(f"a {name} can't be exported exactly, expected one of: {known}")
    classes = getattr(fitted, "classes_", ())
    if len(classes) not in (0, 2):
        raise ValueError(f"the {name} tells {len(classes)} classes apart, expected two: good and default")
    if name in WRAPPERS:
        return WRAPPERS[name](fitted, columns, read_members)
    decoded, columns = decode_numbers(columns)
    read = READERS[name](fitted, columns)
    is_log_odds = any(isinstance(link, Sigmoid) for link in read.links)
    # With steps of its own the classifier's leaves can't be asked for with the columns that enter the function.
    asked = None if read.steps else fitted
    steps = (*decoded, *read.steps)
    largest = float(np.finfo(np.float32).max) if name in FLOAT32_TREES else np.inf
    return (Member(steps, read.function, read.links, 1.0, asked, is_log_odds, read.rounding, largest),)


def turn(member: Member) -> Member:
    """The member for the probability of the other class; exact, because only signs change."""
    if member.links == (Sigmoid(),):
        return replace(member, function=member.function.negated())
    if not member.links:
        return replace(member, function=member.function.complemented())
    links = (Affine(-1.0, 0.0), *member.links, COMPLEMENT)
    return replace(member, function=member.function.negated(), links=links)
