"""Numbers that move with time, such as the year of an approval or a number that counts up.

Every later applicant is beyond all that a model has seen of such a field. An inferred card doesn't use them; where
people wrote the card it is told.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from model.missing import blank_codes
from train.card import CardField
from train.contract import make_field
from train.dataset import MIN_VALUES, Dataset, Matrix
from train.target import Labels

CONCORDANT = 0.995
"""Share of pairs of rows, of those that differ in both, in which the later one has the larger number, or in which it
has the smaller one. Such a share is a Goodman-Kruskal gamma of 0.99; ties don't count, so that years move with days."""

MAX_ROWS = 20_000
"""Rows drawn of a longer column."""

PAIRS = 10
"""Pairs of each row, with other rows that are drawn."""


def draw_rows(n_rows: int) -> npt.NDArray[np.int64]:
    """The rows that are compared, int64, in random order: all, or MAX_ROWS of them."""
    return np.random.default_rng(0).permutation(n_rows)[:MAX_ROWS]


def moves_with(values: Matrix, time: Labels) -> bool:
    """Whether numbers, float64, shape (n,), NaN where missing, rise or fall with the time, int64, shape (n,).

    Of rows in random order. Two distinct numbers are a change, not a movement. The rows without the most frequent
    number must move too, else a field that began to be filled one day would.
    """
    known = np.isfinite(values)
    values, time = values[known], time[known]
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) < 3 or len(np.unique(time)) < 2:
        return False
    rest = values != distinct[counts.argmax()]
    if rest.sum() < MIN_VALUES:
        return False
    whole, part = _share_concordant(values, time), _share_concordant(values[rest], time[rest])
    return min(whole, part) >= CONCORDANT or max(whole, part) <= 1 - CONCORDANT


def explain_moving(time: str | None) -> str:
    """What is told of such a field."""
    return f"moves with the time {time}: every later applicant is beyond all that a model has seen"


def list_moving(data: Dataset, fields: Mapping[str, CardField]) -> list[str]:
    """The inputs of numbers that move with the time and aren't allowed; none without times."""
    if data.time is None:
        return []
    rows = draw_rows(len(data.time))
    X = blank_codes(data.X[rows], [make_field(name, field) for name, field in fields.items()])
    return [
        name
        for (name, field), column in zip(fields.items(), X.T, strict=True)
        if field.kind == "number" and not field.allow and moves_with(column, data.time[rows])
    ]


def _share_concordant(values: Matrix, time: Labels) -> float:
    """Of pairs that differ in both; 0.5 if there are too few to tell."""
    signs = np.concatenate(
        [np.sign(values - np.roll(values, step)) * np.sign(time - np.roll(time, step)) for step in range(1, PAIRS + 1)]
    )
    signs = signs[signs != 0]
    return float((signs > 0).mean()) if len(signs) >= MIN_VALUES else 0.5
