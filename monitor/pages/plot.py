"""The parts of charts: the picture, its axes and its legend."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from textwrap import wrap
from typing import Literal
from xml.etree.ElementTree import Element

from monitor.pages.markup import element

Color = Literal["ink", "faint", "blue", "red", "amber", "green"]
Write = Callable[[float], str]

WIDTH = 400
"""Of every chart, in units of its viewBox; text is 12 units high, 10 px on a phone of 360 px."""

LETTER = 6.4
"""Mean width of a character."""

LABEL_WIDTH = 144
"""Of the labels of horizontal bars."""

SMALL = 10.5
"""Height of a label in two lines."""


class Plot:
    """The area of a chart with axes: positions of values and of labels."""

    def __init__(
        self, count: int, ticks: Sequence[float], top: int, height: int, write: Write, *, is_bars: bool = False
    ) -> None:
        self.ticks, self.top, self.bottom, self.write = ticks, top, height - 24, write
        self.left, self.right = round(16 + LETTER * max(len(write(tick)) for tick in ticks)), WIDTH - 12
        self.is_bars = is_bars
        self.step = (self.right - self.left) / max(count if is_bars else count - 1, 1)
        self._is_single = count == 1

    def x(self, position: float) -> float:
        """Where a label's position, from 0, stands."""
        return self.left + self.step * (position + 0.5 * (self.is_bars or self._is_single))

    def y(self, value: float) -> float:
        """Where a value stands."""
        low, high = self.ticks[0], self.ticks[-1]
        return self.bottom - (self.bottom - self.top) * (value - low) / (high - low)

    def draw_axes(self, labels: Sequence[str]) -> Iterator[Element]:
        """Lines and numbers of the vertical axis, and as many labels as there is room for."""
        for tick in self.ticks:
            y = round_place(self.y(tick))
            yield element("line", class_="grid", x1=self.left, x2=self.right, y1=y, y2=y)
            yield element("text", self.write(tick), class_="end", x=self.left - 6, y=round_place(self.y(tick) + 4))
        width = LETTER * max(map(len, labels), default=1) + 12
        every = max(1, math.ceil(width / self.step))
        yield from (self.draw_label(labels[index], index) for index in range(0, len(labels), every))

    def draw_label(self, label: str, position: float) -> Element:
        """A label of the horizontal axis, moved inwards where it would be cut off."""
        half = LETTER * len(label) / 2 + 3
        x = min(max(self.x(position), half), WIDTH - half)
        return element("text", label, class_="middle", x=round_place(x), y=self.bottom + 16)

    def draw_horizontal(self, value: float) -> Element:
        """A dashed line across."""
        y = round_place(self.y(value))
        return element("line", class_="faint dashed", x1=self.left, x2=self.right, y1=y, y2=y)

    def draw_line(self, points: Sequence[tuple[float, float]], class_: str, opacity: float | None = None) -> Element:
        """A line through positions and values."""
        places = " ".join(f"{round_place(self.x(position))},{round_place(self.y(value))}" for position, value in points)
        return element("polyline", class_=class_, points=places, opacity=opacity)

    def draw_vertical(self, position: float, color: Color) -> Element:
        """A line upwards."""
        x = round_place(self.x(position))
        return element("line", class_=f"{color} line", x1=x, x2=x, y1=self.top, y2=self.bottom)


def draw_legend(entries: Sequence[tuple[str, Color, bool]]) -> tuple[list[Element], int]:
    """The names of what is drawn, in as many lines as they need, and where the plot may begin."""
    drawn, x, y = [], 4.0, 14
    for label, color, is_dashed in entries:
        width = 30 + LETTER * len(label)
        if x > 4 and x + width > WIDTH:
            x, y = 4.0, y + 18
        ends = {"x1": round_place(x), "x2": round_place(x + 18), "y1": y - 4, "y2": y - 4}
        drawn.append(element("line", class_=f"{color} {'dashed' if is_dashed else 'thick'}", **ends))
        drawn.append(element("text", label, x=round_place(x + 23), y=y))
        x += width + 8
    return drawn, y + 14 if entries else 10


def make_chart(title: str, height: int, *children: Element) -> Element:
    """A picture with a name for assistive technology."""
    return element(
        "svg",
        element("title", title),
        *children,
        class_="chart",
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_label=title,
        font_size=12,
    )


def draw_bar(x: float, y: float, width: float, height: float, class_: str) -> Element:
    """A rectangle whose upper left corner is at x, y."""
    place = {"x": x, "y": y, "width": width, "height": height}
    return element("rect", class_=class_, **{name: round_place(value) for name, value in place.items()})


def draw_row_label(label: str, y: float) -> Element:
    """The label of a horizontal bar around this height, in two lines if it is long."""
    length = int(LABEL_WIDTH / LETTER)
    if len(label) <= length:
        return element("text", label, class_="end", x=LABEL_WIDTH, y=y + 4)
    lines = wrap(label, int(length * 12 / SMALL), max_lines=2, placeholder="…", break_on_hyphens=False)
    first = y + 4 - SMALL / 2 * (len(lines) - 1)
    spans = [element("tspan", line, x=LABEL_WIDTH, y=first + SMALL * number) for number, line in enumerate(lines)]
    return element("text", *spans, class_="end", font_size=SMALL)


def choose_ticks(low: float, high: float) -> list[float]:
    """Three to seven round numbers; the first and the last enclose both ends."""
    span = high - low if high - low > 1e-9 * max(abs(high), 1.0) else max(abs(high), 1.0)
    size = 10.0 ** math.floor(math.log10(span / 4))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if span / (size * factor) <= 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(max(high, low + span) / step - 1e-9)
    return [round(step * number, 12) for number in range(first, last + 1)]


def round_place(value: float) -> float:
    """A coordinate, short."""
    return round(value, 1)
