"""Predicted and observed default rate by period of application: whether a model holds as time goes on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.bins import MIN_COUNT
from model.estimates import Estimate, auc
from train.report.group_figures import compare_rates
from train.report.intervals import share_of
from train.report.out_of_sample import OutOfSample
from train.target import Labels
from train.weights import Flags, select, weighted_mean

UNITS = (1, 3, 12, 24, 60, 120)
"""Lengths of a period, in months: a month, a quarter, one or several years."""

YEAR = 12

MAX_PERIODS = 24

TYPICAL_ROWS, TYPICAL_DEFAULTS = 100, 10
"""The smallest numbers of applications and defaults in the median period."""


@dataclass(frozen=True, slots=True)
class Period:
    """Applications of one period, either of the hold-out or not.

    first_day: of the period, days since 1970. ratio: mean predicted probability divided by default rate.
    """

    title: str
    first_day: int
    is_held_out: bool
    count: int
    default_rate: Estimate
    mean_probability: float
    ratio: Estimate
    auc: Estimate


def measure_periods(sample: OutOfSample) -> tuple[Period, ...]:
    """The periods in order, empty if the sample has no times; a period that the hold-out begins in is there twice.

    Periods of fewer than 20 applications are left out, since they could identify people.
    """
    if sample.time is None:
        return ()
    months = sample.time.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    unit = choose_unit(months, sample.y)
    starts = months // unit * unit
    is_held_out = np.zeros(len(sample.y), np.bool_)
    is_held_out[sample.holdout_rows] = True
    parts = (
        (start, is_held, (starts == start) & (is_held_out == is_held))
        for start in np.unique(starts).tolist()
        for is_held in (False, True)
    )
    return tuple(
        _measure(sample, start, unit, is_held, rows) for start, is_held, rows in parts if rows.sum() >= MIN_COUNT
    )


def choose_unit(months: Labels, y: Labels) -> int:
    """The shortest unit, in months, of which the median period has enough applications and defaults.

    There are at most MAX_PERIODS periods. Of units with the same periods it is the longest, such as a year for a column
    of years. Where no unit has enough, it is the shortest of a year or more. months: int64, shape (n,), since 1970.
    """
    fitting = []
    for unit in UNITS:
        _, places, counts = np.unique(months // unit, return_inverse=True, return_counts=True)
        if len(counts) <= MAX_PERIODS or unit == UNITS[-1]:
            defaults = np.bincount(places, y)
            is_enough = np.median(counts) >= TYPICAL_ROWS and np.median(defaults) >= TYPICAL_DEFAULTS
            fitting.append((unit, len(counts), is_enough))
    enough = [one for one in fitting if one[2]] or [one for one in fitting if one[0] >= YEAR]
    n_periods = enough[0][1]
    return max(unit for unit, number, _ in enough if number == n_periods and unit <= max(YEAR, enough[0][0]))


def _measure(sample: OutOfSample, start: int, unit: int, is_held_out: bool, rows: Flags) -> Period:
    y, probability, weight = sample.y[rows], sample.probability[rows], select(sample.weight, rows)
    return Period(
        title=name_period(start, unit),
        first_day=int(np.datetime64(start, "M").astype("datetime64[D]").astype(np.int64)),
        is_held_out=is_held_out,
        count=len(y),
        default_rate=share_of(y == 1, weight),
        mean_probability=weighted_mean(probability, weight),
        ratio=compare_rates(y, probability, weight),
        auc=auc(y, probability, weight),
    )


def name_period(start: int, unit: int) -> str:
    """2006-04, 2006 Q2, 2006, or 2006–2010; start: months since 1970."""
    year, month = 1970 + start // 12, start % 12
    if unit == 1:
        return f"{year}-{month + 1:02}"
    if unit == 3:
        return f"{year} Q{month // 3 + 1}"
    return f"{year}" if unit == 12 else f"{year}–{year + unit // 12 - 1}"
