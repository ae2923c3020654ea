"""Additive boosting of stumps, trees with two leaves: a step function of each field, all fitted together.

Bins are cut where these functions have steps, and scores are drawn to their values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from train.fitted.steps import Matrix
from train.fitted.trees import Split, Trees
from train.readers.columns import Column
from train.readers.sklearn_trees import read_hist_gradient_boosting
from train.scorecard.bins import FieldBins, Places
from train.scorecard.fields import FieldRule

LEARNING_RATE, L2 = 0.1, 5.0

MIN_ROWS = 20
"""Smallest number of training rows in a bin, but for missing values and rare levels."""

MIN_SHARE = 0.005
"""Smallest share of the training rows in a bin."""

PRIOR_ROWS = 20.0
"""Rows with the mean default rate that are added to each level before levels are ordered."""

Order = list[list[int]]
"""Groups of levels by rising default rate."""


@dataclass(frozen=True, slots=True)
class Cells:
    """A step function of a column, and the training rows on its steps.

    ends: the largest number of each step but the last, float64, (m − 1,). values, information: float64, (m,); rows:
    int64, (m,). missing: for a missing value.
    """

    ends: Matrix
    values: Matrix
    information: Matrix
    rows: Places
    missing: float


@dataclass(frozen=True, slots=True)
class Stumps:
    """Fitted stumps. columns: that they were fitted on, float64, (n, n_fields), categories as numbers of groups.

    orders: the groups of each category, None for a number. information: weight · p (1 − p) of each row, float64, (n,).
    """

    trees: Trees
    columns: Matrix
    orders: list[Order | None]
    information: Matrix

    def cells(self, column: int) -> Cells:
        """The sum of the stumps of a column."""
        x = self.columns[:, column]
        splits = [tree for tree in self.trees.trees if isinstance(tree, Split) and tree.column == column]
        ends = np.unique([split.threshold for split in splits if math.isfinite(split.threshold)])
        values, missing = np.zeros(len(ends) + 1), 0.0
        for split in splits:
            if isinstance(split.if_true, float) and isinstance(split.if_false, float):
                above = np.searchsorted(ends, split.threshold) + 1
                values[:above] += split.if_true
                values[above:] += split.if_false
                missing += split.if_true if split.missing_goes_true else split.if_false
        present = ~np.isnan(x)
        cell = np.searchsorted(ends, x[present], side="left")
        information = np.bincount(cell, self.information[present], minlength=len(values)).astype(np.float64)
        return Cells(ends, values, information, np.bincount(cell, minlength=len(values)), missing)

    def mean_scores(self, cells: Cells, bins: FieldBins, places: Places) -> Matrix:
        """The mean of a step function in each bin, less that of all rows; 0 for a bin without rows."""
        x = self.columns[:, bins.column]
        values = np.where(np.isnan(x), cells.missing, cells.values[np.searchsorted(cells.ends, x, side="left")])
        values = values - np.average(values, weights=self.information)
        total, weight = (
            np.bincount(places, part, minlength=bins.count + 1)
            for part in (self.information * values, self.information)
        )
        return np.divide(total, weight, out=np.zeros(len(total)), where=weight > 0)


def fit_stumps(rules: Sequence[FieldRule], X: Matrix, y: Places, weight: Matrix, rounds: int, seed: int) -> Stumps:
    """Stumps in the stated directions of risk.

    X: float64, shape (n, n_fields), categories as indices of levels; y: int64, shape (n,); weight: float64, shape (n,).
    """
    orders = [_order_levels(rule, x, y, weight) if rule.n_levels else None for rule, x in zip(rules, X.T, strict=True)]
    Z = np.column_stack([x if order is None else _to_ranks(x, order) for x, order in zip(X.T, orders, strict=True)])
    # The booster takes no column without values.
    Z = np.where(np.isnan(Z).all(axis=0), 0.0, Z)
    booster = HistGradientBoostingClassifier(
        max_leaf_nodes=2,
        learning_rate=LEARNING_RATE,
        max_iter=rounds,
        l2_regularization=L2,
        min_samples_leaf=MIN_ROWS,
        monotonic_cst=[rule.direction for rule in rules],
        early_stopping=False,
        random_state=seed,
    )
    # Its quantiles are far slower with weights.
    booster.fit(Z, y, sample_weight=weight if np.ptp(weight) else None)
    trees = read_hist_gradient_boosting(booster, tuple(Column("", None) for _ in rules)).function
    if not isinstance(trees, Trees):
        raise TypeError(f"expected trees, got {type(trees).__name__}")
    p = booster.predict_proba(Z)[:, 1]
    return Stumps(trees, Z, orders, weight * p * (1 - p))


def _order_levels(rule: FieldRule, x: Matrix, y: Places, weight: Matrix) -> Order:
    """Groups of levels by rising default rate; rare levels, and those without rows, are one group."""
    present = ~np.isnan(x)
    level = x[present].astype(np.int64)
    rows = np.bincount(level, minlength=rule.n_levels)
    people = np.bincount(level, weight[present], minlength=rule.n_levels)
    defaults = np.bincount(level, (weight * y)[present], minlength=rule.n_levels)
    least = max(MIN_ROWS, MIN_SHARE * len(x))
    rare = np.flatnonzero(rows < least).tolist()
    groups = [[number] for number in np.flatnonzero(rows >= least).tolist()] + ([rare] if rare else [])
    mean = float(np.average(y, weights=weight))
    rates = [(defaults[group].sum() + PRIOR_ROWS * mean) / (people[group].sum() + PRIOR_ROWS) for group in groups]
    return [groups[number] for number in np.argsort(rates, kind="stable")]


def _to_ranks(x: Matrix, order: Order) -> Matrix:
    """Levels as the number of their group."""
    return FieldBins(0, groups=tuple(map(tuple, order))).map([*range(len(order)), math.nan]).apply(x[:, None])
