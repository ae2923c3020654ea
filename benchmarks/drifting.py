"""Made-up portfolios with a month of application: one that never changes, and one that breaks at a known month.

The applicants are those of benchmarks/simulator.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.portfolios import Portfolio
from benchmarks.simulator import FIELDS, LEVELS, NUMBERS, Change, Lender, draw_applicants

MONTHS = 24

BREAK = 19
"""The first month, counted from 0, of the newest fifth of the rows."""

MONTHLY = 500

LENDER = Lender()

STABLE: tuple[Change, ...] = ()

BROKEN = (Change(BREAK, "Debt", shift=0.4, effects=(("Debt", -0.2), ("Employment", 0.3)), default_rate=2.5),)
"""More debt, which then says the opposite of before, as employment does; everybody's chance of default × 2.5."""


def draw_months(
    seed: int, changes: Sequence[Change], months: Sequence[int] = range(MONTHS), monthly: int = MONTHLY
) -> Portfolio:
    """So many applicants in each of these months, counted from 0, after the changes so far; the target is `Default`.

    The `week` of a change is the month here.
    """
    random = np.random.default_rng(seed)
    parts = [
        draw_applicants(random, LENDER, monthly, [change for change in changes if month >= change.week])
        for month in months
    ]
    X, chance = np.concatenate([part.X for part in parts]), np.concatenate([part.chance for part in parts])
    month = np.datetime64("2023-01", "M") + np.repeat(months, monthly)
    table = pd.DataFrame({"Month": month.astype(str)} | dict(zip(FIELDS, X.T, strict=True)))
    for name, levels in LEVELS.items():
        table[name] = np.array(list(levels), dtype=object)[table[name].astype(int)]
    table["Employment"] = table["Employment"].round()
    table["Default"] = (random.random(len(chance)) < chance).astype(int)
    return Portfolio(table.round(dict.fromkeys(NUMBERS, 2)), "Default", chance)
