"""Ranges of whole numbers as they are written in the report; other numbers: model/formatting.py."""

from __future__ import annotations


def format_range(low: int | None, high: int | None) -> str:
    """Whole numbers from `low` up to but not including `high`; None is an open end: 'under 540', '540–559'."""
    if low is None:
        return "all" if high is None else f"under {high}"
    return f"{low} or more" if high is None else f"{low}–{high - 1}"
