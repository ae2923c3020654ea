"""A race among settings of a candidate, on the folds: successive halving with early stopping.

All settings are measured on the first fold, the better half also on the second, and so on (Jamieson & Talwalkar,
AISTATS 2016); the default settings and the best ones with small trees on all, unless they are worse beyond doubt. The
number of trees is that of the smallest mean loss over the folds. Settings replace preferred ones only if they are
better beyond noise (Breiman et al., Classification and Regression Trees, 1984, section 3.4.3): large trees have
path-dependent reasons and a larger file. Where settings matter, the winner's neighbours then race against it. The same
data and seed run the same race, unless its time limit is reached.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from train.candidates import Candidate
from train.card import CardField
from train.cross_validation import Trial, measure_fold
from train.dataset import Dataset
from train.entrants import Entrant
from train.folds import FoldRows, make_folds
from train.staged import fit_staged

MATTERS = 0.02
"""The neighbours of the winner race too if its log loss is below that of the default settings by this share of it."""

HEAT_ROWS = 50_000
"""Larger tables have a heat before the first fold, on a sample of so many rows."""

NOISE, DOUBT = 1.0, 3.0
"""Standard errors beyond which settings are worse, and beyond which they end before the last fold."""

TREES = "max_iter"
"""The setting that early stopping chooses."""


@dataclass(frozen=True, slots=True)
class Race:
    """What a race found: the chosen trial, and all trials in the order in which they ended; `fits`: on one fold each.

    `is_cut_short`: whether the time limit ended it.
    """

    chosen: Trial
    trials: tuple[Trial, ...]
    fits: int
    is_cut_short: bool


class Racer:
    """The race of one candidate on one dataset.

    `record` gets each trial when it ends, `on_fit` is called after each fit, and `is_over` is asked before each; True
    ends the race.
    """

    def __init__(
        self,
        candidate: Candidate,
        data: Dataset,
        fields: list[CardField],
        seed: int,
        record: Callable[[Trial], None] = lambda trial: None,
        on_fit: Callable[[], None] = lambda: None,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self._candidate, self._data, self._fields, self._seed = candidate, data, fields, seed
        self._record, self._on_fit, self._is_over = record, on_fit, is_over
        self._folds = make_folds(data, seed)
        self._heat = draw_heat(self._folds[0], seed)
        self._trials: list[Trial] = []
        self._fits = 0
        self._is_cut_short = False

    def run(self) -> Race:
        """The race among the settings of the candidate, then that of the winner against its neighbours."""
        candidate = self._candidate
        default = Entrant(candidate.settings, is_default=True)
        winner = self._race([default, *(Entrant(candidate.settings | one) for one in candidate.race)])
        folds = min(len(default.fits), len(winner.fits))
        if not self._is_cut_short and (not folds or winner.loss(folds) < (1 - MATTERS) * default.loss(folds)):
            winner = self._race([winner, *map(Entrant, candidate.settings_nearby(winner.settings))])
        # Cut short, the best so far is still measured on all folds.
        for rows in self._folds[len(winner.fits) :]:
            self._fit(winner, rows)
        chosen = self._end(winner)
        return Race(chosen, tuple(self._trials), self._fits, self._is_cut_short)

    def _race(self, entrants: list[Entrant]) -> Entrant:
        """The winner; the trials of all others end."""
        racing = entrants if self._heat is None else self._run_heat(entrants, self._heat)
        for folds, rows in enumerate(self._folds, start=1):
            if len(racing) == 1:
                return racing[0]
            self._measure([entrant for entrant in racing if len(entrant.fits) < folds], rows)
            if self._is_cut_short:
                break
            racing = self._end_losers(racing, self._keep(racing, folds))
        winner = self._choose(racing)
        self._end_losers(racing, [winner])
        return winner

    def _run_heat(self, entrants: list[Entrant], rows: FoldRows) -> list[Entrant]:
        """The entrants that go on after a heat on a sample of the first fold."""
        twins = [Entrant(entrant.settings, entrant.is_default) for entrant in entrants]
        self._measure(twins, rows)
        kept = [self._choose(twins)] if self._is_cut_short else self._keep(twins, 1)
        self._end_losers(twins, kept)
        return [entrant for entrant, twin in zip(entrants, twins, strict=True) if any(twin is one for one in kept)]

    def _measure(self, entrants: list[Entrant], rows: FoldRows) -> None:
        for entrant in entrants:
            self._is_cut_short = self._is_cut_short or self._is_over()
            if self._is_cut_short:
                return
            self._fit(entrant, rows)

    def _fit(self, entrant: Entrant, rows: FoldRows) -> None:
        pipeline = self._candidate.build(self._fields, self._seed, entrant.settings)
        # The default settings with all of their trees, so that the winner isn't worse than they are.
        entrant.fits.append(fit_staged(pipeline, self._data, rows, stops_early=not entrant.is_default))
        self._fits += 1
        self._on_fit()

    def _keep(self, racing: list[Entrant], folds: int) -> list[Entrant]:
        """The better half, the first, and the best with small trees, unless worse beyond doubt; in their order."""
        ranked = sorted(racing, key=lambda entrant: entrant.loss(folds))
        best, small = ranked[0], [entrant for entrant in ranked if entrant.is_small]
        kept = [*ranked[: math.ceil(len(ranked) / 2)], racing[0], *small[:1]]
        return [
            entrant
            for entrant in racing
            if any(entrant is one for one in kept) and not entrant.is_worse(best, self._data, folds, DOUBT)
        ]

    def _choose(self, entrants: list[Entrant]) -> Entrant:
        """The first entrant that isn't worse than the best beyond noise, on the folds that all have measured.

        Entrants that no fold has measured yet, because the limit was reached, are left out.
        """
        measured = [entrant for entrant in entrants if entrant.fits]
        if not measured:
            return entrants[0]
        folds = min(len(entrant.fits) for entrant in measured)
        best = min(measured, key=lambda entrant: entrant.loss(folds))
        return next(entrant for entrant in measured if not entrant.is_worse(best, self._data, folds, NOISE))

    def _end_losers(self, racing: list[Entrant], kept: list[Entrant]) -> list[Entrant]:
        for entrant in racing:
            if entrant.fits and not any(entrant is one for one in kept):
                self._end(entrant)
        return kept

    def _end(self, entrant: Entrant) -> Trial:
        count = len(entrant.fits)
        predicted = entrant.predict(self._data.X, count)
        probability = np.full(len(self._data.y), np.nan)
        folds = []
        for fit, one in zip(entrant.fits, predicted, strict=True):
            probability[fit.rows.measured] = one
            folds.append(measure_fold(self._data.take(fit.rows.measured), one))
        trial = Trial(
            self._candidate,
            entrant.settings | {TREES: entrant.trees(count)},
            tuple(folds),
            sum(fit.seconds for fit in entrant.fits),
            probability,
            is_complete=count == len(self._folds) and entrant.fits[0].rows is self._folds[0],
        )
        self._trials.append(trial)
        self._record(trial)
        return trial


def draw_heat(fold: FoldRows, seed: int) -> FoldRows | None:
    """A random sample of HEAT_ROWS of the rows that a fold is fitted on, and of those that it measures.

    None if it has no more than that.
    """
    if len(fold.fitted) <= HEAT_ROWS:
        return None
    random = np.random.default_rng(seed)
    fitted, measured = (
        np.sort(random.choice(rows, min(len(rows), HEAT_ROWS), replace=False)) for rows in (fold.fitted, fold.measured)
    )
    return FoldRows(fitted, measured)
