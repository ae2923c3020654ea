"""The tables bureau and bureau_balance: credits at other lenders and their monthly states."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from benchmarks.home_credit.draw import (
    Applicants,
    Columns,
    child_rows,
    decode,
    draw_amounts,
    draw_counts,
    draw_levels,
    mask,
    sigmoid,
)

MAX_CREDITS = 116
MAX_MONTHS = 97
STATES = ["C", "0", "X", "1", "2", "3", "4", "5"]


def draw_credits(random: np.random.Generator, applicants: Applicants) -> dict[str, Columns]:
    """The columns of bureau and of bureau_balance."""
    rows = child_rows(draw_counts(random, 6.5, len(applicants.number), MAX_CREDITS, none=0.142))
    n = len(rows)
    risk = applicants.risk[rows.parent]
    ids = 5_000_000 + applicants.number[rows.parent] * 128 + rows.position
    day = -random.integers(1, 2_923, n)
    term = random.gamma(1.6, 500, n).round() + 30
    is_closed = random.random(n) < np.where(day + term < 0, 0.9, 0.2)
    amount = np.where(random.random(n) < 0.03, 0.0, draw_amounts(random, 125_000, 1.1, n))
    is_overdue = (random.random(n) < sigmoid(-5.5 + 0.8 * risk)) & ~is_closed
    debt = np.where(is_closed, 0.0, amount * random.beta(1.2, 1.5, n)).round(3)
    states = random.choice(4, n, p=[0.0001, 0.0038, 0.9961 - 0.37, 0.37])
    status = np.where(is_closed, 0, np.where(states < 2, 2 + (states == 0), 1))
    bureau: Columns = {
        "SK_ID_CURR": pa.array(applicants.ids[rows.parent]),
        "SK_ID_BUREAU": pa.array(ids),
        "CREDIT_ACTIVE": decode(status, ["Closed", "Active", "Sold", "Bad debt"]),
        "CREDIT_CURRENCY": draw_levels(
            random, {"currency 1": 0.9992, "currency 2": 0.0007, "currency 3": 0.0001, "currency 4": 0.00001}, n
        ),
        "DAYS_CREDIT": pa.array(day),
        "CREDIT_DAY_OVERDUE": pa.array(np.where(is_overdue, random.integers(1, 300, n), 0)),
        "DAYS_CREDIT_ENDDATE": mask(day + term, random.random(n) < 0.061),
        "DAYS_ENDDATE_FACT": mask(np.minimum(day + (term * random.uniform(0.4, 1, n)).round(), -1.0), ~is_closed),
        "AMT_CREDIT_MAX_OVERDUE": mask(
            np.where(random.random(n) < sigmoid(-1.5 + 0.7 * risk), draw_amounts(random, 4_000, 1.5, n), 0.0),
            random.random(n) < 0.655,
        ),
        "CNT_CREDIT_PROLONG": pa.array((random.random(n) < 0.006).astype(np.int64)),
        "AMT_CREDIT_SUM": mask(amount, random.random(n) < 0.00001),
        "AMT_CREDIT_SUM_DEBT": mask(debt, random.random(n) < 0.15),
        "AMT_CREDIT_SUM_LIMIT": mask(
            np.where(random.random(n) < 0.9, 0.0, draw_amounts(random, 40_000, 1, n)), random.random(n) < 0.345
        ),
        "AMT_CREDIT_SUM_OVERDUE": pa.array(np.where(is_overdue, draw_amounts(random, 2_000, 1.5, n), 0.0)),
        "CREDIT_TYPE": draw_levels(
            random,
            {"Consumer credit": 0.729, "Credit card": 0.234, "Car loan": 0.016, "Mortgage": 0.011, "Microloan": 0.007,
             "Loan for business development": 0.0012, "Another type of loan": 0.0006, "Unknown type of loan": 0.0003,
             "Loan for working capital replenishment": 0.0003, "Real estate loan": 0.0001,
             "Cash loan (non-earmarked)": 0.0001},
            n,
        ),
        "DAYS_CREDIT_UPDATE": pa.array(np.maximum(day, -random.gamma(1.0, 500, n).astype(np.int64))),
        "AMT_ANNUITY": mask(
            np.where(random.random(n) < 0.3, 0.0, draw_amounts(random, 9_000, 1, n)), random.random(n) < 0.715
        ),
    }  # fmt: skip

    has_months = random.random(n) < 0.45
    months = child_rows(np.where(has_months, np.minimum(draw_counts(random, 36.0, n, MAX_MONTHS), -day // 30 + 30), 0))
    late = sigmoid(-3.2 + 0.7 * risk[months.parent])
    draw = random.random(len(months))
    age = months.position / np.maximum(np.bincount(months.parent, minlength=n)[months.parent], 1)
    # From the newest month back: closed, then paid or unknown, sometimes late.
    codes = np.where(draw < late, 3 + np.minimum((random.exponential(0.35, len(months))).astype(int), 4), 1)
    codes = np.where((codes == 1) & (random.random(len(months)) < 0.42), 2, codes)
    codes = np.where(is_closed[months.parent] & (age < 0.6), 0, codes)
    balance: Columns = {
        "SK_ID_BUREAU": pa.array(ids[months.parent]),
        "MONTHS_BALANCE": pa.array(-months.position),
        "STATUS": decode(codes, STATES),
    }
    return {"bureau": bureau, "bureau_balance": balance}
