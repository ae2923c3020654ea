"""The trees of an XGBClassifier, with its float32 comparisons as equivalent comparisons of float64 (float32.py).

Used by learners.py. The library isn't imported: only methods of the fitted model are called.
XGBoost's comparison: a value is rounded to float32, half to even, when a row is read (src/data/adapter.h); NaN goes the
default way, any other value left if it is `<` the split (`GetNextNode`, `GetDecision`: src/predictor/predict_fn.h).
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from train.export.float32 import largest_below
from train.export.trees import Node, Split, Trees

MIN_PROBABILITY = np.float32(1e-6)
"""XGBoost clips `base_score` to this distance from 0 and 1 before it takes the logit; measured on 3.2, tested."""


def read_xgboost(model: Any) -> Trees:
    """The trees of a fitted XGBClassifier with two classes, up to its `best_iteration` if it stopped early.

    Raises ValueError for gblinear, dropout, another objective than binary:logistic, categories, `missing` not NaN.
    Source: the JSON of `Booster.save_raw` (doc/model.schema), `XGBModel._get_iteration_range` (sklearn.py).
    """
    learner = json.loads(model.get_booster().save_raw("json"))["learner"]
    booster, objective = learner["gradient_booster"], learner["objective"]["name"]
    if booster["name"] != "gbtree":
        raise ValueError(f"an XGBClassifier with booster={booster['name']} can't be exported; fit it with gbtree")
    if "weight_drop" in booster["model"]:
        # Since version 3.4 dropout is a parameter of gbtree; these are the weights of its trees.
        raise ValueError("an XGBClassifier with dropout can't be exported; fit it without rate_drop and one_drop")
    if objective != "binary:logistic":
        raise ValueError(f"an XGBClassifier for {objective} can't be exported; fit two classes with binary:logistic")
    if not math.isnan(model.missing):
        raise ValueError(f"an XGBClassifier with missing={model.missing} can't be exported; let NaN mean missing")
    trees = booster["model"]["trees"]
    if "c" in learner["feature_types"] or any(any(tree["split_type"]) for tree in trees):
        raise ValueError("an XGBClassifier with native categories can't be exported; one-hot encode them before it")
    best = getattr(model, "best_iteration", None)
    stop = None if best is None else booster["model"]["iteration_indptr"][best + 1]
    base = _log_odds(learner["learner_model_param"]["base_score"])
    return Trees(base, tuple(_read(tree, 0) for tree in trees[:stop]))


def _log_odds(base_score: str) -> float:
    """The logit of `base_score` in float32, in the order of `LogisticRegression::ProbToMargin` (src/objective/
    regression_loss.h): −log(1 / p − 1). The text is a probability, since version 3.1 a list of one.
    """
    (stated,) = np.ravel(json.loads(base_score))
    one = np.float32(1)
    probability = np.clip(np.float32(stated), MIN_PROBABILITY, one - MIN_PROBABILITY)
    # The logarithm in float64, rounded once; numpy's float32 logarithm may differ from C's by an ulp.
    return -float(np.float32(math.log(one / probability - one)))


def _read(tree: Any, index: int) -> Node:
    left, right = tree["left_children"][index], tree["right_children"][index]
    # The threshold of a split or the value of a leaf, as the shortest decimal text of the float32.
    value = np.float32(tree["split_conditions"][index])
    if left == -1:
        return float(value)
    column, default_left = int(tree["split_indices"][index]), bool(tree["default_left"][index])
    below, rest = _read(tree, left), _read(tree, right)
    if value == -np.inf:
        # Every number goes right; the split only separates numbers from missing values.
        return Split(column, math.inf, not default_left, rest, below)
    return Split(column, largest_below(value), default_left, below, rest)
