"""The trees of a LightGBM model, with its treatment of zero and of missing values as explicit splits.

The library isn't imported: only methods of the fitted model are called.
LightGBM's comparison, from its source:

- a value within ±1e-35f of zero, ends included, is taken as 0 before any tree sees it
  (`RowPairFunctionFromDenseMatric`, src/c_api.cpp, keeps a cell only if |x| > kZeroThreshold);
- `Tree::NumericalDecision` (include/LightGBM/tree.h): NaN is 0 unless the split's missing type is NaN; missing type
  Zero sends 0, NaN missing type NaN, the default way; all else goes left where x <= threshold;
- `Tree::CategoricalDecision`: a category is cut to a whole number and goes left if it is in the split's set; missing
  values go right;
- `model_to_string` writes thresholds with 17 digits and infinity. `dump_model` writes 1e300 for infinity, which would
  send larger numbers the other way, so it isn't used.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import Any

import numpy as np

from train.fitted.links import Affine, Links, Sigmoid
from train.fitted.rounding import Whole
from train.fitted.trees import Node, Split, Trees
from train.readers.classifier import Categories, Classifier, SetColumns, learn_dtype_categories, share
from train.readers.columns import Columns

ZERO = float(np.float32(1e-35))
"""kZeroThreshold (include/LightGBM/meta.h), a float32: the largest number taken as 0."""

BELOW_ZERO = math.nextafter(-ZERO, -math.inf)
"""The largest number that is less than what is taken as 0."""

CATEGORICAL, DEFAULT_LEFT = 1, 2
"""Bits of decision_type; the next two bits are the missing type."""

MISSING_ZERO, MISSING_NAN = 1, 2
"""Missing types; 0 is None."""


def read_lightgbm(model: Any, columns: Columns) -> Classifier:
    """A fitted LGBMClassifier with two classes, or a Booster, up to its `best_iteration` if it stopped early.

    Raises ValueError for an objective without sigmoid, linear trees, and prediction that stops early. The average
    log-odds of the training rows are part of the first tree's leaves. A random forest's log-odds are the trees' mean.
    """
    booster = getattr(model, "booster_", model)
    text = booster.model_to_string()
    header, *blocks = text.split("\n\nend of trees")[0].split("\n\nTree=")
    name, _, sigmoid = _pairs(header).get("objective", "its own objective").partition(" sigmoid:")
    if name not in ("binary", "cross_entropy"):
        raise ValueError(f"a LightGBM model for {name} can't be exported; fit two classes with objective='binary'")
    settings = model.get_params() if hasattr(model, "get_params") else model.params
    if settings.get("pred_early_stop"):
        raise ValueError("a LightGBM model with pred_early_stop can't be exported; it skips trees for some rows")
    stored = booster.pandas_categorical or []
    categories = learn_dtype_categories(stored, _find_categorical(text), columns, is_open=True)
    added = SetColumns(len(columns), () if categories else (Whole("zero"),))
    divisor = float(len(blocks)) if "average_output" in header.splitlines() else 1.0
    trees = Trees(0.0, tuple(_read_tree(_pairs(block), added, categories) for block in blocks), divisor)
    slope = float(sigmoid or 1)
    links: Links = (Sigmoid(),) if slope == 1 else (Affine(slope, 0.0), Sigmoid())
    return Classifier(trees, links, added.steps())


def _pairs(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _find_categorical(text: str) -> list[int]:
    """The numbers of the columns that were fitted as categories."""
    found = re.search(r"^\[categorical_feature: ([\d,]+)\]$", text, re.MULTILINE)
    return sorted(int(number) for number in found[1].split(",")) if found else []


def _read_tree(tree: dict[str, str], added: SetColumns, categories: Categories) -> Node:
    if tree["is_linear"] != "0":
        raise ValueError("a LightGBM model with linear_tree can't be exported; fit it with constant leaves")
    leaves = [float(value) for value in tree["leaf_value"].split()]
    if len(leaves) == 1:
        return leaves[0]
    columns, decisions, lefts, rights = (
        [int(value) for value in tree[name].split()]
        for name in ("split_feature", "decision_type", "left_child", "right_child")
    )
    thresholds = [float(value) for value in tree["threshold"].split()]
    # Numbers of training rows, which predict(pred_contrib=True) goes by; not their weights.
    node_rows, leaf_rows = ([int(value) for value in tree[name].split()] for name in ("internal_count", "leaf_count"))
    sets = _read_sets(tree)

    def count_rows(index: int) -> int:
        return leaf_rows[~index] if index < 0 else node_rows[index]

    def read(index: int) -> Node:
        if index < 0:  # a leaf, as the bitwise complement of its number
            return leaves[~index]
        decision, threshold, column = decisions[index], thresholds[index], columns[index]
        left, right = read(lefts[index]), read(rights[index])
        left_share = share(count_rows(lefts[index]), node_rows[index])
        if decision & CATEGORICAL:
            known = categories.get(column)
            members = [float(code) if known is None else known[code] for code in sets[int(threshold)]]
            return Split(added.add(column, members), 0.5, True, right, left, 1 - left_share)
        default_left, missing = bool(decision & DEFAULT_LEFT), decision >> 2 & 3
        zero_left = default_left if missing == MISSING_ZERO else threshold >= 0
        missing_left = default_left if missing == MISSING_NAN else zero_left
        return _make_splits(column, _pieces(threshold, zero_left), missing_left, left, right, left_share)

    return read(0)


def _read_sets(tree: dict[str, str]) -> list[list[int]]:
    """The sets of categories that go left, as the bits of 32-bit words; all else and missing values go right."""
    if tree["num_cat"] == "0":
        return []
    bounds, words = ([int(value) for value in tree[name].split()] for name in ("cat_boundaries", "cat_threshold"))
    return [
        [bit + 32 * place for place, word in enumerate(words[start:end]) for bit in range(32) if word >> bit & 1]
        for start, end in pairwise(bounds)
    ]


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


def _make_splits(
    column: int, pieces: list[tuple[float, bool]], missing_left: bool, left: Node, right: Node, left_share: float
) -> Node:
    """One split for each interval but the last; nearly always a single split.

    Of several, the first has the share of its side, and those beyond lead all other rows to the other side: where a row
    is known to have gone is what counts, in which interval is not.
    """
    (upper, is_left), *rest = pieces
    here, there = (left, right) if is_left else (right, left)
    share = left_share if is_left else 1 - left_share
    beyond = _make_splits(column, rest, missing_left, left, right, float(not is_left)) if len(rest) > 1 else there
    return Split(column, upper, missing_left == is_left, here, beyond, share)
