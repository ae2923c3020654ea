"""Charts by day and by week of the page GET /monitor: decisions, what people changed, latency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Literal
from xml.etree.ElementTree import Element

from model.formatting import format_count, format_decimal, format_percent
from model.stability import MODERATE_SHIFT
from monitor.pages.charts import Series, figure, line_chart, number_table, stacked_bars
from monitor.pages.markup import element, table
from monitor.pages.plot import Write
from monitor.periods import Period
from monitor.summary import Monitor

Width = Literal["day", "week"]

OVERRIDE = "An override changes a decision of the model that was not to review."


def show_by_period(
    monitor: Monitor, show: Callable[[Sequence[Period], Width, Monitor], list[Element]]
) -> list[Element]:
    """Figures by day and the same by week; the page shows one of the two."""
    widths: tuple[tuple[Width, list[Period]], ...] = (("day", monitor.days), ("week", monitor.weeks))
    return [element("div", *show(periods, width, monitor), class_=f"halves by-{width}") for width, periods in widths]


def show_decisions(periods: Sequence[Period], width: Width, monitor: Monitor) -> list[Element]:
    """Volume, acceptance, mean probability, stability and overrides."""
    expected = monitor.windows[-1].expected_probability
    volume = [
        Series("accepted", [one.accepted for one in periods], "green"),
        Series("to review", [one.reviewed for one in periods], "amber"),
        Series("refused", [one.refused for one in periods], "red"),
    ]
    reviews = [
        Series("other reviews", [one.reviews - one.overrides for one in periods], "blue"),
        Series("overridden", [one.overrides for one in periods], "amber"),
    ]
    share = Series("overridden, share", [_divide(one.overrides, one.reviews) for one in periods])
    acceptance = Series("accepted", [_divide(one.accepted, one.decisions) for one in periods], "green")
    mean = Series("mean probability", [one.mean_probability for one in periods])
    index = Series("stability index", [one.probability_psi for one in periods])
    labels = _label(periods)
    version = monitor.model.version
    told = (
        "Of all versions." if expected is None else f"Of all versions; expected: default rate in training, {version}."
    )
    return [
        _bars("Decisions", width, labels, volume, f"The last {width} is not over."),
        _lines("Acceptance rate", width, labels, [acceptance], format_percent),
        _lines(
            "Mean probability of default",
            width,
            labels,
            [mean],
            format_percent,
            told,
            None if expected is None else ("expected", expected),
        ),
        _lines(
            "Stability index of the probability",
            width,
            labels,
            [index],
            format_decimal,
            f"Of {version} alone. Few decisions give a large index by chance.",
            ("moderate shift", MODERATE_SHIFT),
        ),
        _bars("Reviews", width, labels, reviews, OVERRIDE),
        _lines("Share of overrides", width, labels, [share], format_percent),
    ]


def show_service(periods: Sequence[Period], width: Width, _: Monitor) -> list[Element]:
    """Latency, and errors of the service."""
    labels = _label(periods)
    latency = [
        Series("median", [one.latency_p50 for one in periods]),
        Series("95th percentile", [one.latency_p95 for one in periods], "amber"),
    ]
    errors = [Series("errors (5xx)", [one.errors for one in periods], "red")]
    return [
        _lines("Latency of scoring", width, labels, latency, _write_seconds),
        _bars("Errors of the service", width, labels, errors),
    ]


def show_versions(weeks: Sequence[Period]) -> Element:
    """Decisions of each version of a model, and the weeks in which it decided."""
    used: dict[str, list[Period]] = {}
    for week in weeks:
        for version in week.versions:
            used.setdefault(version, []).append(week)
    rows = [
        [version, format_count(sum(week.versions[version] for week in found)), found[0].start, found[-1].start]
        for version, found in used.items()
    ]
    made = table("Model versions", ["version", "decisions", "first week", "last week"], rows)
    return element("div", element("h3", "Model versions"), made)


def _lines(
    name: str,
    width: Width,
    labels: Sequence[str],
    series: Sequence[Series],
    write: Write,
    text: str = "",
    reference: tuple[str, float] | None = None,
) -> Element:
    title = f"{name} by {width}"
    if not any(value is not None for one in series for value in one.values):
        return _show_none(title)
    chart = line_chart(title, labels, series, write, reference=reference)
    return figure(chart, title, text, number_table(title, labels, series, write, width))


def _bars(name: str, width: Width, labels: Sequence[str], series: Sequence[Series], text: str = "") -> Element:
    title = f"{name} by {width}"
    if not any(value for one in series for value in one.values):
        return _show_none(title)
    chart = stacked_bars(title, labels, series, format_count)
    return figure(chart, title, text, number_table(title, labels, series, format_count, width))


def _show_none(title: str) -> Element:
    return element("p", element("b", f"{title}: "), "none.")


def _label(periods: Sequence[Period]) -> list[str]:
    return [f"{date.fromisoformat(one.start):%-d %b}" for one in periods]


def _divide(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _write_seconds(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"
