"""Figures in words, the same on every page."""

from __future__ import annotations

import math

from train.report.intervals import Estimate

ABSENT = "–"


def percent(value: float, digits: int = 1) -> str:
    """A share as percent: 0.123 → '12.3 %'."""
    return f"{100 * value:.{digits}f} %" if math.isfinite(value) else ABSENT


def estimate(value: Estimate, digits: int = 3) -> str:
    """A figure with its interval: '0.843 (0.831–0.856)'; '0.001 (−0.196 to 0.198)' where one is negative."""
    if not math.isfinite(value.value):
        return ABSENT
    figure, low, high = (_signed(number, digits) for number in (value.value, value.low, value.high))
    return f"{figure} ({low}{' to ' if value.low < 0 else '–'}{high})"


def estimated_percent(value: Estimate, digits: int = 1) -> str:
    """A share with its interval as percent: '12.3 % (10.1–14.8)'."""
    if not math.isfinite(value.value):
        return ABSENT
    return f"{percent(value.value, digits)} ({100 * value.low:.{digits}f}–{100 * value.high:.{digits}f})"


def amount(value: float) -> str:
    """A number without needless digits: 1500, 0.25."""
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:g}"


def _signed(value: float, digits: int) -> str:
    """A number with a minus sign that nobody takes for a dash, and no −0."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")
