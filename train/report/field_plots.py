"""Plots of the fields in report.html as inline SVG: importance, and the effect of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from train.report.effects import FieldEffect
from train.report.plots import HALF_WIDTH, PERCENT, THIRD_WIDTH, truncate
from train.report.svg import BLUE, FAINT, INK, render

MAX_NAMES = 12
"""Levels whose names are shown, evenly spaced; the names of more would overlap."""


def plot_importance(effects: Sequence[FieldEffect]) -> str:
    """Mean |contribution| by field."""

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        labels = [truncate(effect.field.label) for effect in effects]
        axes.barh(labels, [effect.importance for effect in effects], color=BLUE, alpha=0.8, linewidth=0)
        axes.invert_yaxis()
        axes.set(xlabel="mean |contribution| (log-odds)")
        axes.grid(visible=False, axis="y")

    return render((HALF_WIDTH[0], 0.9 + 0.24 * len(effects)), plot)


def plot_effect(effect: FieldEffect) -> str:
    """Contribution by value of a field with the 10th to 90th percentile, above the share of applicants by value."""

    def plot(figure: Figure) -> None:
        above, below = figure.subplots(2, sharex=True, height_ratios=[3, 1])
        is_number = effect.field.kind == "number"
        points = list(effect.points)
        if is_number:
            x = [point.value for point in points]
            width = points[0].width * 0.9 if points and points[0].width else 1.0
            missing_x = (max(x) + max((max(x) - min(x)) * 0.12, 1.6 * width)) if x else 0.0
        else:
            x, width = list(map(float, range(len(points)))), 0.7
            missing_x = float(len(points))
        low, mid, high = ([getattr(p, name) for p in points] for name in ("low", "contribution", "high"))
        if is_number and len(points) > 1:
            above.fill_between(x, low, high, color=BLUE, alpha=0.2, linewidth=0)
            above.plot(x, mid, color=BLUE, marker="o", markersize=2.5)
        else:
            _plot_spans(above, x, points)
        below.bar(x, [point.share for point in points], width, color=FAINT, alpha=0.6, linewidth=0)
        if effect.missing is not None:
            _plot_spans(above, [missing_x], [effect.missing])
            below.bar([missing_x], [effect.missing.share], width, color=FAINT, alpha=0.6, linewidth=0)
        above.axhline(0, color=INK, linewidth=0.7)
        above.set_ylabel("log-odds")
        below.set_ylabel("share (%)")
        below.set_xlabel(effect.field.unit or ("level" if not is_number else "value"))
        below.yaxis.set_major_formatter(PERCENT)
        below.yaxis.set_major_locator(MaxNLocator(2))
        ticks, names = _choose_ticks(effect, x, missing_x)
        if names is None:
            below.xaxis.set_major_locator(MaxNLocator(4))
            below.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _format_tick(value)))
        else:
            below.set_xticks(ticks, names)
            if max(map(len, names)) * len(names) > 30:
                below.tick_params(axis="x", rotation=40)
                for text in below.get_xticklabels():
                    text.set_horizontalalignment("right")
        figure.align_ylabels()

    return render(THIRD_WIDTH, plot)


def _plot_spans(axes: Any, x: Sequence[float], points: Sequence[Any]) -> None:
    for position, point in zip(x, points, strict=True):
        axes.plot(
            [position, position], [point.low, point.high], color=BLUE, alpha=0.4, linewidth=4, solid_capstyle="butt"
        )
        axes.plot([position], [point.contribution], color=BLUE, marker="o", markersize=4)


def _choose_ticks(effect: FieldEffect, x: Sequence[float], missing_x: float) -> tuple[list[float], list[str] | None]:
    """Positions and labels of the ticks; None for the labels of an ordinary numeric axis."""
    missing = [(missing_x, "missing")] if effect.missing is not None else []
    if effect.field.kind == "category":
        step = max(-(-len(x) // MAX_NAMES), 1)
        levels = list(zip(x, effect.points, strict=True))[::step]
        # "missing" is in the place after the last level.
        last = missing_x - step if missing else missing_x
        named = [(position, truncate(point.name, 12)) for position, point in levels if position <= last]
    elif not missing:
        return [], None
    elif x:
        ticks = MaxNLocator(3).tick_values(min(x), max(x))
        # A label too close to "missing" would overlap it.
        last = missing_x - 0.25 * (missing_x - min(x))
        named = [(float(tick), _format_tick(tick)) for tick in ticks if min(x) - 1e-9 <= tick <= last]
    else:
        named = []
    pairs = named + missing
    return [position for position, _ in pairs], [name for _, name in pairs]


def _format_tick(value: float) -> str:
    """A tick label in few characters: 1500, 20k, 3M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            unit = 1e3 if letter == "k" else size
            return f"{value / unit:g}{letter}"
    return f"{value:g}"
