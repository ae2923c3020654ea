from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.history import DAY_MICROSECONDS
from monitor.vintages import MIN_WATCHED, MONTHS_ON_BOOK, estimate_rates, make_vintages
from tests.monitor.histories import START, make_history

watched = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 1)), max_size=60)


def test_known_outcomes_give_the_plain_rate() -> None:
    """Where all have been watched for a year: the share that has defaulted so far."""
    age = np.array([10, 100, 200] + [365] * 97)
    rates = estimate_rates(age, np.array([1, 1, 1] + [0] * 97, np.int8))
    assert [rates[month] for month in (0, 1, 4, 12)] == pytest.approx([0.0, 0.01, 0.02, 0.03])
    assert rates[13:] == [None] * 12


@pytest.mark.parametrize(
    ("days", "month"),
    [(30, 1), (31, 1), (90, 3), (92, 3), (180, 6), (184, 6), (360, 12), (365, 12), (366, 12), (730, 24)],
)
def test_the_end_of_a_window_is_the_end_of_its_month(days: int, month: int) -> None:
    """All are last seen at its end, and a fifth defaults on this very day: the last month shows it."""
    rates = estimate_rates(np.full(100, days), (np.arange(100) < 20).astype(np.int8))
    assert rates[month] == pytest.approx(0.2)
    assert rates[:month] == [0.0] * month
    assert rates[month + 1 :] == [None] * (MONTHS_ON_BOOK - month)


def test_an_applicant_counts_until_last_seen() -> None:
    """Who was last seen without default after 50 days isn't among those who could default later (censored)."""
    age, defaulted = np.array([50] * 20 + [100] + [365] * 19), np.array([0] * 20 + [1] + [0] * 19, np.int8)
    rates = estimate_rates(age, defaulted)
    assert [rates[1], rates[4]] == pytest.approx([0.0, 1 / 20])


@given(watched)
def test_rates_are_those_of_kaplan_and_meier(rows: list[tuple[int, int]]) -> None:
    """1 − Π (1 − defaults / watched) over the days with defaults, as long as enough are watched; they never fall."""
    age, defaulted = np.array([row[0] for row in rows], int), np.array([row[1] for row in rows], np.int8)
    rates = estimate_rates(age, defaulted)
    for month in range(MONTHS_ON_BOOK + 1):
        seen_until = max((day for day in range(901) if sum(row[0] >= day for row in rows) >= MIN_WATCHED), default=-1)
        end = min(seen_until, math.ceil(month * 30.4375) + (month > 0))
        left = 1.0
        for day in sorted({day for day, is_default in rows if is_default and day <= end}):
            left *= 1 - sum(row == (day, 1) for row in rows) / sum(row[0] >= day for row in rows)
        is_seen = seen_until >= 30 * month
        assert rates[month] == (pytest.approx(1 - left, abs=1e-12) if is_seen else None)
    seen = [rate for rate in rates if rate is not None]
    assert seen == sorted(seen)


def test_vintages_are_of_accepted_applicants() -> None:
    """By month of decision and the last word on them; those refused by a person don't count, those accepted do."""
    n = 100
    history = make_history(
        np.full(n, 0.1),
        np.where(np.arange(n) % 4 == 0, -1, 0),
        every=0.5,
        decision=np.where(np.arange(n) < 90, 0, 2).astype(np.int8),
        final=np.where(np.arange(n) == 0, 2, np.where(np.arange(n) == 99, 0, -1)).astype(np.int8),
    )
    found = make_vintages(history, history.defaulted)
    assert [(one.month, one.accepted) for one in found] == [("2026-01", 61), ("2026-02", 29)]
    assert sum(one.known for one in found) == int(((history.settled == 0) & (history.defaulted >= 0)).sum())


def test_outcome_before_its_decision() -> None:
    """One noted the day before counts as of the first day."""
    history = make_history(
        np.full(20, 0.1), np.ones(20, int), outcome_day=np.full(20, START // DAY_MICROSECONDS - 5, np.int32)
    )
    assert make_vintages(history, history.defaulted)[0].rates[0] == 1.0
