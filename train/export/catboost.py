"""The trees of a CatBoostClassifier, with its float32 comparisons as equivalent comparisons of float64.

Used by learners.py. The library isn't imported: only methods of the fitted model are called.
CatBoost's comparison, from `BinarizeFeatures` (catboost/libs/model/cpu/quantization.h): a value is rounded to float32
and compared by `>` with a border; NaN is −infinity for a column treated AsFalse, +infinity for one treated AsTrue, and
is above no border where training saw no NaN or the treatment is AsIs. Bit i of the leaf's number in a symmetric tree is
the outcome of its split i (`CalcIndexesBasic`, catboost/libs/model/cpu/evaluator_impl.cpp).
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from train.export.float32 import largest_below
from train.export.trees import Node, Split, Trees


def read_catboost(model: Any) -> Trees:
    """The trees of a fitted CatBoostClassifier with two classes, whatever its grow_policy.

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
    if loss != "Logloss":
        raise ValueError(f"a CatBoostClassifier for {loss} can't be exported; fit two classes with Logloss")
    others = sorted(name for name, features in dump["features_info"].items() if features and name != "float_features")
    if others:
        raise ValueError(f"a CatBoostClassifier with {', '.join(others)} can't be exported; encode them as numbers")
    columns = {feature["feature_index"]: feature for feature in dump["features_info"]["float_features"]}
    scale, (bias,) = dump["scale_and_bias"]
    if "oblivious_trees" in dump:
        trees = tuple(_read_symmetric(tree, columns, scale) for tree in dump["oblivious_trees"])
    else:
        trees = tuple(_read(tree, columns, scale) for tree in dump["trees"])
    return Trees(float(bias), trees)


def _read_symmetric(tree: Any, columns: dict[int, Any], scale: float) -> Node:
    """A symmetric tree: every path has the same splits, whose outcomes are the bits of the leaf's number."""
    splits = tree["splits"] or []

    def read(depth: int, number: int) -> Node:
        if depth == len(splits):
            return float(tree["leaf_values"][number] * scale)
        above = number | 1 << depth
        return _make_split(splits[depth], columns, read(depth + 1, number), read(depth + 1, above))

    return read(0, 0)


def _read(node: Any, columns: dict[int, Any], scale: float) -> Node:
    if "split" not in node:
        return float(node["value"] * scale)
    return _make_split(
        node["split"], columns, _read(node["left"], columns, scale), _read(node["right"], columns, scale)
    )


def _make_split(split: Any, columns: dict[int, Any], to_border: Node, above: Node) -> Split:
    column = columns[split["float_feature_index"]]
    with np.errstate(over="ignore"):  # the successor of the largest float32 is infinity
        after_border = np.nextafter(np.float32(split["border"]), np.float32(np.inf))
    is_missing_above = column["has_nans"] and column["nan_value_treatment"] == "AsTrue"
    return Split(int(column["flat_feature_index"]), largest_below(after_border), not is_missing_above, to_border, above)
