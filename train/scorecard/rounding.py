"""Whole points: the scores of all terms rounded together, so that the mean probability stays what it was.

One point is some per cent of the odds (3.5 % where 20 points double them), so that points which are rounded one by one,
or a rounded base, would move all probabilities. Here each term is fitted to what the others' rounding left of the
unrounded probabilities, and then single bins go to their other neighbour, those that bring the mean nearest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.calibration import expit
from train.fitted.steps import Matrix
from train.scorecard.bins import Places
from train.scorecard.terms import Term, add_up, project

CYCLES = 3
"""Rounds over all terms."""

SMALLEST = 1e-9
"""Information of a cell without rows."""

MOVES = 60
"""Most bins that are moved by one point for the mean probability."""

CALIBRATED = 1e-6
"""The mean probability is this near to the unrounded one, if bins can be found for it."""


@dataclass(frozen=True, slots=True)
class RoundedTerms:
    """`base`, and the points of each term's cells, int64: points = base + those of a row's cells."""

    base: int
    points: tuple[Places, ...]


def round_terms(terms: Sequence[Term], intercept: float, offset: float, factor: float, weight: Matrix) -> RoundedTerms:
    """Round fitted terms; log-odds of default = (offset − points) / factor."""
    aimed = expit(add_up(intercept, terms))
    base = round(offset - factor * intercept)
    points = [np.rint(-factor * term.scores).astype(np.int64) for term in terms]

    def log_odds() -> Matrix:
        total = np.full(len(weight), offset - base)
        for term, own in zip(terms, points, strict=True):
            total -= own.ravel()[term.places]
        return total / factor

    total = log_odds()
    for _ in range(CYCLES):
        for number, term in enumerate(terms):
            p = expit(total)
            information = term.count(weight * p * (1 - p)) + SMALLEST
            aim = -points[number] / factor + term.count(weight * (aimed - p)) / information
            moved = np.rint(-factor * project(aim, information, term.directions)).astype(np.int64)
            moved = np.clip(moved, points[number] - 1, points[number] + 1)
            total += ((points[number] - moved) / factor).ravel()[term.places]
            points[number] = moved
    for _ in range(MOVES):
        p = expit(log_odds())
        excess, information = float((weight * (p - aimed)).sum()), weight * p * (1 - p)
        if abs(excess) <= CALIBRATED * weight.sum():
            break
        # A point more takes the information of its rows from the excess, a point less adds it.
        step = 1 if excess > 0 else -1
        best = abs(abs(excess) - information.sum() / factor), -1, 0
        for number, term in enumerate(terms):
            left = np.abs(abs(excess) - term.count(information).ravel() / factor)
            for cell in np.argsort(left, kind="stable")[:3].tolist():
                if left[cell] < best[0] and _is_ordered(points[number], cell, step, term.directions):
                    best = float(left[cell]), number, cell
        if best[0] >= abs(excess):
            break
        if best[1] < 0:
            base += step
        else:
            points[best[1]].ravel()[best[2]] += step
    return RoundedTerms(base, tuple(points))


def find_largest(rounded: RoundedTerms, offset: float, factor: float) -> float:
    """The largest log-odds, of either sign, that any cells together give."""
    ends = (rounded.base + sum(int(limit(own)) for own in rounded.points) for limit in (np.min, np.max))
    return max(abs(offset - end) / factor for end in ends)


def _is_ordered(points: Places, cell: int, step: int, directions: tuple[int, ...]) -> bool:
    """Whether the risk still goes in the direction of each axis if a cell has `step` points more."""
    moved = points.copy()
    moved.ravel()[cell] += step
    return all(
        (np.diff(np.moveaxis(moved, axis, 0)[:-1], axis=0) * direction <= 0).all()
        for axis, direction in enumerate(directions)
        if direction
    )
