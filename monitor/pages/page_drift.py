"""Drift on the page GET /monitor: how far the applicants are from those that the model was trained on, by field."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from xml.etree.ElementTree import Element

from model.formatting import UNKNOWN, format_count, format_decimal, format_percent
from model.stability import MODERATE_SHIFT, SIGNIFICANT_SHIFT, ShiftVerdict
from monitor.pages.charts import Bar, bar_list, figure, share_bars
from monitor.pages.markup import element, table
from monitor.pages.plot import Color
from monitor.shifts import FieldShift
from monitor.summary import Monitor, Window

MAX_FIELDS = 20
"""Fields that are shown, those with the largest index; GET /v1/monitor as JSON has all."""

MAX_BINS = 4
"""Fields whose bins are shown."""

MAX_WEEKS = 12

LIMITS = MODERATE_SHIFT, SIGNIFICANT_SHIFT

MAX_INDEX = 0.5
"""Where the bars end; the number beside a bar is the index."""

COLORS: dict[ShiftVerdict, Color] = {"stable": "blue", "moderate shift": "amber", "significant shift": "red"}


def show_drift(monitor: Monitor) -> list[Element]:
    """The stability index of each field in the windows and over the weeks, and the bins of those that moved most."""
    *_, week = monitor.windows
    shifts = _list_shifts(week)
    title = element("h2", "Drift")
    if not shifts:
        why = "is nothing to compare in the last 7 days" if monitor.fields else "are no bins in the model file"
        return [title, element("p", f"There {why}.")]
    fields = [shift for shift in shifts if shift.field]
    largest = sorted(fields, key=lambda shift: (shift.verdict == "stable", -shift.psi))
    shown = [*(shift for shift in shifts if not shift.field), *largest[:MAX_FIELDS]]
    text = (
        f"Population stability index of the last 7 days, {format_count(week.decisions)} applicants of "
        f"{monitor.model.version} alone, against those that it was trained on: from {MODERATE_SHIFT:.2f} a moderate, "
        f"from {SIGNIFICANT_SHIFT:.2f} a significant shift, where it is above what chance alone gives (grey)."
    )
    if len(fields) > MAX_FIELDS:
        text += f" The {MAX_FIELDS} largest of {len(fields)} fields are shown."
    bars = [Bar(_name(shift), shift.psi, shift.noise, COLORS[shift.verdict]) for shift in shown]
    chart = bar_list("Stability index by field", bars, format_decimal, LIMITS, MAX_INDEX)
    sections = [
        figure(chart, "Stability index by field", text),
        element("div", element("h3", "Last hour, day and week"), _compare_windows(monitor.windows, shown)),
    ]
    by_size = sorted(shifts, key=lambda shift: (shift.verdict == "stable", -shift.psi))
    bins = [show_bins(shift) for shift in by_size[:MAX_BINS] if shift.bins]
    return [
        title,
        element("div", *sections, class_="halves"),
        element("h3", "Where it moved most"),
        element("div", *bins, class_="halves"),
        element("h3", "Over the weeks"),
        _show_weeks(monitor, shown),
    ]


def show_bins(shift: FieldShift, before: str = "expected", after: str = "last 7 days") -> Element:
    """Shares by bin, as bars and as a table."""
    names, expected = [one.name for one in shift.bins], [one.expected for one in shift.bins]
    shares = [one.share for one in shift.bins]
    title = f"Shares by bin, {before} and {after}: {_name(shift)}"
    rows = [[one.name, format_percent(one.expected), format_percent(one.share)] for one in shift.bins]
    numbers = table(title, ["bin", before, after], rows)
    text = f"Index {format_decimal(shift.psi)}, {shift.verdict}."
    return figure(
        share_bars(title, names, expected, shares, format_percent, (before, after)), _name(shift), text, numbers
    )


def _compare_windows(windows: Sequence[Window], shown: Sequence[FieldShift]) -> Element:
    found = [{shift.field: shift for shift in _list_shifts(window)} for window in windows]
    rows = [[_name(shift), *(_mark(of.get(shift.field)) for of in found)] for shift in shown]
    return table(
        "Stability index in the last hour, day and week", ["index / chance alone", *(one.name for one in windows)], rows
    )


def _mark(shift: FieldShift | None) -> Element | str:
    if shift is None:
        return UNKNOWN
    noise = f" / {format_decimal(shift.noise)}"
    return element("span", element("b", format_decimal(shift.psi)), noise, class_=_shade(shift.verdict))


def _show_weeks(monitor: Monitor, shown: Sequence[FieldShift]) -> Element:
    weeks = monitor.weeks[-MAX_WEEKS:]
    rows = []
    for shift in shown:
        indices = [week.field_psi.get(shift.field) if shift.field else week.probability_psi for week in weeks]
        verdicts = [week.shifts.get(shift.field, "stable") for week in weeks]
        rows.append([_name(shift), *map(_mark_week, indices, verdicts)])
    labels = [f"{date.fromisoformat(week.start):%-d %b}" for week in weeks]
    return table("Stability index by field and week", ["week from", *labels], rows)


def _mark_week(index: float | None, verdict: ShiftVerdict) -> Element | str:
    return UNKNOWN if index is None else element("span", format_decimal(index, 2), class_=_shade(verdict))


def _shade(verdict: ShiftVerdict) -> str:
    return verdict.partition(" ")[0]


def _list_shifts(window: Window) -> list[FieldShift]:
    return [*([window.probability] if window.probability is not None else []), *window.fields]


def _name(shift: FieldShift) -> str:
    return "Probability of default" if not shift.field else shift.label or shift.field
