"""A made-up portfolio of guaranteed loans to small businesses over fourteen years, which ends in a crisis.

Its columns resemble those of public tables of such loans; all values are drawn here. A loan's term is known to the
month: few of the round terms default and many of the others, as where a term was changed after the loan was in trouble.
The default rate and the relation drift from year to year; in the last three the rate rises, and the terms say less.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.portfolios import Levels, Portfolio, draw_outcomes, effects_of, names_of, pick

YEARS = tuple(range(1997, 2011))

CRISIS = 2008

ROWS = 40_000

ROUND_TERMS = (12, 24, 36, 48, 60, 84, 120, 180, 240, 300)
ROUND_SHARES = (0.03, 0.04, 0.09, 0.04, 0.15, 0.38, 0.11, 0.03, 0.08, 0.05)

SECTORS: Levels = {
    "44-45": (0.20, 0.35),
    "72": (0.11, 0.30),
    "81": (0.11, 0.05),
    "54": (0.10, -0.25),
    "23": (0.10, 0.20),
    "31-33": (0.10, -0.20),
    "62": (0.08, -0.90),
    "42": (0.08, 0.05),
    "48-49": (0.06, 0.40),
    "56": (0.04, 0.25),
    "53": (0.02, 0.80),
}
STATES: Levels = {
    "CA": (0.22, 0.15),
    "TX": (0.13, 0.00),
    "NY": (0.11, 0.05),
    "FL": (0.10, 0.45),
    "PA": (0.08, -0.20),
    "OH": (0.07, 0.00),
    "IL": (0.07, 0.25),
    "MN": (0.06, -0.35),
    "GA": (0.06, 0.40),
    "WI": (0.05, -0.45),
    "MT": (0.05, -0.60),
}
AREAS: Levels = {"urban": (0.62, 0.15), "rural": (0.18, -0.15), "unknown": (0.20, -0.50)}

TREND = 0.03
"""Rise of the log-odds in a year before the crisis."""


def draw_small_business(seed: int, rows: int = ROWS, years: Sequence[int] = YEARS) -> Portfolio:
    """Loans approved in these years, the same number in each; the target is `Default`."""
    random = np.random.default_rng(seed)
    year = np.array(years)[np.arange(rows) * len(years) // rows]
    is_crisis = year >= CRISIS
    sector, state, area = pick(random, SECTORS, rows), pick(random, STATES, rows), pick(random, AREAS, rows)
    is_new, is_franchise = random.random(rows) < 0.28, random.random(rows) < 0.06
    has_line, is_low_doc = random.random(rows) < 0.15 + 0.25 * (year > 2000), random.random(rows) < 0.12
    employees = np.round(np.exp(random.normal(1.6, 1.0, rows)))
    created = random.poisson(np.where(is_new, 3.0, 1.0))
    retained = np.where(random.random(rows) < 0.45, 0.0, employees)
    has_odd_term = random.random(rows) < 0.27 + 0.06 * is_crisis
    term = random.choice(ROUND_TERMS, rows, p=ROUND_SHARES).astype(np.float64)
    odd = np.clip(np.round(random.gamma(3.2, 20.0, rows)), 1, 299)
    term = np.where(has_odd_term, odd + np.isin(odd, ROUND_TERMS), term)
    amount = np.exp(random.normal(10.9 + 0.004 * np.minimum(term, 240), 0.9, rows))
    share = np.where(amount > 150_000, 0.75, np.where(has_line, 0.5, 0.85))

    log_odds = -5.2 + TREND * (year - YEARS[0]) + 1.0 * is_crisis
    odd_effect = np.where(term < 75, 8.2, np.where(term < 130, 4.2, 0.5)) - 0.15 * np.abs(term - 45) ** 0.5
    log_odds += has_odd_term * odd_effect * np.where(is_crisis, 0.85, 1.0)
    log_odds += np.where(~has_odd_term & (term >= 180), -1.6, 0.0) + np.where(~has_odd_term & (term <= 24), 1.2, 0.0)
    log_odds += effects_of(SECTORS, sector) * np.where(is_crisis, 1.6, 1.0) + effects_of(AREAS, area)
    log_odds += effects_of(STATES, state) * np.where(year > 2004, 2.0, 0.6)
    log_odds += is_new * (0.1 + 0.04 * (year - YEARS[0])) - 0.3 * is_franchise - 0.5 * is_low_doc * ~is_crisis
    log_odds += has_line * np.where(is_crisis, 0.9, 0.3) - 0.25 * np.log1p(employees)
    log_odds += 0.3 * (np.log(amount) - 11.5) * np.where(is_crisis, 1.0, -1.0)
    chance, defaults = draw_outcomes(random, log_odds)
    table = pd.DataFrame(
        {
            "ApprovalFY": year,
            "State": names_of(STATES, state),
            "Sector": names_of(SECTORS, sector),
            "Term": term.astype(np.int64),
            "NoEmp": employees.astype(np.int64),
            "NewExist": np.where(is_new, "new", "existing"),
            "CreateJob": created,
            "RetainedJob": retained.astype(np.int64),
            "Franchise": np.where(is_franchise, "Y", "N"),
            "UrbanRural": names_of(AREAS, area),
            "RevLineCr": np.where(has_line, "Y", "N"),
            "LowDoc": np.where(is_low_doc, "Y", "N"),
            "GrAppv": np.round(amount, -2).astype(np.int64),
            "SBA_Appv": np.round(amount * share, -2).astype(np.int64),
            "SameState": np.where(random.random(rows) < 0.6, "Y", "N"),
            "Default": defaults,
        }
    )
    return Portfolio(table, "Default", chance, allowed="Term")
