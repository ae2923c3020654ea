"""The scorecard as a classifier of scikit-learn; a candidate of training."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_array, check_is_fitted

from model.policy import MIN_PROBABILITY, Points
from model.scorecard import Scorecard, ScorecardField, ScorecardPair, sum_points
from train.errors import TrainingError
from train.fitted.links import Sigmoid
from train.fitted.steps import Matrix
from train.scorecard.binning import find_bins
from train.scorecard.bins import FieldBins, Places
from train.scorecard.facts import find_facts
from train.scorecard.fields import FieldRule
from train.scorecard.pairs import Pair, find_pair, make_pair
from train.scorecard.points import find_grid
from train.scorecard.rounding import find_largest, round_terms
from train.scorecard.stumps import fit_stumps
from train.scorecard.terms import CYCLES, FIRST_CYCLES, Term, add_up, fit_terms

LARGEST = math.log((1 - MIN_PROBABILITY) / MIN_PROBABILITY)
"""Log-odds beyond ± this have no points of their own (Policy.score_points)."""

SHRINKAGE = 0.9
"""Scores are multiplied by this until the sum of the most extreme points can be shown."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A scorecard before rounding: terms of the fields of `bins`, then of `pairs`, with its training rows."""

    bins: list[FieldBins]
    pairs: list[Pair]
    terms: list[Term]
    intercept: float
    y: Places
    weight: Matrix


class ScorecardClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """An additive model of whole points.

    `fields`: one for each column; categories are indices of levels, missing values NaN. `scale`: of the points.
    `max_bins`: of a field, beside that of missing values. `pairs`: the number of pairs of fields with points of their
    own. `penalty`: rows' information that pulls the score of a bin to the mean of the stumps in it. `pair_penalty`:
    that pulls the score of a pair's cell to 0. `step_cost`: the smallest gain in log-likelihood of one more bin.
    `rounds`: stumps that the bins are cut from.

    Fitted: `scorecard_`, the points table, and `rows_`, the training rows in the cells of each of its fields and then
    of its pairs, which reasons are relative to.
    """

    def __init__(
        self,
        fields: Sequence[FieldRule],
        scale: Points | None = None,
        max_bins: int = 8,
        pairs: int = 0,
        penalty: float = 100.0,
        pair_penalty: float = 100.0,
        step_cost: float = 0.0,
        rounds: int = 400,
        random_state: int = 0,
    ) -> None:
        self.fields = fields
        self.scale = scale
        self.max_bins = max_bins
        self.pairs = pairs
        self.penalty = penalty
        self.pair_penalty = pair_penalty
        self.step_cost = step_cost
        self.rounds = rounds
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit on X, float64, shape (n, n_fields), and two classes y, shape (n,); the second is default."""
        if self.scale is not None and self.scale.double < 1:
            raise TrainingError(
                f"the card has double = {self.scale.double:g}, where one whole point would more than double the odds; "
                "for a scorecard set double to 1 or more, best to 10 or more, or choose another --model"
            )
        X = check_array(X, dtype=np.float64, ensure_all_finite="allow-nan")
        self.classes_, classes = np.unique(np.asarray(y), return_inverse=True)
        if len(self.classes_) != 2:
            raise ValueError(f"the outcomes have {len(self.classes_)} classes, expected two: good and default")
        self.n_features_in_ = X.shape[1]
        y = classes.astype(np.int64)
        weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        weight = weight / weight.mean()
        stumps = fit_stumps(self.fields, X, y, weight, self.rounds, self.random_state)
        cells = [stumps.cells(column) for column in range(X.shape[1])]
        bins = find_bins(self.fields, stumps, cells, self.max_bins, self.step_cost)
        places = [own.place(X) for own in bins]
        terms = [
            Term(place, scores, (rule.direction,), self.penalty, scores)
            for rule, place, scores in zip(
                self.fields, places, map(stumps.mean_scores, cells, bins, places), strict=True
            )
        ]
        self._fitted = self._fit_terms(bins, terms, y, weight)
        self._round(self._fitted)
        return self

    def corrected(self, intercept: float, slope: float) -> Self:
        """A fitted scorecard whose log-odds before rounding are intercept + slope · those of this one."""
        own, moved = self._fitted, copy(self)
        terms = [replace(term, scores=term.scores * slope) for term in own.terms]
        moved._fitted = replace(own, terms=terms, intercept=intercept + slope * own.intercept)
        moved._round(moved._fitted)
        return moved

    def _fit_terms(self, bins: list[FieldBins], terms: list[Term], y: Places, weight: Matrix) -> Fitted:
        while True:
            intercept = fit_terms(terms, y, weight)
            ranges = np.array([np.ptp(term.scores) for term in terms])
            if ranges.sum() + abs(intercept) <= LARGEST or len(terms) == 1:
                break
            # The sum could exceed what points can show: only the strongest fields are kept.
            strongest = np.argsort(-ranges, kind="stable")
            fits = int((np.cumsum(ranges[strongest]) + abs(intercept) <= LARGEST).sum())
            kept = sorted(strongest[: max(fits, 1)].tolist())
            bins, terms = [bins[number] for number in kept], [terms[number] for number in kept]
        pairs: list[Pair] = []
        for _ in range(self.pairs):
            pair = find_pair(terms[: len(bins)], pairs, add_up(intercept, terms), y, weight, self.pair_penalty)
            if pair is None:
                break
            pairs.append(pair)
            terms.append(make_pair(terms[pair[0]], terms[pair[1]], self.pair_penalty))
            intercept = fit_terms(terms, y, weight, CYCLES if len(pairs) == self.pairs else FIRST_CYCLES)
        _fill_empty(terms[: len(bins)], weight)
        return Fitted(bins, pairs, terms, intercept, y, weight)

    def _round(self, fitted: Fitted) -> None:
        """Set `scorecard_` and `rows_`."""
        scale = self.scale or Points()
        bins, pairs, terms, weight = fitted.bins, fitted.pairs, fitted.terms, fitted.weight
        offset = scale.score - scale.factor * math.log(scale.odds)
        intercept = fitted.intercept
        while True:
            rounded = round_terms(terms, intercept, offset, scale.factor, weight)
            if find_largest(rounded, offset, scale.factor) <= LARGEST:
                break
            intercept += (1 - SHRINKAGE) * sum(float(np.average(term.values, weights=weight)) for term in terms)
            terms = [replace(term, scores=SHRINKAGE * term.scores) for term in terms]
        used = [
            number
            for number in range(len(bins))
            if np.ptp(rounded.points[number]) or any(number in pair for pair in pairs)
        ] or [0]
        base = rounded.base + sum(int(points.min()) for points in rounded.points)
        fields = []
        for number in used:
            own, points = bins[number], rounded.points[number]
            facts, value = find_facts(terms[number].places, own.count + 1, fitted.y, weight)
            fields.append(
                ScorecardField(
                    field=self.fields[own.column].name,
                    column=own.column,
                    edges=own.edges,
                    groups=own.groups,
                    points=tuple((points - points.min()).tolist()),
                    facts=facts,
                    information_value=value,
                )
            )
        tables = [
            ScorecardPair(
                (used.index(first), used.index(second)),
                tuple(tuple(row) for row in (points - points.min()).tolist()),
            )
            for (first, second), points in zip(pairs, rounded.points[len(bins) :], strict=True)
        ]
        self.rows_ = tuple(terms[number].count(weight) for number in (*used, *range(len(bins), len(terms))))
        grid = find_grid(offset, base, rounded.points)
        self.scorecard_ = Scorecard(base, round(offset / grid) * grid, scale.factor, tuple(fields), tuple(tables))

    def decision_function(self, X: Any) -> Matrix:
        """Log-odds of the second class, float64, shape (n,)."""
        check_is_fitted(self)
        X = check_array(X, dtype=np.float64, ensure_all_finite="allow-nan")
        points = sum_points(self.scorecard_, X).astype(np.float64)
        return (self.scorecard_.offset - points) / self.scorecard_.factor

    def predict_proba(self, X: Any) -> Matrix:
        """Probabilities of both classes: float64, shape (n, 2)."""
        p = Sigmoid().apply(self.decision_function(X))
        return np.column_stack([1 - p, p])

    def predict(self, X: Any) -> Any:
        """The likelier class of each row."""
        return self.classes_[(self.decision_function(X) > 0).astype(np.int64)]


def _fill_empty(terms: Sequence[Term], weight: Matrix) -> None:
    """Bins without training rows get the mean score, but numbers' bins in the order of a stated direction."""
    for term in terms:
        is_empty = np.bincount(term.places, minlength=term.scores.size) == 0
        if term.directions[0]:
            is_empty[:-1] = False
        term.scores[is_empty] = np.average(term.values, weights=weight)
