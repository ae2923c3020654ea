"""Days and times as the reader counts them."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def find_zone() -> tzinfo:
    """The time zone of the browser, else UTC."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def find_day(decision_id: str) -> date:
    """The day of a decision, whose id begins with its time in milliseconds (RFC 9562, 5.7)."""
    return datetime.fromtimestamp((UUID(decision_id).int >> 80) / 1000, find_zone()).date()
