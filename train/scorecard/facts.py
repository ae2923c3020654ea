"""What is printed beside the points of a bin: its share, default rate, weight of evidence and information value."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from model.bins import MIN_COUNT
from model.scorecard import BinFacts
from train.fitted.steps import Matrix
from train.scorecard.bins import Places

SMALLEST = 0.5
"""Goods or defaults that a bin with none of them counts as having, so that its weight of evidence is finite."""

UNKNOWN = BinFacts(None, None, None, None)


def find_facts(places: Places, count: int, y: Places, weight: Matrix) -> tuple[tuple[BinFacts, ...], float | None]:
    """The facts of each bin, the last for missing values, and the field's information value.

    places: the bin of each training row, int64, shape (n,). For privacy a bin of 1 to 19 rows has none, nor then has
    the field's information value. If such bins together have fewer than 20 rows, which are what the others lack, the
    smallest of the others has none either.
    """
    rows = np.bincount(places, minlength=count)
    people, bad = (np.bincount(places, part, minlength=count) for part in (weight, weight * y))
    good = people - bad
    hidden = _find_hidden(np.minimum(rows, people.round()), rows > 0)
    facts = []
    for number in range(count):
        if not rows[number]:
            facts.append(BinFacts(0.0, None, None, 0.0))
        elif number in hidden:
            facts.append(UNKNOWN)
        else:
            goods, bads = (max(float(part[number]), SMALLEST) / float(part.sum()) for part in (good, bad))
            woe = math.log(goods / bads)
            share, rate = float(people[number] / people.sum()), float(bad[number] / people[number])
            facts.append(BinFacts(share, rate, woe, (goods - bads) * woe))
    values = [one.iv for one in facts]
    total = None if None in values else math.fsum(value for value in values if value is not None)
    return tuple(facts), total


def _find_hidden(sizes: Matrix, is_filled: npt.NDArray[np.bool_]) -> set[int]:
    """The bins without facts: those of fewer than MIN_COUNT, and one more if these together are fewer."""
    filled = sorted(np.flatnonzero(is_filled).tolist(), key=lambda number: float(sizes[number]))
    hidden = [number for number in filled if sizes[number] < MIN_COUNT]
    if hidden and sizes[hidden].sum() < MIN_COUNT:
        hidden = filled[: len(hidden) + 1]
    return set(hidden)
