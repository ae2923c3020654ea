"""From which age on a decision's outcome counts: defaults often become known long before it is known who paid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from model.formatting import format_count

Integers = npt.NDArray[np.integer[Any]]

EARLY = 0.9
"""Defaults become known early if their median age is below this part of that of the other outcomes."""

MATURE = 0.95
"""Share of the outcomes without default that are known at the age that counts as mature."""

KNOWN = 0.9
"""Younger decisions count as well if the share of them with an outcome is this part of that of the mature ones."""

DAY = 86_400_000_000
"""Microseconds."""


class Maturity(Struct, frozen=True):
    """From which age on decisions count, so that those whose default became known early don't count alone.

    `days`: age; 0 = all with an outcome. `window`: the performance window in days, if one was given: a default counts
    within so many days. `left_out`: decisions with an outcome that doesn't count.
    """

    days: int
    window: int | None
    left_out: int


class Known(Struct, frozen=True):
    """Outcomes that count. `defaulted`: int8, shape (n,), 0 or 1, −1 = unknown or left out."""

    defaulted: npt.NDArray[np.int8]
    maturity: Maturity


def choose_outcomes(
    time: Integers, outcome_day: Integers, defaulted: Integers, at: int, window: int | None = None
) -> Known:
    """The outcomes of decisions that count at a time; arrays of shape (n,), in any order.

    `time`: of the decisions, microseconds since 1970, as `at`. `outcome_day`: days since 1970. `defaulted`: 0 or 1,
    −1 = unknown: of applicants who were accepted, so that it is seen whose outcome is yet to come.
    `window`: the performance window in days. None: where defaults become known earlier than the other outcomes,
    decisions count from the age at which 95% of the others are known. So they do within a shorter window, unless as
    many of the younger ones have an outcome. 0: all outcomes count. The age is that on the last day with an outcome
    without default, as outcomes may be recorded once a month.
    """
    # Somewhere it is the next day already.
    is_known = (defaulted >= 0) & (outcome_day <= at // DAY + 1)
    decided = time // DAY
    age = np.maximum(outcome_day - decided, 0)
    is_default, is_good = is_known & (defaulted == 1), is_known & (defaulted == 0)
    last = outcome_day[is_good].max(initial=-1)
    counts = is_known
    if window:
        mature = _find_full_age(window, age[is_good], last - decided, is_known)
        counts = counts & ((is_default & (age <= window)) | (age >= window))
        is_default = is_default & (age <= window)
    else:
        mature = 0 if window == 0 else _find_mature_age(age[is_default], age[is_good])
    if mature:
        counts = counts & (decided + mature < last)
    left_out = int(np.count_nonzero(is_known & ~counts))
    return Known(np.where(counts, is_default, -1).astype(np.int8), Maturity(mature, window, left_out))


def describe_maturity(maturity: Maturity) -> str:
    """Which outcomes count, and why."""
    days, window = format_count(maturity.days), format_count(maturity.window or 0)
    if not maturity.days:
        return "all that are known count"
    if maturity.window is None:
        return (
            f"decisions count from an age of {days} days (read off the record), as it is known later who didn't "
            "default than who did; --maturity DAYS gives a performance window instead"
        )
    later = "" if maturity.days <= maturity.window else ", when it is known who didn't default"
    return (
        f"a default counts within {window} days, the performance window, and decisions from an age of {days} days on"
        f"{later}; the level of the probabilities can be compared with these only if the model was trained on defaults "
        f"within {window} days"
    )


def _find_mature_age(defaults: Integers, goods: Integers) -> int:
    """Days from which on outcomes are complete, by the ages at which they became known."""
    if not len(defaults) or (len(goods) and np.median(defaults) >= EARLY * np.median(goods)):
        return 0
    return max(1, math.ceil(np.quantile(goods, MATURE))) if len(goods) else int(defaults.max()) + 1


def _find_full_age(window: int, goods: Integers, age: Integers, is_known: npt.NDArray[np.bool_]) -> int:
    """Days from which on it is known who hadn't defaulted within the window; `age`: of the decisions by now.

    Those without default may be reported again and again, at ever higher ages: then the window itself will do.
    """
    full = math.ceil(np.quantile(goods, MATURE)) if len(goods) else 0
    younger, mature = is_known[(age > window) & (age <= full)], is_known[age > full]
    if full <= window or not len(younger) or (len(mature) and younger.mean() >= KNOWN * mature.mean()):
        return window
    return full
