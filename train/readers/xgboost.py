"""The trees of an XGBoost model, with its float32 comparisons as equivalent comparisons of float64 (float32.py).

The library isn't imported: only methods of the fitted model are called.
XGBoost's comparison: a value is rounded to float32, half to even, when a row is read (src/data/adapter.h); NaN goes the
default way, any other value left if it is `<` the split (`GetNextNode`, `GetDecision`: src/predictor/predict_fn.h). A
category, cut to a whole number, goes right if it is in the split's set; a negative one is in none (`Decision`,
src/common/categorical.h).
"""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

import numpy as np

from train.fitted.rounding import Blank, Single, Whole
from train.fitted.steps import Steps
from train.fitted.trees import Node, Split, Trees
from train.readers.classifier import Categories, Classifier, SetColumns, learn_dtype_categories, share
from train.readers.columns import Columns
from train.readers.float32 import largest_below

FLOAT32_ROUNDING = 1e-5
"""Largest difference in probability that a sum of some hundred leaves in float32 can explain."""

MIN_PROBABILITY = np.float32(1e-6)
"""XGBoost clips `base_score` to this distance from 0 and 1 before it takes the logit; measured on 3.2, tested."""


def read_xgboost(model: Any, columns: Columns) -> Classifier:
    """A fitted XGBClassifier or XGBRFClassifier with two classes, or a Booster.

    The trees are those up to its `best_iteration` if a classifier stopped early; a Booster alone predicts with all.
    Raises ValueError for gblinear and another objective than binary:logistic.
    Source: the JSON of `Booster.save_raw` (doc/model.schema), `XGBModel._get_iteration_range` (sklearn.py).
    """
    is_classifier = hasattr(model, "get_booster")
    raw = (model.get_booster() if is_classifier else model).save_raw("json")
    learner = json.loads(raw)["learner"]
    booster, objective = learner["gradient_booster"], learner["objective"]["name"]
    if booster["name"] not in ("gbtree", "dart"):
        raise ValueError(f"an XGBoost model with booster={booster['name']} can't be exported; fit it with gbtree")
    if objective not in ("binary:logistic", "reg:logistic"):
        raise ValueError(f"an XGBoost model for {objective} can't be exported; fit two classes with binary:logistic")
    trees = booster.get("gbtree", booster)["model"]
    # Of each tree, if some were dropped in training; since version 3.4 a parameter of gbtree.
    weights = booster.get("weight_drop", trees.get("weight_drop")) or [1.0] * len(trees["trees"])
    types = learner["feature_types"]
    categories = _learn_categories(trees, [place for place, kind in enumerate(types) if kind == "c"], columns)
    added = SetColumns(len(columns), () if categories else (Single(), Whole("below")))
    best = getattr(model, "best_iteration", None) if is_classifier else None
    stop = None if best is None else trees["iteration_indptr"][best + 1]
    base = _log_odds(learner["learner_model_param"]["base_score"])
    kept = list(zip(trees["trees"], weights, strict=True))[:stop]
    read = Trees(base, tuple(_Reader(tree, weight, added, categories).read(0) for tree, weight in kept))
    steps = (*_read_missing(getattr(model, "missing", None), columns), *added.steps())
    return Classifier(read, steps=steps, rounding=FLOAT32_ROUNDING)


def _read_missing(missing: Any, columns: Columns) -> Steps:
    """The step for numbers taken for missing: what equals `missing` in float32, and zeros of sparse columns."""
    numbers = set() if missing is None or math.isnan(missing) else {np.float32(missing)}
    if any(column.is_sparse for column in columns):
        numbers.add(np.float32(0))
    steps = []
    for number in sorted(numbers):
        after = np.nextafter(number, np.float32(np.inf))
        steps.append(Blank(largest_below(number), largest_below(after)))
    return tuple(steps)


def _learn_categories(trees: Any, places: list[int], columns: Columns) -> Categories:
    """The categories of a data frame's columns, which XGBoost keeps since version 3.1; {} if codes enter the model."""
    stored = [trees["cats"]["enc"][place] for place in places] if "cats" in trees and trees["cats"]["enc"] else []
    decoded = [_decode(one) for one in stored]
    # It refuses other values.
    return learn_dtype_categories(decoded, places, columns, is_open=False) if any(decoded) else {}


def _decode(stored: Any) -> list[Any]:
    """Words as bytes with offsets, or numbers."""
    if "offsets" not in stored:
        return list(stored["values"])
    if any(value < 0 for value in stored["values"]):
        # Version 3.2 counts a word's characters where it should count its bytes.
        raise ValueError(
            "an XGBoost model with native categories keeps only a part of words with letters beyond ASCII, so that it "
            "can't be exported; encode them as numbers before it"
        )
    text = bytes(stored["values"]).decode("ascii")
    return [text[start:end] for start, end in pairwise(stored["offsets"])]


def _log_odds(base_score: str) -> float:
    """The logit of `base_score` in float32, in the order of `LogisticRegression::ProbToMargin` (src/objective/
    regression_loss.h): −log(1 / p − 1). The text is a probability, since version 3.1 a list of one.
    """
    (stated,) = np.ravel(json.loads(base_score))
    one = np.float32(1)
    probability = np.clip(np.float32(stated), MIN_PROBABILITY, one - MIN_PROBABILITY)
    # The logarithm in float64, rounded once; numpy's float32 logarithm may differ from C's by an ulp.
    return -float(np.float32(math.log(one / probability - one)))


class _Reader:
    """One tree of the JSON; `weight` multiplies its leaves."""

    def __init__(self, tree: Any, weight: float, added: SetColumns, categories: Categories) -> None:
        self.tree = tree
        self.weight = np.float32(weight)
        self.added = added
        self.categories = categories
        starts, sizes = tree.get("categories_segments", []), tree.get("categories_sizes", [])
        self.sets = {
            node: tree["categories"][start : start + size]
            for node, start, size in zip(tree.get("categories_nodes", []), starts, sizes, strict=True)
        }

    def read(self, index: int) -> Node:
        """The node with a number, and all below it."""
        tree = self.tree
        left, right = tree["left_children"][index], tree["right_children"][index]
        # The threshold of a split or the value of a leaf, as the shortest decimal text of the float32.
        value = np.float32(tree["split_conditions"][index])
        if left == -1:
            return float(value * self.weight)
        column, default_left = int(tree["split_indices"][index]), bool(tree["default_left"][index])
        left_share = share(tree["sum_hessian"][left], tree["sum_hessian"][index])
        below, rest = self.read(left), self.read(right)
        if index in self.sets:
            known = self.categories.get(column)
            members = [float(code) if known is None else known[code] for code in self.sets[index]]
            split = Split(self.added.add(column, members), 0.5, True, below, rest, left_share)
            # A missing value is in no set.
            return split if default_left else Split(column, math.inf, False, split, rest, 1.0)
        if value == -np.inf:
            # Every number goes right; the split only separates numbers from missing values.
            return Split(column, math.inf, not default_left, rest, below, 1 - left_share)
        return Split(column, largest_below(value), default_left, below, rest, left_share)
