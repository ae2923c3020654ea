"""Our own scorecards: whole points, as columns that are added exactly in any order.

A column is the points of a field, or a field's part in a pair of fields, less its mean over the training rows, on a
grid so coarse that no sum rounds. The one division, by the factor of the points, comes last.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from train.fitted.binning import Binned, Cells
from train.fitted.linear import Linear
from train.fitted.steps import Matrix, Parallel, Steps
from train.readers.classifier import Classifier
from train.readers.ebm import split_table
from train.scorecard.points import bins_of, find_grid


def read_scorecard_classifier(model: Any) -> Classifier:
    """The points table of a fitted ScorecardClassifier."""
    card = model.scorecard_
    tables = [np.array(one.points, dtype=np.float64) for one in (*card.fields, *card.pairs)]
    grid = find_grid(card.offset, card.base, tables)
    intercept = card.offset - card.base
    n_fields = len(card.fields)
    scores = []
    for field, table, rows in zip(card.fields, tables, model.rows_, strict=False):
        mean = _round(float(table @ rows / rows.sum()), grid)
        intercept -= mean
        scores.append(bins_of(field).map((mean - table).tolist()))
    steps: Steps = (Binned(tuple(scores)),)
    if card.pairs:
        shares: list[Matrix] = []
        places: list[tuple[int, ...]] = []
        paired = sorted({field for pair in card.pairs for field in pair.fields})
        for pair, table, rows in zip(card.pairs, tables[n_fields:], model.rows_[n_fields:], strict=True):
            mean, (first, _) = split_table(table, rows)
            mean, first = _round(mean, grid), np.rint(first / grid) * grid
            intercept -= mean
            shares += [-first, mean + first - table]
            places += [tuple(paired.index(field) for field in pair.fields)] * 2
        parts = tuple(paired.index(field) for pair in card.pairs for field in pair.fields)
        binned = [card.fields[field] for field in paired]
        numbers = Binned(tuple(bins_of(field).map(range(len(field.points))) for field in binned))
        steps = (Parallel((steps, (numbers, Cells(tuple(shares), tuple(places), parts)))),)
    width = n_fields + 2 * len(card.pairs)
    function = Linear(np.ones(width), intercept, center=np.zeros(width), divisor=card.factor)
    return Classifier(function, steps=steps)


def _round(number: float, grid: float) -> float:
    return round(number / grid) * grid
