"""Explainable boosting machines (interpret): additive tables of one, two or more fields, with their training counts.

The log-odds are `intercept_` plus one cell of each table in `term_scores_`. An axis of a table has the bins of a field:
0 for a missing value, then the intervals between the cuts, each with its lower end (`cuts <= x`), or the words of a
category, and last a bin for what is no number or no known word (`eval_terms` in interpret's _bin.py). `bins_` holds the
cuts by the size of the term: the first for terms of one field, the next, coarser, for pairs, and so on.

`bin_weights_` counts the training rows of every cell, so that Shapley values relative to all training rows are known
for each cell. They are the columns of a linear model here: no reference applicants are needed.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np

from train.fitted.binning import Binned, Cells, Intervals, make_exact
from train.fitted.linear import Linear
from train.fitted.steps import Matrix
from train.readers.classifier import Classifier
from train.readers.columns import Column, encode, learn_levels

Columns = tuple[Column, ...]


def read_ebm(model: Any, columns: Columns) -> Classifier:
    """The tables of a fitted ExplainableBoostingClassifier with two classes; raises ValueError for another link."""
    if model.link_ != "logit":
        raise ValueError(
            f"an {type(model).__name__} with the link {model.link_!r} can't be exported; fit two classes with log_loss"
        )
    intervals: list[Intervals] = []
    place: dict[tuple[int, int], int] = {}
    tables: list[Matrix] = []
    places: list[tuple[int, ...]] = []
    parts: list[int] = []
    intercept = float(np.ravel(model.intercept_)[0])
    for fields, scores, weights in zip(model.term_features_, model.term_scores_, model.bin_weights_, strict=True):
        axes = []
        for field, size in zip(fields, scores.shape, strict=True):
            levels = model.bins_[field]
            key = (field, min(len(levels), len(fields)) - 1)
            if key not in place:
                place[key] = len(intervals)
                intervals.append(_read_bins(field, levels[key[1]], size, columns))
            axes.append(place[key])
        mean, shapley = split_table(scores, weights)
        intercept += mean
        tables.extend(shapley)
        places.extend([tuple(axes)] * len(axes))
        parts.extend(axes)
    function = Linear(np.ones(len(tables)), intercept, center=np.zeros(len(tables)))
    return Classifier(function, steps=(Binned(tuple(intervals)), Cells(tuple(tables), tuple(places), tuple(parts))))


def _read_bins(field: int, bins: Any, size: int, columns: Columns) -> Intervals:
    """A field's value → its bin number; `size`: the number of bins."""
    if not isinstance(bins, dict):
        below = np.nextafter(np.asarray(bins, dtype=np.float64), -np.inf)
        return Intervals(field, below, np.arange(1.0, len(below) + 2), missing=0.0)
    numbers = {float(word): float(number) for word, number in bins.items() if _is_number(word)}
    if len(numbers) < len(bins):
        column = columns[field]
        learn_levels(column, list(bins), is_open=True)
        numbers = {encode(word, column): float(number) for word, number in bins.items()}
    return make_exact(field, numbers, other=float(size - 1), missing=0.0)


def _is_number(word: str) -> bool:
    """Whether a category is a number as interpret writes it."""
    try:
        number = float(word)
    except ValueError:
        return False
    return math.isfinite(number) and repr(number).removesuffix(".0") == word


def split_table(scores: Matrix, weights: Matrix) -> tuple[float, list[Matrix]]:
    """The mean of a table over the training rows, and for each axis the Shapley values of its field in every cell.

    Mean and Shapley values of a cell add up to its score. A field outside the coalition takes the values of the
    training rows, counted by `weights`, of the same shape.
    """
    axes = range(scores.ndim)
    share = weights / weights.sum()

    def known(coalition: tuple[int, ...]) -> Matrix:
        """The mean score if only the fields of the coalition are known."""
        hidden = tuple(axis for axis in axes if axis not in coalition)
        seen: Matrix = (scores * share.sum(axis=coalition, keepdims=True)).sum(axis=hidden, keepdims=True)
        return seen if hidden else scores

    shapley = []
    for axis in axes:
        others = [other for other in axes if other != axis]
        total = np.zeros(scores.shape)
        for size in range(len(others) + 1):
            chance = 1 / (scores.ndim * math.comb(len(others), size))
            for coalition in combinations(others, size):
                total += chance * (known(tuple(sorted((*coalition, axis)))) - known(coalition))
        shapley.append(total)
    return float(known(()).sum()), shapley
