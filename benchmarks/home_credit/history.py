"""The table previous_application and its children: POS_CASH_balance, installments_payments, credit_card_balance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.home_credit.applications import WEEKDAYS
from benchmarks.home_credit.draw import (
    Applicants,
    Columns,
    Floats,
    Integers,
    Rows,
    child_rows,
    decode,
    draw_amounts,
    draw_counts,
    draw_levels,
    mask,
    sigmoid,
)

MAX_APPLICATIONS = 77
PURPOSES = {
    "XAP": 55, "XNA": 40.6, "Repairs": 1.4, "Other": 0.9, "Urgent needs": 0.5, "Buying a used car": 0.17,
    "Building a house or an annex": 0.16, "Everyday expenses": 0.14, "Medicine": 0.13, "Payments on other loans": 0.12,
    "Education": 0.1, "Journey": 0.07, "Purchase of electronic equipment": 0.06, "Buying a new car": 0.06,
    "Wedding / gift / holiday": 0.06, "Buying a home": 0.05, "Car repairs": 0.05, "Furniture": 0.04,
    "Buying a holiday home / land": 0.03, "Business development": 0.03, "Gasification / water supply": 0.02,
    "Buying a garage": 0.01, "Hobby": 0.003, "Money for a third person": 0.001, "Refusal to name the goal": 0.001,
}  # fmt: skip
GOODS = {
    "XNA": 57, "Mobile": 13.5, "Consumer Electronics": 7.3, "Computers": 6.3, "Audio/Video": 6, "Furniture": 3.2,
    "Photo / Cinema Equipment": 1.5, "Construction Materials": 1.5, "Clothing and Accessories": 1.4,
    "Auto Accessories": 0.44, "Jewelry": 0.38, "Homewares": 0.3, "Medical Supplies": 0.23, "Vehicles": 0.2,
    "Sport and Leisure": 0.18, "Gardening": 0.16, "Other": 0.15, "Office Appliances": 0.14, "Tourism": 0.1,
    "Medicine": 0.09, "Direct Sales": 0.03, "Fitness": 0.01, "Additional Service": 0.008, "Education": 0.006,
    "Weapon": 0.005, "Insurance": 0.004,
}  # fmt: skip
INDUSTRIES = {
    "XNA": 51, "Consumer electronics": 24, "Connectivity": 16.5, "Furniture": 3.5, "Construction": 1.8, "Clothing": 1.4,
    "Industry": 1.1, "Auto technology": 0.3, "Jewelry": 0.16, "MLM partners": 0.07, "Tourism": 0.03,
}  # fmt: skip
COMBINATIONS = {
    "Cash": 17, "POS household with interest": 15.8, "POS mobile with interest": 13.2, "Cash X-Sell: middle": 8.6,
    "Cash X-Sell: low": 7.8, "Card Street": 6.7, "POS industry with interest": 5.9, "POS household without interest": 5,
    "Card X-Sell": 4.8, "Cash Street: high": 3.6, "Cash X-Sell: high": 3.6, "Cash Street: middle": 2.1,
    "Cash Street: low": 2, "POS mobile without interest": 1.4, "POS other with interest": 1.4,
    "POS industry without interest": 0.8, "POS others without interest": 0.15,
}  # fmt: skip
SENTINEL = 365_243.0


def draw_history(random: np.random.Generator, applicants: Applicants) -> dict[str, Columns]:
    """The columns of the four tables."""
    rows = child_rows(draw_counts(random, 5.7, len(applicants.number), MAX_APPLICATIONS, none=0.054))
    n = len(rows)
    risk, ids = applicants.risk[rows.parent], 1_000_000 + applicants.number[rows.parent] * 128 + rows.position
    day = -random.integers(1, 2_923, n)
    kind = random.choice(3, n, p=[0.445, 0.44, 0.115])  # cash, consumer, revolving
    refused = random.random(n) < sigmoid(-1.75 + 0.6 * risk)
    outcome = np.where(refused, 2, random.choice([0, 1, 3], n, p=[0.755, 0.225, 0.02]))
    asked = np.where(random.random(n) < 0.2, 0.0, draw_amounts(random, 90_000, 1.0, n))
    granted = np.where(outcome == 1, 0.0, (asked * random.uniform(0.9, 1.2, n)).round(1))
    term = random.choice([6.0, 10.0, 12.0, 18.0, 24.0, 36.0, 48.0, 60.0], n)
    annuity = (np.maximum(granted, 9_000) / term * random.uniform(1, 1.4, n)).round(3)
    is_open = outcome != 0
    previous: Columns = {
        "SK_ID_PREV": pa.array(ids),
        "SK_ID_CURR": pa.array(applicants.ids[rows.parent]),
        "NAME_CONTRACT_TYPE": decode(
            np.where(random.random(n) < 0.0002, 3, kind), ["Cash loans", "Consumer loans", "Revolving loans", "XNA"]
        ),
        "AMT_ANNUITY": mask(annuity, random.random(n) < 0.223),
        "AMT_APPLICATION": pa.array(asked),
        "AMT_CREDIT": mask(granted, random.random(n) < 0.000001),
        "AMT_DOWN_PAYMENT": mask(
            np.where(random.random(n) < 0.45, 0.0, (asked * random.beta(1, 8, n)).round(1)), random.random(n) < 0.536
        ),
        "AMT_GOODS_PRICE": mask(asked, random.random(n) < 0.23),
        "WEEKDAY_APPR_PROCESS_START": draw_levels(random, WEEKDAYS, n),
        "HOUR_APPR_PROCESS_START": pa.array(random.normal(12.5, 3.3, n).round().clip(0, 23).astype(np.int64)),
        "FLAG_LAST_APPL_PER_CONTRACT": draw_levels(random, {"Y": 0.995, "N": 0.005}, n),
        "NFLAG_LAST_APPL_IN_DAY": pa.array((random.random(n) < 0.9965).astype(np.int64)),
        "RATE_DOWN_PAYMENT": mask(random.beta(0.7, 8, n), random.random(n) < 0.536),
        "RATE_INTEREST_PRIMARY": mask(random.beta(4, 17, n), random.random(n) < 0.9964),
        "RATE_INTEREST_PRIVILEGED": mask(random.beta(30, 9, n), random.random(n) < 0.9964),
        "NAME_CASH_LOAN_PURPOSE": draw_levels(random, PURPOSES, n),
        "NAME_CONTRACT_STATUS": decode(outcome, ["Approved", "Canceled", "Refused", "Unused offer"]),
        "DAYS_DECISION": pa.array(day),
        "NAME_PAYMENT_TYPE": draw_levels(
            random, {"Cash through the bank": 62, "XNA": 37.5, "Non-cash from your account": 0.5,
                     "Cashless from the account of the employer": 0.06}, n,
        ),
        "CODE_REJECT_REASON": decode(
            np.where(refused, random.choice(7, n, p=[0.59, 0.19, 0.13, 0.05, 0.02, 0.015, 0.005]), 7),
            ["HC", "LIMIT", "SCO", "SCOFR", "XNA", "VERIF", "SYSTEM", "XAP"],
        ),
        "NAME_TYPE_SUITE": draw_levels(
            random, {"Unaccompanied": 60, "Family": 25, "Spouse, partner": 8, "Children": 3.7, "Other_B": 2,
                     "Other_A": 1, "Group of people": 0.3}, n, 0.491,
        ),
        "NAME_CLIENT_TYPE": draw_levels(random, {"Repeater": 73.7, "New": 18, "Refreshed": 8.1, "XNA": 0.12}, n),
        "NAME_GOODS_CATEGORY": draw_levels(random, GOODS, n),
        "NAME_PORTFOLIO": draw_levels(random, {"POS": 41.4, "Cash": 27.6, "XNA": 22.3, "Cards": 8.7, "Cars": 0.03}, n),
        "NAME_PRODUCT_TYPE": draw_levels(random, {"XNA": 63.7, "x-sell": 27.3, "walk-in": 9}, n),
        "CHANNEL_TYPE": draw_levels(
            random, {"Credit and cash offices": 43, "Country-wide": 29.6, "Stone": 12.7, "Regional / Local": 6.5,
                     "Contact center": 4.3, "AP+ (Cash loan)": 3.4, "Channel of corporate sales": 0.4,
                     "Car dealer": 0.03}, n,
        ),
        "SELLERPLACE_AREA": pa.array(np.where(random.random(n) < 0.45, -1, random.gamma(0.4, 800, n).astype(np.int64))),
        "NAME_SELLER_INDUSTRY": draw_levels(random, INDUSTRIES, n),
        "CNT_PAYMENT": mask(np.where(random.random(n) < 0.1, 0.0, term), random.random(n) < 0.223),
        "NAME_YIELD_GROUP": draw_levels(
            random, {"XNA": 31, "middle": 23, "high": 21.2, "low_normal": 19.3, "low_action": 5.5}, n
        ),
        "PRODUCT_COMBINATION": draw_levels(random, COMBINATIONS, n, 0.0002),
        "DAYS_FIRST_DRAWING": mask(np.where(kind == 2, day + 30.0, SENTINEL), is_open),
        "DAYS_FIRST_DUE": mask(day + 30.0, is_open),
        "DAYS_LAST_DUE_1ST_VERSION": mask(day + 30 * term, is_open),
        "DAYS_LAST_DUE": mask(np.where(day + 30 * term > 0, SENTINEL, day + 30 * term), is_open),
        "DAYS_TERMINATION": mask(np.where(day + 30 * term > 0, SENTINEL, day + 30 * term + 7), is_open),
        "NFLAG_INSURED_ON_APPROVAL": mask((random.random(n) < 0.33).astype(np.float64), is_open),
    }  # fmt: skip
    loans = np.flatnonzero((outcome == 0) & (kind != 2))
    cards = np.flatnonzero((outcome == 0) & (kind == 2))
    owner = applicants.ids[rows.parent]
    return {
        "previous_application": previous,
        "POS_CASH_balance": _draw_months(random, ids[loans], owner[loans], term[loans], risk[loans]),
        "installments_payments": _draw_payments(
            random, ids[loans], owner[loans], day[loans], annuity[loans], risk[loans]
        ),
        "credit_card_balance": _draw_cards(random, ids[cards], owner[cards], risk[cards]),
    }


def _draw_late(random: np.random.Generator, risk: Floats, rows: Rows, base: float) -> npt.NDArray[np.bool_]:
    return random.random(len(rows)) < sigmoid(base + 0.8 * risk[rows.parent])


def _draw_months(random: np.random.Generator, ids: Integers, owner: Integers, term: Floats, risk: Floats) -> Columns:
    rows = child_rows(draw_counts(random, 11.0, len(ids), 96))
    n = len(rows)
    left = np.maximum(term[rows.parent] - rows.position[::-1] % 24, 0)
    late = np.where(_draw_late(random, risk, rows, -4.0), random.geometric(0.08, n), 0)
    return {
        "SK_ID_PREV": pa.array(ids[rows.parent]),
        "SK_ID_CURR": pa.array(owner[rows.parent]),
        "MONTHS_BALANCE": pa.array(-1 - rows.position),
        "CNT_INSTALMENT": mask(term[rows.parent], random.random(n) < 0.0026),
        "CNT_INSTALMENT_FUTURE": mask(left, random.random(n) < 0.0026),
        "NAME_CONTRACT_STATUS": draw_levels(
            random, {"Active": 91.5, "Completed": 7.4, "Signed": 0.87, "Demand": 0.07, "Returned to the store": 0.05,
                     "Approved": 0.05, "Amortized debt": 0.006, "Canceled": 0.0002}, n,
        ),
        "SK_DPD": pa.array(late),
        "SK_DPD_DEF": pa.array(np.where(random.random(n) < 0.4, late, 0)),
    }  # fmt: skip


def _draw_payments(
    random: np.random.Generator, ids: Integers, owner: Integers, day: Integers, annuity: Floats, risk: Floats
) -> Columns:
    rows = child_rows(draw_counts(random, 14.5, len(ids), 200))
    n = len(rows)
    due = np.minimum(day[rows.parent] + 30.0 * (rows.position + 1), -1.0)
    shift = np.where(_draw_late(random, risk, rows, -2.4), random.geometric(0.12, n), -random.geometric(0.08, n))
    amount = annuity[rows.parent]
    paid = np.where(_draw_late(random, risk, rows, -2.8), amount * random.random(n), amount).round(3)
    unpaid = random.random(n) < 0.0002
    return {
        "SK_ID_PREV": pa.array(ids[rows.parent]),
        "SK_ID_CURR": pa.array(owner[rows.parent]),
        "NUM_INSTALMENT_VERSION": pa.array(random.choice([0.0, 1.0, 2.0, 3.0], n, p=[0.3, 0.62, 0.06, 0.02])),
        "NUM_INSTALMENT_NUMBER": pa.array(rows.position + 1),
        "DAYS_INSTALMENT": pa.array(due),
        "DAYS_ENTRY_PAYMENT": mask(due + shift, unpaid),
        "AMT_INSTALMENT": pa.array(np.where(random.random(n) < 0.00002, 0.0, amount)),
        "AMT_PAYMENT": mask(paid, unpaid),
    }


def _draw_cards(random: np.random.Generator, ids: Integers, owner: Integers, risk: Floats) -> Columns:
    rows = child_rows(draw_counts(random, 27.0, len(ids), 96))
    n = len(rows)
    limit = random.choice([0.0, 45_000.0, 90_000.0, 180_000.0, 270_000.0, 450_000.0], len(ids))[rows.parent]
    is_used = random.random(n) < sigmoid(0.3 + 0.5 * risk[rows.parent])
    balance = np.where(is_used, limit * random.beta(1.5, 1.5, n), 0.0).round(3)
    drawn = {
        part: np.where(is_used & (random.random(n) < share), draw_amounts(random, 9_000, 1, n), 0.0)
        for part, share in {"ATM": 0.25, "OTHER": 0.005, "POS": 0.2}.items()
    }
    times = {part: np.where(amount > 0, random.geometric(0.4, n), 0.0) for part, amount in drawn.items()}
    paid = np.where(is_used, (balance * random.beta(1, 12, n)).round(3), 0.0)
    quiet = random.random(n) < 0.195
    late = np.where(_draw_late(random, risk, rows, -3.5), random.geometric(0.05, n), 0)
    return {
        "SK_ID_PREV": pa.array(ids[rows.parent]),
        "SK_ID_CURR": pa.array(owner[rows.parent]),
        "MONTHS_BALANCE": pa.array(-1 - rows.position),
        "AMT_BALANCE": pa.array(balance),
        "AMT_CREDIT_LIMIT_ACTUAL": pa.array(limit.astype(np.int64)),
        "AMT_DRAWINGS_ATM_CURRENT": mask(drawn["ATM"], quiet),
        "AMT_DRAWINGS_CURRENT": pa.array(sum(drawn.values(), np.zeros(n))),
        "AMT_DRAWINGS_OTHER_CURRENT": mask(drawn["OTHER"], quiet),
        "AMT_DRAWINGS_POS_CURRENT": mask(drawn["POS"], quiet),
        "AMT_INST_MIN_REGULARITY": mask((balance * 0.05).round(3), random.random(n) < 0.079),
        "AMT_PAYMENT_CURRENT": mask(paid, random.random(n) < 0.2),
        "AMT_PAYMENT_TOTAL_CURRENT": pa.array(np.where(random.random(n) < 0.1, 0.0, paid)),
        "AMT_RECEIVABLE_PRINCIPAL": pa.array((balance * 0.96).round(3)),
        "AMT_RECIVABLE": pa.array(balance),
        "AMT_TOTAL_RECEIVABLE": pa.array(balance),
        "CNT_DRAWINGS_ATM_CURRENT": mask(times["ATM"], quiet),
        "CNT_DRAWINGS_CURRENT": pa.array(sum(times.values(), np.zeros(n)).astype(np.int64)),
        "CNT_DRAWINGS_OTHER_CURRENT": mask(times["OTHER"], quiet),
        "CNT_DRAWINGS_POS_CURRENT": mask(times["POS"], quiet),
        "CNT_INSTALMENT_MATURE_CUM": mask(rows.position.astype(np.float64), random.random(n) < 0.079),
        "NAME_CONTRACT_STATUS": draw_levels(
            random, {"Active": 96.3, "Completed": 3.35, "Signed": 0.3, "Demand": 0.04, "Sent proposal": 0.01,
                     "Refused": 0.001, "Approved": 0.0001}, n,
        ),
        "SK_DPD": pa.array(late),
        "SK_DPD_DEF": pa.array(np.where(random.random(n) < 0.5, late, 0)),
    }  # fmt: skip
