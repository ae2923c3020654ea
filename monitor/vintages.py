"""Vintages: cumulative default rate of the accepted applicants of a month, by months on book.

An outcome without default says only that nothing had happened up to its date: the applicant has been watched until
then (censored). So the rate is Kaplan and Meier's (Nonparametric estimation from incomplete observations, JASA 53,
1958): 1 − Π (1 − defaults / watched) over the days. An accepted applicant without any outcome isn't in it.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from monitor.history import DAY_MICROSECONDS, History, Integers, Small
from monitor.tally import group_by_month

MONTHS_ON_BOOK = 24

MONTH_DAYS = 30
"""After 90 days an applicant has been on book for 3 months."""

CALENDAR_DAYS = 30.4375
"""365.25 / 12: the end of a month on book that was counted by the calendar."""

MIN_WATCHED = 10
"""With fewer applicants one default would move the rate by 10 points."""

_MONTHS = np.arange(MONTHS_ON_BOOK + 1)

_FIRST, _LAST = _MONTHS * MONTH_DAYS, np.ceil(_MONTHS * CALENDAR_DAYS).astype(np.int64) + (_MONTHS > 0)
"""Days on which so many months on book may be over: of 30 days each, or by the calendar: 90 to 93 for 3."""


class Vintage(Struct, frozen=True):
    """The applicants accepted in a month (YYYY-MM), by the last word on them.

    `known`: those whose outcome is known and counts. `rates[m]`: share that has defaulted within m months, m from 0 to
    24: months of 30 days, or by the calendar where applicants have been watched for as long, so that a window of 92 or
    365 days ends with its month; None where fewer than 10 have been watched for so long.
    """

    month: str
    accepted: int
    known: int
    rates: list[float | None]


def make_vintages(history: History, defaulted: Small) -> list[Vintage]:
    """The vintages of a history; `defaulted`: −1 = unknown or left out, shape (n,)."""
    accepted = history.settled == 0
    age = np.maximum(history.outcome_day - history.time // DAY_MICROSECONDS, 0)
    vintages = []
    for month, rows in group_by_month(history.time):
        chosen = rows[accepted[rows]]
        known = chosen[defaulted[chosen] >= 0]
        if len(chosen):
            rates = estimate_rates(age[known], history.defaulted[known])
            vintages.append(Vintage(month, len(chosen), len(known), rates))
    return vintages


def estimate_rates(age: Integers, defaulted: Small) -> list[float | None]:
    """Share that has defaulted within 0, 1, … 24 months; age in days of default or of the last look, shape (n,)."""
    size = int(_LAST[-1]) + 2
    days = np.minimum(age, size - 1)
    leaving = np.bincount(days, minlength=size)
    watched = np.cumsum(leaving[::-1])[::-1]
    defaults = np.bincount(days[defaulted == 1], minlength=size)
    rates = 1 - np.cumprod(1 - defaults / np.maximum(watched, 1))
    # The last day on which enough are watched; watched never rises.
    seen = np.count_nonzero(watched >= MIN_WATCHED) - 1
    return [
        float(rates[min(last, seen)]) if seen >= first else None
        for first, last in zip(_FIRST.tolist(), _LAST.tolist(), strict=True)
    ]
