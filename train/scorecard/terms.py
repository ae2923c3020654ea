"""The scores of a scorecard's bins and cells, fitted together: penalized likelihood, in the stated order of risk.

Block coordinate descent: a Newton step for all cells of one term, then its projection onto the order of risk (isotonic
regression weighted by the information; Robertson, Wright and Dykstra, Order Restricted Statistical Inference, 1988).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.calibration import expit
from train.fitted.steps import Matrix
from train.scorecard.bins import Places

CYCLES = 40
"""Most rounds over all terms."""

FIRST_CYCLES = 8
"""Rounds before another pair is chosen."""

TOLERANCE = 1e-3
"""Log-odds: the rounds end when no score moves by more."""

SWEEPS = 4
"""Alternating projections of a table whose fields both have a direction."""


@dataclass(slots=True)
class Term:
    """A table of scores by one or two fields' bins, missing values last on each axis.

    `places`: the cell of each training row in the flattened table, int64, (n,). `directions`: of each axis, as in
    FieldRule. `penalty`: rows' information that pulls a score to the one in `prior`.
    """

    places: Places
    scores: Matrix
    directions: tuple[int, ...]
    penalty: float
    prior: Matrix

    @property
    def values(self) -> Matrix:
        """The score of each training row, float64, (n,)."""
        picked: Matrix = self.scores.ravel()[self.places]
        return picked

    def count(self, amounts: Matrix) -> Matrix:
        """The sums of the rows' amounts in each cell."""
        sums: Matrix = np.bincount(self.places, amounts, minlength=self.scores.size).astype(np.float64)
        return sums.reshape(self.scores.shape)


def add_up(intercept: float, terms: Sequence[Term]) -> Matrix:
    """The log-odds of each training row: float64, (n,)."""
    total = np.full(len(terms[0].places), intercept)
    for term in terms:
        total += term.values
    return total


def fit_terms(terms: Sequence[Term], y: Places, weight: Matrix, cycles: int = CYCLES) -> float:
    """Fit the scores of all terms, in log-odds of default, starting from what they are; returns the intercept."""
    mean = float(np.average(y, weights=weight))
    intercept = float(np.log(mean / (1 - mean)))
    total = add_up(intercept, terms)
    for _ in range(cycles):
        largest = 0.0
        for term in terms:
            p = expit(total)
            gradient, information = term.count(weight * (y - p)), term.count(weight * p * (1 - p))
            aim = term.scores + (gradient - term.penalty * (term.scores - term.prior)) / (information + term.penalty)
            moved = project(np.clip(aim, term.scores - 2, term.scores + 2), information + term.penalty, term.directions)
            largest = max(largest, float(np.abs(moved - term.scores).max()))
            total += (moved - term.scores).ravel()[term.places]
            term.scores = moved
        p = expit(total)
        step = float((weight * (y - p)).sum() / (weight * p * (1 - p)).sum())
        intercept, total = intercept + step, total + step
        if max(largest, abs(step)) < TOLERANCE:
            break
    return intercept


def project(scores: Matrix, weight: Matrix, directions: tuple[int, ...]) -> Matrix:
    """The nearest scores in which the risk goes in the direction of each axis; missing values are free."""
    stated = [axis for axis, direction in enumerate(directions) if direction]
    if not stated:
        return scores
    for _ in range(SWEEPS if len(stated) > 1 else 1):
        for axis in stated:
            scores = _project_axis(scores, weight, axis, directions[axis])
    # What is left after the last sweep is small.
    for axis in stated if len(stated) > 1 else []:
        inner = np.moveaxis(scores, axis, 0)[:-1]
        limit = np.maximum if directions[axis] > 0 else np.minimum
        inner[:] = limit.accumulate(inner, axis=0)
    return scores


def _project_axis(scores: Matrix, weight: Matrix, axis: int, direction: int) -> Matrix:
    """Isotonic regression along an axis: the largest over starts of the smallest over ends of the mean between."""
    inner, heavy = (np.moveaxis(part, axis, -1)[..., :-1] for part in (direction * scores, weight))
    sums, weights = (
        np.concatenate([np.zeros((*part.shape[:-1], 1)), np.cumsum(part, axis=-1)], axis=-1)
        for part in (heavy * inner, heavy)
    )
    start, end = np.indices((inner.shape[-1],) * 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (sums[..., None, 1:] - sums[..., :-1, None]) / (weights[..., None, 1:] - weights[..., :-1, None])
    mean = np.where(end >= start, mean, np.inf)
    least = np.minimum.accumulate(mean[..., ::-1], axis=-1)[..., ::-1]
    result = scores.copy()
    np.moveaxis(result, axis, -1)[..., :-1] = direction * np.where(end >= start, least, -np.inf).max(axis=-2)
    return result
