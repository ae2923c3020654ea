"""The trees of a CatBoost model, with its float32 comparisons as equivalent comparisons of float64.

The library isn't imported: only methods of the fitted model are called.
CatBoost's comparison, from `BinarizeFeatures` (catboost/libs/model/cpu/quantization.h): a value is rounded to float32
and compared by `>` with a border; NaN is −infinity for a column treated AsFalse, +infinity for one treated AsTrue, and
is above no border where training saw no NaN or the treatment is AsIs. Bit i of the leaf's number in a symmetric tree is
the outcome of its split i (`CalcIndexesBasic`, catboost/libs/model/cpu/evaluator_impl.cpp).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from train.fitted.trees import Node, Split, Trees
from train.readers.classifier import share
from train.readers.float32 import largest_below


def read_catboost(model: Any) -> Trees:
    """The trees of a fitted CatBoostClassifier with two classes, or of a CatBoost, whatever its grow_policy.

    Log-odds are scale · (sum of leaves) + bias; the scale is multiplied into the leaves. After early stopping CatBoost
    itself has removed the trees after the best iteration. Raises ValueError for a loss other than Logloss, for columns
    that aren't numbers, and for infinite borders, which CatBoost learns from infinite values and can't write as JSON.
    """
    if not all(np.isfinite(borders).all() for borders in model.get_borders().values()):
        raise ValueError("a CatBoostClassifier with infinite borders can't be exported; fit it on finite numbers")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        model.save_model(str(path), format="json")
        dump = json.loads(path.read_text(encoding="utf-8"))
    loss = dump["model_info"]["params"]["loss_function"]["type"]
    if loss not in ("Logloss", "CrossEntropy"):
        raise ValueError(f"a CatBoostClassifier for {loss} can't be exported; fit two classes with Logloss")
    others = sorted(name for name, features in dump["features_info"].items() if features and name != "float_features")
    if others:
        raise ValueError(
            f"a CatBoostClassifier with {', '.join(others)} can't be exported, because its file has hashes in place of "
            "their words; encode them as numbers before it"
        )
    columns = {feature["feature_index"]: feature for feature in dump["features_info"]["float_features"]}
    scale, (bias,) = dump["scale_and_bias"]
    if "oblivious_trees" in dump:
        read = [_read_symmetric(tree, columns, scale) for tree in dump["oblivious_trees"]]
    else:
        read = [_read(tree, columns, scale) for tree in dump["trees"]]
    return Trees(float(bias), tuple(tree.node for tree in read))


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A node, and the weight of the training rows that reached it; NaN if the file doesn't say."""

    node: Node
    weight: float


def _read_symmetric(tree: Any, columns: dict[int, Any], scale: float) -> _Weighed:
    """A symmetric tree: every path has the same splits, whose outcomes are the bits of the leaf's number."""
    splits = tree["splits"] or []
    weights = tree.get("leaf_weights") or [math.nan] * len(tree["leaf_values"])

    def read(depth: int, number: int) -> _Weighed:
        if depth == len(splits):
            return _Weighed(float(tree["leaf_values"][number] * scale), float(weights[number]))
        above = number | 1 << depth
        return _make_split(splits[depth], columns, read(depth + 1, number), read(depth + 1, above))

    return read(0, 0)


def _read(node: Any, columns: dict[int, Any], scale: float) -> _Weighed:
    if "split" not in node:
        return _Weighed(float(node["value"] * scale), float(node.get("weight", math.nan)))
    return _make_split(
        node["split"], columns, _read(node["left"], columns, scale), _read(node["right"], columns, scale)
    )


def _make_split(split: Any, columns: dict[int, Any], to_border: _Weighed, above: _Weighed) -> _Weighed:
    column = columns[split["float_feature_index"]]
    with np.errstate(over="ignore"):  # the successor of the largest float32 is infinity
        after_border = np.nextafter(np.float32(split["border"]), np.float32(np.inf))
    is_missing_above = column["has_nans"] and column["nan_value_treatment"] == "AsTrue"
    number, threshold = int(column["flat_feature_index"]), largest_below(after_border)
    weight = to_border.weight + above.weight
    true_share = share(to_border.weight, weight)
    return _Weighed(Split(number, threshold, not is_missing_above, to_border.node, above.node, true_share), weight)
