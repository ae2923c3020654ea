"""Pairs of fields whose bins together tell more than their points, chosen on what the single fields leave."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from model.calibration import expit
from train.fitted.steps import Matrix
from train.scorecard.bins import Places
from train.scorecard.terms import Term

Pair = tuple[int, int]

MOST_FIELDS = 30
"""Pairs are sought among this many fields, those with the most weight in the score."""


def find_pair(
    terms: Sequence[Term], taken: Sequence[Pair], total: Matrix, y: Places, weight: Matrix, penalty: float
) -> Pair | None:
    """The pair of fields with the largest gain in log-likelihood by a Newton step in each cell; None if there is none.

    `terms`: of the single fields; `total`: log-odds of all terms, float64, (n,).
    """
    p = expit(total)
    gradient, information = weight * (y - p), weight * p * (1 - p)
    spread = [
        float(np.average((term.values - np.average(term.values, weights=weight)) ** 2, weights=weight))
        for term in terms
    ]
    fields = sorted(np.argsort(spread, kind="stable")[::-1][:MOST_FIELDS].tolist())
    best, gain = None, 0.0
    for first, second in combinations([field for field in fields if spread[field] > 0], 2):
        if (first, second) in taken:
            continue
        cells = join(terms[first], terms[second])
        G, H = (np.bincount(cells, part) for part in (gradient, information))
        own = float((G**2 / (H + penalty)).sum())
        if own > gain:
            best, gain = (first, second), own
    return best


def join(first: Term, second: Term) -> Places:
    """The cell of each row in the table of two fields, a row for each bin of the first: int64, shape (n,)."""
    return first.places * second.scores.size + second.places


def make_pair(first: Term, second: Term, penalty: float) -> Term:
    """A term of both fields with scores 0."""
    scores = np.zeros((first.scores.size, second.scores.size))
    return Term(join(first, second), scores, first.directions + second.directions, penalty, scores)
