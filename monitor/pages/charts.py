"""Charts as inline SVG, whose colours come from style.css: for light, dark and print, on a phone and on a desk.

A chart is a picture for assistive technology; the table beside it (`figure`) has its numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from xml.etree.ElementTree import Element

from model.estimates import Estimate
from model.formatting import UNKNOWN
from monitor.pages.markup import Child, append, element, fold, table
from monitor.pages.plot import (
    LABEL_WIDTH,
    WIDTH,
    Color,
    Plot,
    Write,
    choose_ticks,
    draw_bar,
    draw_legend,
    draw_row_label,
    make_chart,
    round_place,
)

SMALLEST = 1e-9
"""Length of an axis of nothing but zeros."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one part of stacked bars; None where there is no value.

    `intervals`: drawn beside the points. `opacity`: of a line among many, which has no points and isn't in the legend.
    """

    label: str
    values: Sequence[float | None]
    color: Color = "blue"
    intervals: Sequence[Estimate | None] = ()
    is_dashed: bool = False
    opacity: float | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A horizontal bar. `noise`: what chance alone gives, drawn behind it."""

    label: str
    value: float
    noise: float | None = None
    color: Color = "blue"


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the horizontal axis, in positions of the labels, with a line at its middle."""

    label: str
    low: float
    middle: float
    high: float


def figure(chart: Element, title: str, text: Child = None, numbers: Element | None = None) -> Element:
    """A chart with its caption, and its numbers as a table on demand."""
    caption = element("figcaption", element("b", f"{title}."), " ", text)
    return element("figure", chart, caption, None if numbers is None else fold("Numbers", numbers))


def number_table(title: str, labels: Sequence[str], series: Sequence[Series], write: Write, first: str = "") -> Element:
    """The numbers of a line chart or of stacked bars, with a column for each series."""
    rows = [
        [label, *(UNKNOWN if (value := one.values[index]) is None else write(value) for one in series)]
        for index, label in enumerate(labels)
    ]
    return table(title, [first, *(one.label for one in series)], rows)


def line_chart(
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    write: Write,
    *,
    low: float = 0.0,
    reference: tuple[str, float] | None = None,
    band: Band | None = None,
    height: int = 240,
) -> Element:
    """Lines over equally spaced labels, interrupted where a value is None.

    `low`: the lower end of the vertical axis, which is extended where values lie below it. `reference`: a dashed line
    across, and its name.
    """
    ends = [end for one in series for end in _list_ends(one)]
    top_end = max([*ends, *([] if reference is None else [reference[1]])], default=low + 1)
    legend: list[tuple[str, Color, bool]] = [
        (one.label, one.color, one.is_dashed) for one in series if one.opacity is None
    ]
    if reference is not None:
        legend.append((reference[0], "faint", True))
    if band is not None:
        legend.append((band.label, "amber", False))
    drawn, top = draw_legend(legend)
    plot = Plot(len(labels), choose_ticks(min([low, *ends]), top_end), top, height, write)
    svg = make_chart(title, height, *drawn, *plot.draw_axes(labels))
    if not ends:
        append(svg, element("text", "nothing to show yet", class_="middle faint", x=WIDTH / 2, y=height / 2))
    if band is not None:
        left, right = plot.x(band.low), plot.x(band.high)
        area = draw_bar(left, top, max(right - left, 1), plot.bottom - top, "amber area")
        append(svg, area, plot.draw_vertical(band.middle, "amber"))
    if reference is not None:
        append(svg, plot.draw_horizontal(reference[1]))
    for one in series:
        append(svg, *_draw_series(plot, one, labels, write))
    return svg


def stacked_bars(title: str, labels: Sequence[str], series: Sequence[Series], write: Write) -> Element:
    """Vertical bars of counts over labels, the first series at the bottom."""
    height = 240
    totals = [sum(one.values[index] or 0.0 for one in series) for index in range(len(labels))]
    drawn, top = draw_legend([(one.label, one.color, False) for one in series])
    most = max(totals, default=1.0)
    # The ticks of small counts are whole numbers too.
    ticks = choose_ticks(0.0, next((end for end in (5.0, 10.0, 20.0) if most <= end), most))
    plot = Plot(len(labels), ticks, top, height, write, is_bars=True)
    svg = make_chart(title, height, *drawn, *plot.draw_axes(labels))
    width = plot.step * 0.8
    for index, label in enumerate(labels):
        base = 0.0
        for one in series:
            value = one.values[index] or 0.0
            if value > 0:
                y, bottom = plot.y(base + value), plot.y(base)
                bar = draw_bar(plot.x(index) - width / 2, y, width, bottom - y, f"{one.color} fill")
                append(svg, append(bar, element("title", f"{label}, {one.label}: {write(value)}")))
            base += value
    return svg


def bar_list(title: str, bars: Sequence[Bar], write: Write, limits: Sequence[float] = (), end: float = 1.0) -> Element:
    """Horizontal bars with their values, chance alone in grey behind them, and dashed lines at limits.

    A bar longer than `end` is cut off there; its value says how long it is.
    """
    left, right, row, top = LABEL_WIDTH + 8, WIDTH - 52, 24, 20
    lengths = [SMALLEST, *(1.2 * limit for limit in limits), *(max(bar.value, bar.noise or 0.0) for bar in bars)]
    scale = (right - left) / min(max(lengths), end)
    bottom = top + row * len(bars)
    svg = make_chart(title, bottom + 4)
    for y, bar in zip(range(top, bottom, row), bars, strict=True):
        told = f"{bar.label}: {write(bar.value)}" + ("" if bar.noise is None else f", chance alone {write(bar.noise)}")
        group = element("g", element("title", told), draw_row_label(bar.label, y + row / 2))
        if bar.noise is not None:
            append(group, draw_bar(left, y + 3, min(bar.noise * scale, right - left), row - 6, "faint area"))
        width = min(max(bar.value, 0.0) * scale, right - left)
        append(group, draw_bar(left, y + 7, width, row - 14, f"{bar.color} fill"))
        append(svg, append(group, element("text", write(bar.value), x=right + 6, y=y + row / 2 + 4)))
    for limit in limits:
        x = round_place(left + limit * scale)
        append(svg, element("line", class_="ink dashed", x1=x, x2=x, y1=top - 4, y2=bottom))
        append(svg, element("text", write(limit), class_="middle faint", x=x, y=top - 8))
    return svg


def share_bars(
    title: str,
    names: Sequence[str],
    expected: Sequence[float],
    shares: Sequence[float],
    write: Write,
    words: tuple[str, str] = ("expected", "seen"),
) -> Element:
    """Two bars for each bin: what is expected, and what was seen; `words` say so."""
    left, right, row = LABEL_WIDTH + 8, WIDTH - 52, 28
    drawn, top = draw_legend([(words[0], "faint", False), (words[1], "blue", False)])
    scale = (right - left) / max([*expected, *shares, SMALLEST])
    svg = make_chart(title, top + row * len(names) + 4, *drawn)
    for index, (name, before, after) in enumerate(zip(names, expected, shares, strict=True)):
        y = top + row * index
        told = element("title", f"{name}: {words[1]} {write(after)}, {words[0]} {write(before)}")
        group = element("g", told, draw_row_label(name, y + row / 2))
        append(group, draw_bar(left, y + 4, before * scale, 9, "faint fill"))
        append(group, draw_bar(left, y + 14, after * scale, 9, "blue fill"))
        append(svg, append(group, element("text", write(after), x=right + 6, y=y + row / 2 + 4)))
    return svg


def calibration_plot(title: str, points: Sequence[tuple[float, Estimate]], write: Write) -> Element:
    """Observed default rate with its interval by mean predicted probability, and the line of perfect calibration."""
    height = 300
    drawn, top = draw_legend([("observed, 95% interval", "blue", False), ("perfect calibration", "faint", True)])
    ends = [*(x for x, _ in points), *(rate.high for _, rate in points)]
    plot = Plot(2, choose_ticks(0.0, max(ends, default=1.0)), top, height - 16, write)
    last = plot.ticks[-1]
    svg = make_chart(title, height, *drawn, *plot.draw_axes([]))
    for tick in plot.ticks:
        append(svg, plot.draw_label(write(tick), tick / last))
    middle = (plot.left + plot.right) / 2
    append(svg, element("text", "mean predicted probability", class_="middle faint", x=middle, y=height - 4))
    corners = {"x1": plot.left, "y1": plot.bottom, "x2": plot.right, "y2": plot.top}
    append(svg, element("line", class_="faint dashed", **corners))
    for predicted, rate in points:
        told = f"predicted {write(predicted)}, observed {write(rate.value)} ({write(rate.low)}–{write(rate.high)})"
        append(svg, _draw_interval(plot, predicted / last, rate, "blue"))
        append(svg, _draw_point(plot, predicted / last, rate.value, "blue", told))
    return append(svg, plot.draw_line([(x / last, rate.value) for x, rate in points], "blue line"))


def _draw_series(plot: Plot, series: Series, labels: Sequence[str], write: Write) -> Iterator[Element]:
    opacity = None if series.opacity is None else round_place(series.opacity)
    kind = "dashed" if series.is_dashed else "line"
    runs = groupby(enumerate(series.values), lambda pair: pair[1] is not None)
    for run in (list(run) for is_known, run in runs if is_known):
        points = [(index, value) for index, value in run if value is not None]
        yield plot.draw_line(points, f"{series.color} {kind}", opacity)
    for index, (label, value) in enumerate(zip(labels, series.values, strict=True)):
        interval = series.intervals[index] if series.intervals else None
        if value is not None and interval is not None:
            yield _draw_interval(plot, index, interval, series.color)
        if value is not None and not series.is_dashed and opacity is None:
            yield _draw_point(plot, index, value, series.color, f"{label}, {series.label}: {write(value)}")


def _draw_point(plot: Plot, position: float, value: float, color: Color, text: str) -> Element:
    place = {"cx": round_place(plot.x(position)), "cy": round_place(plot.y(value))}
    return element("circle", element("title", text), class_=f"{color} fill", r=3, **place)


def _draw_interval(plot: Plot, position: float, interval: Estimate, color: Color) -> Element:
    x = round_place(plot.x(position))
    ends = {"y1": round_place(plot.y(interval.low)), "y2": round_place(plot.y(interval.high))}
    return element("line", class_=f"{color} interval", x1=x, x2=x, **ends)


def _list_ends(series: Series) -> Iterator[float]:
    yield from (value for value in series.values if value is not None)
    for value, interval in zip(series.values, series.intervals, strict=False):
        if value is not None and interval is not None:
            yield from (interval.low, interval.high)
