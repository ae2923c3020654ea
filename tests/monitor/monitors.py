"""A Monitor of ten weeks in which everything has something to show, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

import msgspec

from model.stability import name_shift
from monitor.periods import Period
from monitor.shifts import BinShare, FieldShift
from monitor.summary import ChallengerSummary, ModelName, Monitor, RuleCount, Volume, Window

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)

MODEL = ModelName("credit", "2026.09.01-0123abcd", "c" * 64)

WindowName = Literal["hour", "day", "week"]

LENGTHS: dict[WindowName, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}

SHARES = [0.1, 0.2, 0.4, 0.2, 0.1, 0.0, 0.0]

LABELS = {"Income": "Monthly income", "Home": "Housing", "Age": "Age", "Amount": "Amount of the loan"}


def make_shift(field: str, label: str, psi: float) -> FieldShift:
    """A shift with seven bins, the first of which has become rarer."""
    names = ["≤ 10", "10 – 20", "20 – 30", "30 – 40", "> 40", "missing", "unknown level"]
    moved = [0.05, 0.15, 0.4, 0.25, 0.1, 0.05, 0.0]
    bins = [BinShare(*values) for values in zip(names, SHARES, moved, strict=True)]
    return FieldShift(field, label, psi, 0.02, name_shift(psi, 0.02), bins)


def make_window(name: WindowName, decisions: int) -> Window:
    """A window with a shift of each kind."""
    indices = dict(zip(LABELS, (0.31, 0.12, 0.01, 0.004), strict=True))
    return Window(
        name=name,
        start=f"{NOW - LENGTHS[name]:%Y-%m-%dT%H:%M:%SZ}",
        end=f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
        decisions=decisions,
        accepted=decisions * 6 // 10,
        reviewed=decisions * 3 // 10,
        refused=decisions - decisions * 6 // 10 - decisions * 3 // 10,
        mean_probability=0.31,
        expected_probability=0.28,
        probability=make_shift("", "", 0.08),
        fields=[make_shift(field, LABELS[field], psi) for field, psi in indices.items()],
        rules=[RuleCount("Loan above fifteen incomes", "review", decisions // 20)],
        volume=Volume(decisions * 2, decisions, decisions * 6 // 10, decisions * 4 // 10),
    )


def make_period(start: date, decisions: int, psi: float, *, has_fields: bool = False) -> Period:
    """A day or a week."""
    return Period(
        start=start.isoformat(),
        decisions=decisions,
        accepted=decisions * 6 // 10,
        reviewed=decisions * 3 // 10,
        refused=decisions // 10,
        mean_probability=0.28 + psi / 4 if decisions else None,
        probability_psi=psi if decisions else None,
        field_psi={"Income": 3 * psi, "Home": psi, "Age": 0.01, "Amount": 0.002} if has_fields else {},
        shifts={"Income": "moderate shift"} if has_fields and 3 * psi >= 0.1 else {},
        reviews=decisions // 10,
        overrides=decisions // 40,
        latency_p50=0.0012 if decisions else None,
        latency_p95=0.004 + psi / 10 if decisions else None,
        errors=decisions // 500,
        versions={MODEL.version: decisions} if decisions else {},
    )


def make_monitor(**changes: object) -> Monitor:
    """Ten weeks with drift in the last ones, and a challenger; `changes` replace attributes."""
    today = NOW.date()
    monday = today - timedelta(days=today.weekday())
    challenger = ChallengerSummary(
        name="credit",
        version="2026.11.01-89abcdef",
        sha256="d" * 64,
        scored=6_900,
        swap_set=[[3_900, 200, 10], [150, 1_900, 90], [0, 50, 600]],
        agreement=6_400 / 6_900,
        mean_probability=0.29,
        champion_mean_probability=0.31,
        shift=make_shift("", "", 0.03),
        since=f"{NOW - timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}",
    )
    monitor = Monitor(
        at=f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
        counted=1_000_000,
        waiting=12,
        model=MODEL,
        fields=4,
        windows=[make_window("hour", 40), make_window("day", 1_000), make_window("week", 7_000)],
        days=[
            make_period(today - timedelta(days=age), 0 if age == 20 else 1_000 + 10 * (age % 7), 0.08 - age / 500)
            for age in reversed(range(28))
        ],
        weeks=[
            make_period(monday - timedelta(weeks=age), 7_000 - 100 * age, 0.1 - age / 100, has_fields=True)
            for age in reversed(range(10))
        ],
        challenger=challenger,
        headline="Monthly income has shifted significantly in the last 7 days, Housing moderately.",
    )
    return msgspec.structs.replace(monitor, **changes)
