"""Whether other applicants are like those a model learnt from: the population stability index and its noise.

Used by the report (those held out against the rest) and by `python -m train drift` (any table).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtr, chndtr
from scipy.stats import chi2

from model.bins import Bins
from model.contract import Field
from train.bins import Counts, count, name_bins, published
from train.dataset import Matrix
from train.report.intervals import LEVEL, Estimate

WATCH, ACT = 0.10, 0.25
"""The usual thresholds of the index (Siddiqi, Credit Risk Scorecards, 2006, chapter 9)."""

PROBABILITY = "Probability of default"


@dataclass(frozen=True, slots=True)
class Shift:
    """How far one field (or the probability) has moved.

    psi: with the interval of what it would be without sampling noise. noise: what 95 of 100 samples of this size
    stay below if nothing has moved. names, before, after: each bin's name and share. unit: of the bins, if any.
    """

    label: str
    psi: Estimate
    noise: float
    names: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    unit: str = ""

    @property
    def verdict(self) -> str:
        """'stable', 'watch' or 'moved'; an index that noise explains is stable, however large."""
        if self.psi.value <= self.noise or self.psi.value < WATCH:
            return "stable"
        return "watch" if self.psi.value < ACT else "moved"


def measure_shift(label: str, bins: Bins, values: Matrix, field: Field | None) -> Shift:
    """Compare values, float64, shape (n,), with the applicants that bins tell of; -1 is a level nobody listed."""
    shift = compare_counts(label, name_bins(bins, field), published(bins), count(values, bins))
    return replace(shift, unit=field.unit) if field else shift


def measure_shifts(fields: Sequence[Field], bins: Sequence[Bins], applicants: Matrix) -> list[Shift]:
    """The same for each field of applicants, float64, shape (n, n_fields)."""
    return [
        measure_shift(field.label, reference, column, field)
        for field, reference, column in zip(fields, bins, applicants.T, strict=True)
    ]


def compare_counts(label: str, names: Sequence[str], before: Counts, after: Counts) -> Shift:
    """Compare how two groups of people spread over the same bins: int64, shape (n_bins,) each."""
    is_used = (before + after) > 0
    before, after = before[is_used], after[is_used]
    scale = 1 / before.sum() + 1 / after.sum()
    freedom = max(len(before) - 1, 1)
    value = psi(before, after)
    return Shift(
        label=label,
        psi=_without_noise(value, scale, freedom),
        noise=float(scale * chi2.ppf(LEVEL, freedom)),
        names=tuple(name for name, used in zip(names, is_used, strict=True) if used),
        before=tuple((before / before.sum()).tolist()),
        after=tuple((after / after.sum()).tolist()),
    )


def psi(before: Counts, after: Counts) -> float:
    """Population stability index Σ (a − b) · ln(a / b) of counts in the same bins, shape (n_bins,); 0 of itself.

    Half a person is added to each bin, so that an empty one doesn't make it infinite.
    """
    b, a = ((counts + 0.5) / (counts + 0.5).sum() for counts in (before, after))
    return float(np.sum((a - b) * np.log(a / b)))


def _without_noise(value: float, scale: float, freedom: int) -> Estimate:
    """The interval of the index itself, given what was seen on samples.

    Without a shift, index / (1/n + 1/m) has a χ² distribution with bins − 1 degrees of freedom (Yurdakul &
    Naranjo, Statistical properties of the population stability index, J. Risk Model Validation 14, 2020); with
    one, approximately the noncentral χ² around index / (1/n + 1/m), which is inverted here.
    """
    seen, tail = value / scale, (1 - LEVEL) / 2

    def end(chance: float) -> float:
        """The noncentrality under which `seen` has this chance to be exceeded or met from below."""
        if chdtr(freedom, seen) <= chance:
            return 0.0
        top = seen + 10 * np.sqrt(seen) + 50
        return float(brentq(lambda centre: chndtr(seen, freedom, centre) - chance, 0.0, top)) * scale

    return Estimate(value, min(end(1 - tail), value), max(end(tail), value))
