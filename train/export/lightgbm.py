"""The trees of an LGBMClassifier, with its treatment of zero and of missing values as explicit splits.

Used by learners.py. The library isn't imported: only methods of the fitted model are called.
LightGBM's comparison, from its source:

- a value within ±1e-35f of zero, ends included, is taken as 0 before any tree sees it
  (`RowPairFunctionFromDenseMatric`, src/c_api.cpp, keeps a cell only if |x| > kZeroThreshold);
- `Tree::NumericalDecision` (include/LightGBM/tree.h): NaN is 0 unless the split's missing type is NaN; missing type
  Zero sends 0, NaN missing type NaN, the default way; all else goes left where x <= threshold;
- `model_to_string` writes thresholds with 17 digits and infinity. `dump_model` writes 1e300 for infinity, which would
  send larger numbers the other way, so it isn't used.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from train.export.trees import Node, Split, Trees

ZERO = float(np.float32(1e-35))
"""kZeroThreshold (include/LightGBM/meta.h), a float32: the largest number taken as 0."""

BELOW_ZERO = math.nextafter(-ZERO, -math.inf)
"""The largest number that is less than what is taken as 0."""

CATEGORICAL, DEFAULT_LEFT = 1, 2
"""Bits of decision_type; the next two bits are the missing type."""

MISSING_ZERO, MISSING_NAN = 1, 2
"""Missing types; 0 is None."""


def read_lightgbm(model: Any) -> Trees:
    """The trees of a fitted LGBMClassifier with two classes, up to its `best_iteration` if it stopped early.

    Raises ValueError for an objective other than binary with sigmoid 1, a random forest, linear trees, categories, and
    prediction that stops early. The average log-odds of the training rows are part of the first tree's leaves.
    """
    header, *blocks = model.booster_.model_to_string().split("\n\nend of trees")[0].split("\n\nTree=")
    objective = _pairs(header).get("objective", "its own objective")
    if objective != "binary sigmoid:1":
        raise ValueError(f"an LGBMClassifier for {objective} can't be exported; fit two classes with binary sigmoid:1")
    if "average_output" in header.splitlines():
        raise ValueError("an LGBMClassifier with boosting_type=rf can't be exported; fit it with gbdt")
    if model.get_params().get("pred_early_stop"):
        raise ValueError("an LGBMClassifier with pred_early_stop can't be exported; it skips trees for some rows")
    return Trees(0.0, tuple(_read_tree(_pairs(block)) for block in blocks))


def _pairs(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _read_tree(tree: dict[str, str]) -> Node:
    if tree["is_linear"] != "0":
        raise ValueError("an LGBMClassifier with linear_tree can't be exported; fit it with constant leaves")
    if tree["num_cat"] != "0":
        raise ValueError("an LGBMClassifier with native categories can't be exported; one-hot encode them before it")
    leaves = [float(value) for value in tree["leaf_value"].split()]
    if len(leaves) == 1:
        return leaves[0]
    columns, decisions, lefts, rights = (
        [int(value) for value in tree[name].split()]
        for name in ("split_feature", "decision_type", "left_child", "right_child")
    )
    thresholds = [float(value) for value in tree["threshold"].split()]

    def read(index: int) -> Node:
        if index < 0:  # a leaf, as the bitwise complement of its number
            return leaves[~index]
        decision, threshold = decisions[index], thresholds[index]
        default_left, missing = bool(decision & DEFAULT_LEFT), decision >> 2 & 3
        zero_left = default_left if missing == MISSING_ZERO else threshold >= 0
        missing_left = default_left if missing == MISSING_NAN else zero_left
        return _make_splits(
            columns[index], _pieces(threshold, zero_left), missing_left, read(lefts[index]), read(rights[index])
        )

    return read(0)


def _pieces(threshold: float, zero_left: bool) -> list[tuple[float, bool]]:
    """Intervals of numbers that go the same way: (upper end, goes left), ascending, the last up to infinity.

    Numbers below and above zero are compared with the threshold; numbers taken as 0 go left if `zero_left`.
    """
    pieces: list[tuple[float, bool]] = []
    for upper, left in (
        (min(threshold, BELOW_ZERO), True),
        (BELOW_ZERO, False),
        (ZERO, zero_left),
        (max(threshold, ZERO), True),
        (math.inf, False),
    ):
        if pieces and upper == pieces[-1][0]:
            continue  # an empty interval
        if pieces and left == pieces[-1][1]:
            pieces.pop()
        pieces.append((upper, left))
    return pieces


def _make_splits(column: int, pieces: list[tuple[float, bool]], missing_left: bool, left: Node, right: Node) -> Node:
    """One split for each interval but the last; nearly always a single split."""
    (upper, is_left), *rest = pieces
    here, there = (left, right) if is_left else (right, left)
    beyond = _make_splits(column, rest, missing_left, left, right) if len(rest) > 1 else there
    return Split(column, upper, missing_left == is_left, here, beyond)
