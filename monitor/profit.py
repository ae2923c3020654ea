"""Profit of the accepted: what their probabilities promised, and what their outcomes brought.

Only for a policy in money; amounts are in its currency.
"""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct

from model.estimates import Z
from monitor.history import History, Integers, Small
from monitor.tally import group_by_month
from monitor.terms import ACCEPT, Terms


class Profit(Struct, frozen=True):
    """Accepted applicants of a month (YYYY-MM) or of "all", whose outcome and exposure are known.

    `expected`: Σ (1 − p) · gain − p · loss; `low`, `high`: where 95 % of the profits lie if the probabilities are right
    and outcomes independent. `realized`: the gains of the good ones less the losses of defaults. `expected_loss`,
    `realized_loss`: the losses therein. A default loses what is on record of it, on `recorded` of the `defaults`, or
    else LGD · exposure. Without reviews' costs.
    """

    month: str
    accepted: int
    defaults: int
    recorded: int
    expected: float
    low: float
    high: float
    realized: float
    expected_loss: float
    realized_loss: float


def measure_profit(history: History, defaulted: Small, terms: Terms) -> list[Profit]:
    """By month, then of all; empty without any; by the last word on each decision. `defaulted`: −1 = unknown."""
    rows = np.flatnonzero((history.settled == ACCEPT) & (defaulted >= 0) & ~np.isnan(terms.loss))
    if not len(rows):
        return []
    months = [
        _measure(month, rows[places], history, defaulted, terms) for month, places in group_by_month(history.time[rows])
    ]
    return [*months, _measure("all", rows, history, defaulted, terms)]


def _measure(month: str, rows: Integers, history: History, defaulted: Small, terms: Terms) -> Profit:
    p, y, amount = history.probability[rows], defaulted[rows], history.amount_lost[rows]
    loss, gain = terms.loss[rows], terms.gain[rows]
    is_recorded = (y == 1) & ~np.isnan(amount)
    expected = float(((1 - p) * gain - p * loss).sum())
    spread = Z * math.sqrt(float((p * (1 - p) * (loss + gain) ** 2).sum()))
    realized_loss = float(np.where(is_recorded, amount, loss)[y == 1].sum())
    return Profit(
        month=month,
        accepted=len(rows),
        defaults=int((y == 1).sum()),
        recorded=int(is_recorded.sum()),
        expected=expected,
        low=expected - spread,
        high=expected + spread,
        realized=float(gain[y == 0].sum()) - realized_loss,
        expected_loss=float((p * loss).sum()),
        realized_loss=realized_loss,
    )
