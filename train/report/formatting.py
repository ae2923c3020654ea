"""Ranges, amounts of money and small counts as they are written in the report; other numbers: model/formatting.py."""

from __future__ import annotations

from model.bins import MIN_COUNT
from model.estimates import Estimate
from model.formatting import format_count, format_decimal, format_estimate


def format_range(low: int | None, high: int | None) -> str:
    """Whole numbers from `low` up to but not including `high`; None is an open end: 'under 540', '540–559'."""
    if low is None:
        return "all" if high is None else f"under {high}"
    return f"{low} or more" if high is None else f"{low}–{high - 1}"


def format_money(value: float | Estimate | None) -> str:
    """An amount, or an estimate of one: with cents below 1,000 ('12.35', '1,235')."""
    bounds = (value.value, value.low, value.high) if isinstance(value, Estimate) else (value or 0.0,)
    digits = 2 if max(map(abs, bounds)) < 1000 else 0
    return format_estimate(value, digits) if isinstance(value, Estimate) else format_decimal(value, digits)


def format_few(count: int) -> str:
    """A count; one from 1 to 19, which could tell of single people, as 'under 20'."""
    return f"under {MIN_COUNT}" if 0 < count < MIN_COUNT else format_count(count)
