"""A made-up portfolio of home equity loans: informative missing values, repeated customers, strong local structure.

Shaped after the public description of the HMEQ table (5,960 rows, 12 fields, one in five defaults); all values are
drawn here. Larger trees and more of them gain a lot on it, because a customer's rows resemble each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.portfolios import Levels, Portfolio, Vector, draw_outcomes, effects_of, names_of, pick

ROWS = 5_960

CUSTOMERS = 4_800
"""Each has several rows, the figures of one moment beside those of another."""

JOBS: Levels = {
    "Other": (0.42, 0.1),
    "ProfExe": (0.22, -0.3),
    "Office": (0.17, -0.6),
    "Mgr": (0.13, 0.2),
    "Self": (0.04, 0.7),
    "Sales": (0.02, 0.9),
}
REASONS: Levels = {"DebtCon": (0.69, 0.0), "HomeImp": (0.31, 0.2)}

MISSING = {"REASON": 0.04, "JOB": 0.045, "YOJ": 0.085, "DEROG": 0.115, "DELINQ": 0.095, "CLAGE": 0.05, "NINQ": 0.085}
"""Field → share of customers without a value."""


def draw_home_equity(seed: int, rows: int = ROWS) -> Portfolio:
    """A portfolio; `chance` is that of each row's customer, whose rows all have the same outcome."""
    random = np.random.default_rng(seed)
    n = round(CUSTOMERS * rows / ROWS)
    value = np.exp(random.normal(11.4, 0.45, n))
    mortgage = value * np.clip(random.normal(0.72, 0.16, n), 0.05, 1.2)
    loan = np.exp(random.normal(9.7, 0.5, n))
    debt = random.normal(34.0, 8.0, n)
    years, age = random.gamma(1.6, 5.5, n), random.gamma(4.5, 40.0, n)
    derogatory, delinquent = random.poisson(random.gamma(0.25, 1.0, n)), random.poisson(random.gamma(0.35, 1.3, n))
    inquiries, lines = random.poisson(random.gamma(1.2, 1.0, n)), random.poisson(random.gamma(6.0, 3.5, n))
    job, reason = pick(random, JOBS, n), pick(random, REASONS, n)
    has_no_debt, has_no_value = random.random(n) < 0.21, random.random(n) < 0.02

    log_odds = -4.3 + effects_of(JOBS, job) + effects_of(REASONS, reason)
    log_odds += 5.0 * has_no_debt + 2.5 * has_no_value + np.where(has_no_debt, 0.0, 6.0 * (debt > 43.5))
    log_odds += 1.1 * np.minimum(delinquent, 4) + 0.8 * np.minimum(derogatory, 4) + 0.25 * np.minimum(inquiries, 6)
    log_odds -= 0.012 * np.clip(age - 170.0, -120.0, 150.0)
    # Pockets: each depends on two or three fields at once.
    log_odds += 2.2 * ((loan < 9_000.0) & (mortgage / value > 0.75)) - 1.5 * ((lines > 15) & (lines < 24) & (years > 8))
    log_odds += 1.8 * ((lines < 10) & (value < 75_000.0)) + 2.0 * ((years < 3.0) & (age < 120.0) & (loan > 18_000.0))
    chance, defaults = draw_outcomes(random, 1.3 * log_odds - 1.8)

    customer = np.sort(random.integers(0, n, rows))
    n_missing = {name: (random.random(n) < share)[customer] for name, share in MISSING.items()}
    columns: dict[str, Any] = {
        "BAD": defaults[customer],
        "LOAN": np.round(_vary(random, loan[customer], 0.04), -2),
        "MORTDUE": np.where(random.random(rows) < 0.08, np.nan, np.round(_vary(random, mortgage[customer], 0.02))),
        "VALUE": np.where(has_no_value[customer], np.nan, np.round(_vary(random, value[customer], 0.02))),
        "REASON": names_of(REASONS, reason)[customer],
        "JOB": names_of(JOBS, job)[customer],
        "YOJ": np.round(years[customer]),
        "DEROG": derogatory[customer].astype(np.float64),
        "DELINQ": delinquent[customer].astype(np.float64),
        "CLAGE": np.round(_vary(random, age[customer], 0.02), 4),
        "NINQ": inquiries[customer].astype(np.float64),
        "CLNO": lines[customer].astype(np.float64),
        "DEBTINC": np.where(has_no_debt[customer], np.nan, np.round(_vary(random, debt[customer], 0.03), 4)),
    }
    table = pd.DataFrame(columns)
    for name, is_missing in n_missing.items():
        table[name] = table[name].mask(is_missing)
    order = random.permutation(rows)
    return Portfolio(table.iloc[order].reset_index(drop=True), "BAD", chance[customer][order])


def _vary(random: np.random.Generator, values: Vector, share: float) -> Vector:
    """The same figures at another moment: each changed by a few percent."""
    changed: Vector = values * random.normal(1.0, share, len(values))
    return changed
