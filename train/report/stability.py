"""Population stability index (PSI) with its sampling noise.

Used by the report (hold-out against training rows) and by `python -m train drift` (any table against training rows).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtr, chndtr

from model.bins import Bins, Counts, count_values, find_bins, name_bins, published_counts
from model.contract import Field
from model.estimates import CONFIDENCE, Estimate
from model.stability import FALSE_ALARMS, ShiftVerdict, measure_noise, name_shift, psi
from train.dataset import Matrix
from train.weights import scale_effective

PROBABILITY = "Probability of default"


@dataclass(frozen=True, slots=True)
class Shift:
    """Shift in the distribution of one field, or of the predicted probability.

    psi: with a 95% interval for the index of the populations. noise: what samples of this size reach without a shift;
    FALSE_ALARMS says how seldom it is exceeded. names, before, after: name and share of each bin. unit: of the bin
    edges, '' for none.
    """

    label: str
    psi: Estimate
    noise: float
    names: tuple[str, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    unit: str = ""

    @property
    def verdict(self) -> ShiftVerdict:
        """What the index means; one within sampling noise is stable."""
        return name_shift(self.psi.value, self.noise)


def measure_shift(
    label: str, bins: Bins, values: Matrix, field: Field | None, compared: int, weight: Matrix | None = None
) -> Shift:
    """Compare values, float64, shape (n,), with reference bins; -1 is a level that the field doesn't list.

    weight: float64, (n,).
    """
    seen = count_weighted(values, bins, weight)
    shift = compare_counts(
        label, name_bins(bins, field.levels if field else ()), published_counts(bins, seen), seen, compared
    )
    return replace(shift, unit=field.unit) if field else shift


def count_weighted(values: Matrix, bins: Bins, weight: Matrix | None = None) -> Counts:
    """`count_values`; weighted counts are scaled to the effective number of rows, so that their noise is right."""
    scaled = scale_effective(weight)
    if scaled is None:
        return count_values(values, bins)
    return np.round(np.bincount(find_bins(values, bins), scaled, len(bins.counts) + 2)).astype(np.int64)


def measure_shifts(
    fields: Sequence[Field], bins: Sequence[Bins], applicants: Matrix, weight: Matrix | None = None
) -> list[Shift]:
    """`measure_shift` for each field of applicants, float64, shape (n, n_fields), beside that of the probability."""
    return [
        measure_shift(field.label, reference, column, field, len(fields) + 1, weight)
        for field, reference, column in zip(fields, bins, applicants.T, strict=True)
    ]


def compare_counts(label: str, names: Sequence[str], before: Counts, after: Counts, compared: int = 1) -> Shift:
    """Compare the counts of two samples in the same bins, int64, shape (n_bins,) each; one of `compared` indices."""
    is_used = (before + after) > 0
    before, after = before[is_used], after[is_used]
    scale = 1 / before.sum() + 1 / after.sum()
    freedom = max(len(before) - 1, 1)
    value = float(psi(before, after))
    return Shift(
        label=label,
        psi=_estimate_psi(value, scale, freedom),
        noise=float(measure_noise(before, after, FALSE_ALARMS / compared)),
        names=tuple(name for name, used in zip(names, is_used, strict=True) if used),
        before=tuple((before / before.sum()).tolist()),
        after=tuple((after / after.sum()).tolist()),
    )


def _estimate_psi(value: float, scale: float, freedom: int) -> Estimate:
    """The index of two samples, with a 95% interval for the index of their populations.

    Without a shift, index / (1/n + 1/m) has a χ² distribution with bins − 1 degrees of freedom (Yurdakul &
    Naranjo, Statistical properties of the population stability index, J. Risk Model Validation 14, 2020); with
    one, approximately the noncentral χ² around index / (1/n + 1/m), which is inverted here.
    """
    seen, tail = value / scale, (1 - CONFIDENCE) / 2

    def end(chance: float) -> float:
        """The index of the populations under which at most the observed index has probability `chance`; 0 if none."""
        if chdtr(freedom, seen) <= chance:
            return 0.0
        top = seen + 10 * np.sqrt(seen) + 50
        return float(brentq(lambda centre: chndtr(seen, freedom, centre) - chance, 0.0, top)) * scale

    return Estimate(value, min(end(1 - tail), value), max(end(tail), value))
