"""Sections of monitor.html that need no outcomes: drift of the applicants, and expected performance."""

from __future__ import annotations

from model.formatting import format_count, format_decimal, format_percent, format_share
from model.stability import MODERATE_SHIFT, SIGNIFICANT_SHIFT, ShiftVerdict
from monitor.backtest import Backtest
from monitor.pages.charts import Bar, bar_list, figure, share_bars
from monitor.pages.markup import Child, element, table
from monitor.pages.plot import Color
from monitor.shifts import FieldShift

MAX_BARS = 25
"""Fields in the chart; the table has all."""

MAX_HISTOGRAMS = 6
"""Shifted fields whose bins are drawn."""

COLORS: dict[ShiftVerdict, Color] = {"stable": "blue", "moderate shift": "amber", "significant shift": "red"}


def show_applicants(backtest: Backtest) -> list[Child]:
    """Do the applicants resemble those that the model was trained on?"""
    if not backtest.drift:
        return [
            element(
                "p",
                "Drift isn't measured: the model has no histograms of its training applicants, or decided on nobody "
                "whose data is still on record. A model that is trained or exported anew with its data has them.",
            )
        ]
    shifts = sorted(backtest.drift, key=lambda shift: -shift.psi)
    shifted = [shift for shift in shifts if shift.verdict != "stable"]
    bars = [Bar(_name(one), one.psi, one.noise, COLORS[one.verdict]) for one in shifts[:MAX_BARS]]
    chart = bar_list(
        "Population stability index", bars, lambda value: format_decimal(value, 2), (MODERATE_SHIFT, SIGNIFICANT_SHIFT)
    )
    first = f" The {MAX_BARS} largest of {len(shifts)}." if len(shifts) > MAX_BARS else ""
    rows: list[list[Child]] = [
        [
            _name(one),
            format_decimal(one.psi),
            format_decimal(one.noise),
            element("span", one.verdict, class_=None if one.verdict == "stable" else "flag"),
        ]
        for one in shifts
    ]
    return [
        element(
            "p",
            f"Population stability index (PSI) of the latest {format_count(backtest.drift_decisions)} decisions "
            f"against the training applicants. Below {MODERATE_SHIFT:.2f}: stable; from {MODERATE_SHIFT:.2f}: moderate "
            f"shift; from {SIGNIFICANT_SHIFT:.2f}: significant shift. An index within noise, what chance alone gives, "
            "is stable.",
        ),
        element(
            "div",
            figure(chart, "Population stability index", f"Grey: noise. Dashed: the two limits.{first}"),
            table("Population stability index", ["", "PSI", "noise", "result"], rows),
            class_="halves",
        ),
        element("div", *map(_draw_bins, shifted[:MAX_HISTOGRAMS]), class_="thirds") if shifted else None,
    ]


def show_expectation(backtest: Backtest) -> list[Child]:
    """What the probabilities promise, where outcomes are missing."""
    expected = backtest.expected
    rows: list[list[Child]] = [
        ["default rate of the accepted", format_percent(expected.default_rate)],
        ["AUC, all applicants", format_decimal(expected.auc)],
        ["AUC, accepted alone", format_decimal(expected.accepted_auc)],
        ["cost per decision", format_decimal(expected.cost_per_decision)],
    ]
    return [
        element(
            "p",
            element("b", "An expectation, not a measurement"),
            f": what follows from the probabilities of {format_count(expected.decisions)} decisions, "
            f"{format_count(expected.accepted)} of them to accept, if they are calibrated. It says how the model would "
            "do on these applicants before their outcomes are known; it can't see that the relation between fields and "
            "default has changed.",
        ),
        table("Expected performance", ["", "expected"], rows),
    ]


def _draw_bins(shift: FieldShift) -> Child:
    chart = share_bars(
        _name(shift),
        [one.name for one in shift.bins],
        [one.expected for one in shift.bins],
        [one.share for one in shift.bins],
        format_share,
    )
    text = f"{shift.verdict.capitalize()}: PSI {format_decimal(shift.psi)}, noise {format_decimal(shift.noise)}."
    return figure(chart, _name(shift), text)


def _name(shift: FieldShift) -> str:
    return shift.label or shift.field or "probability of default"
