"""How numbers are written in the report, the model card, the changelog and on the terminal."""

from __future__ import annotations

import math

from train.report.intervals import Estimate

UNKNOWN = "–"


def format_count(value: int) -> str:
    """A count with thousands separators: '4,454'."""
    return f"{value:,}"


def format_decimal(value: float, digits: int = 4) -> str:
    """A number with a fixed number of decimals: '0.4279'."""
    return f"{value:.{digits}f}"


def format_amount(value: float) -> str:
    """A number without trailing zeros: '1,500', '0.25'."""
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:g}"


def format_percent(value: float, digits: int = 1) -> str:
    """A proportion as a percentage: 0.123 → '12.3%'."""
    return f"{100 * value:.{digits}f}%" if math.isfinite(value) else UNKNOWN


def format_estimate(value: Estimate, digits: int = 3) -> str:
    """A value with its interval: '0.843 (0.831–0.856)', or '0.001 (−0.196 to 0.198)' if a bound is negative."""
    if not math.isfinite(value.value):
        return UNKNOWN
    figure, low, high = (_format_signed(number, digits) for number in (value.value, value.low, value.high))
    return f"{figure} ({low}{' to ' if value.low < 0 else '–'}{high})"


def format_percent_estimate(value: Estimate, digits: int = 1) -> str:
    """A proportion with its interval as percentages: '12.3% (10.1–14.8)'."""
    if not math.isfinite(value.value):
        return UNKNOWN
    return f"{format_percent(value.value, digits)} ({100 * value.low:.{digits}f}–{100 * value.high:.{digits}f})"


def format_range(low: int | None, high: int | None) -> str:
    """Whole numbers from `low` up to but not including `high`; None is an open end: 'under 540', '540–559'."""
    if low is None:
        return "all" if high is None else f"under {high}"
    return f"{low} or more" if high is None else f"{low}–{high - 1}"


def _format_signed(value: float, digits: int) -> str:
    """A number with U+2212 as its minus sign, which can't be read as a dash, and without a negative zero."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")
