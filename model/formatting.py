"""How numbers are written in reports, on pages and in the terminal."""

from __future__ import annotations

import math

from model.estimates import Estimate

UNKNOWN = "–"


def format_count(value: float) -> str:
    """A count with thousands separators: '4,454'."""
    return f"{value:,.0f}"


def format_decimal(value: float | None, digits: int = 3) -> str:
    """A number with a fixed number of decimals and a true minus sign: '0.428', '−1.200'."""
    if value is None or not math.isfinite(value):
        return UNKNOWN
    text = f"{value:,.{digits}f}"
    return text.replace("-", "−") if any(digit in text for digit in "123456789") else text.lstrip("-")


def format_amount(value: float) -> str:
    """A number without trailing zeros: '1,500', '0.25'."""
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:g}"


def format_percent(value: float | None, digits: int = 1) -> str:
    """A proportion as a percentage: 0.123 → '12.3%'."""
    return UNKNOWN if value is None or not math.isfinite(value) else f"{format_decimal(100 * value, digits)}%"


def format_chance(chance: float | None) -> str:
    """A probability of chance alone: '3.2%', '< 0.1%'."""
    return "< 0.1%" if chance is not None and chance < 0.001 else format_percent(chance)


def format_share(value: float) -> str:
    """A proportion as a percentage of three digits, for axes: 0.2 → '20%', 0.025 → '2.5%'."""
    return f"{100 * value:.3g}%"


def format_estimate(value: Estimate | None, digits: int = 3) -> str:
    """A value with its 95% interval: '0.843 (0.831–0.856)', or '0.001 (−0.196 to 0.198)' if a bound is negative."""
    if value is None or not math.isfinite(value.value):
        return UNKNOWN
    figure, low, high = (format_decimal(number, digits) for number in (value.value, value.low, value.high))
    return f"{figure} ({low}{' to ' if value.low < 0 else '–'}{high})"


def format_percent_estimate(value: Estimate | None, digits: int = 1) -> str:
    """A proportion with its 95% interval as percentages: '12.3% (10.1–14.8)'."""
    if value is None or not math.isfinite(value.value):
        return UNKNOWN
    low, high = (format_decimal(100 * bound, digits) for bound in (value.low, value.high))
    return f"{format_percent(value.value, digits)} ({low}–{high})"
