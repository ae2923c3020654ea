"""A made-up portfolio of loans from 500 to 50,000 with the margin of each, and the true chance of default of each row.

Larger loans run longer, go to people who earn more, and have smaller margins; a margin follows the price that somebody
has set by hand, not the chance of default.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from benchmarks.portfolios import Levels, Portfolio, effects_of, names_of, pick
from train.card import Card, CardDataset, CardField, CardPolicy, format_card

ROWS = 60_000

SMALLEST, LARGEST = 500.0, 50_000.0

LGD = 0.55

PURPOSES: Levels = {
    "car": (0.30, -0.25),
    "furniture": (0.25, 0.10),
    "renovation": (0.18, -0.30),
    "debt": (0.15, 0.55),
    "other": (0.12, 0.30),
}


def draw_loans(seed: int, rows: int = ROWS) -> Portfolio:
    """Loans with outcomes; the target is `Default`."""
    random = np.random.default_rng(seed)
    purpose = pick(random, PURPOSES, rows)
    amount = np.exp(random.uniform(np.log(SMALLEST), np.log(LARGEST), rows)).round(-1).clip(SMALLEST, LARGEST)
    size = np.log(amount / 5000)
    income = np.exp(random.normal(7.7 + 0.12 * size, 0.45, rows)).round()
    term = (12 * np.clip(np.round(random.gamma(3.0, 0.8, rows) + 0.6 * size + 1), 1, 10)).astype(np.float64)
    years = np.round(random.gamma(1.3, 5.0, rows))
    utilization = np.round(random.beta(1.2, 2.2, rows), 2)
    late = random.poisson(0.25 + 0.8 * utilization, rows).astype(np.float64)
    margin = np.round(np.clip(random.normal(0.13 - 0.015 * size, 0.045, rows), 0.02, 0.3), 3)

    burden = amount / term / income
    log_odds = -2.4 + 1.9 * np.minimum(burden, 1.0) + 1.8 * utilization**2 + 0.55 * np.minimum(late, 4)
    log_odds += effects_of(PURPOSES, purpose) - 0.9 * (1 - np.exp(-years / 4)) + 0.4 * (years < 1)
    chance = expit(log_odds)
    table = pd.DataFrame(
        {
            "Amount": amount,
            "Margin": margin,
            "Income": income,
            "Term": term,
            "Years": years,
            "Utilization": utilization,
            "Late": late,
            "Purpose": names_of(PURPOSES, purpose),
            "Default": (random.random(rows) < chance).astype(np.int64),
        }
    )
    return Portfolio(table, "Default", chance)


def write_loans_card(path: Path, table: Path) -> Path:
    """Write the card of a table of draw_loans with a policy in money; returns the path."""
    fields = {
        "Amount": CardField("Amount", "number", "EUR", minimum=SMALLEST, maximum=LARGEST, reason="Amount"),
        "Margin": CardField("Margin", "number", minimum=0.0, maximum=1.0, reason="Margin"),
        "Income": CardField("Monthly income", "number", "EUR", minimum=0.0, risk="decreases", reason="Low income"),
        "Term": CardField("Term", "number", "months", minimum=1.0, reason="Term"),
        "Years": CardField("Years in the job", "number", "years", minimum=0.0, reason="Short time in the job"),
        "Utilization": CardField(
            "Utilization", "number", minimum=0.0, maximum=1.0, risk="increases", reason="Credit lines are used up"
        ),
        "Late": CardField("Late payments", "number", minimum=0.0, risk="increases", reason="Late payments"),
        "Purpose": CardField("Purpose", "category", levels=tuple(sorted(PURPOSES)), reason="Purpose of the loan"),
    }
    dataset = CardDataset("loans", table.name, "Default", 1, source="Made up")
    path.write_bytes(format_card(Card(dataset, fields, CardPolicy(exposure="Amount", lgd=LGD, margin="Margin"))))
    return path
