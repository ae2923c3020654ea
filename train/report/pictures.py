"""The pictures of the report, one function each: from what was measured to inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter
from sklearn.metrics import roc_curve

from model.policy import Policy
from train.dataset import Labels, Matrix
from train.report.calibration import Calibration
from train.report.costs import Costs
from train.report.fairness import FOUR_FIFTHS, Fairness
from train.report.shapes import Shape
from train.report.stability import ACT, WATCH, Shift
from train.report.svg import AMBER, BLUE, FAINT, INK, RED, render

WIDE, SMALL = (4.7, 3.1), (3.3, 2.5)
"""Inches: half the page, a third of it; a phone shows either alone."""

MOST_BARS = 25
"""Rows of a picture with one for each field; a model with hundreds shows the first."""

PERCENT = PercentFormatter(1.0, decimals=0)


def draw_calibration(calibration: Calibration) -> str:
    """Default rate over mean probability of ten groups, with intervals, beside the diagonal of perfect answers."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        x = [group.probability for group in calibration.groups]
        rates = [group.rate for group in calibration.groups]
        end = max([*x, *(rate.high for rate in rates)]) * 1.03
        axes.plot([0, end], [0, end], color=FAINT, linestyle="--", linewidth=1, label="perfect")
        axes.fill_between(x, [r.low for r in rates], [r.high for r in rates], color=BLUE, alpha=0.2, linewidth=0)
        axes.plot(x, [r.value for r in rates], color=BLUE, marker="o", markersize=4, label="observed, 95 % interval")
        axes.set(xlim=(0, end), ylim=(0, end), xlabel="mean probability of default (%)", ylabel="default rate (%)")
        _percent(axes.xaxis, axes.yaxis)
        axes.legend(loc="upper left")

    return render(WIDE, draw)


def draw_points(y: Labels, points: Matrix, policy: Policy) -> str:
    """How the points of goods and of defaults spread, shape (n,) each, and where the policy refuses."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        low, high = np.quantile(points, [0.005, 0.995])
        edges = np.linspace(low, max(high, low + 1), 31)
        for value, name, color in ((0, "good", BLUE), (1, "default", RED)):
            some = points[y == value]
            axes.hist(
                some,
                edges.tolist(),
                weights=np.full(len(some), 1 / len(some)),
                color=color,
                alpha=0.45,
                label=name,
                linewidth=0,
            )
        limit = policy.score_points(policy.refuse_from)
        axes.axvline(limit, color=INK, linewidth=1, linestyle="--", label=f"refused up to {limit}")
        axes.set(xlabel="score (points)", ylabel="share of goods, of defaults (%)")
        _percent(axes.yaxis)
        axes.legend(loc="upper left")

    return render(WIDE, draw)


def draw_roc(y: Labels, probability: Matrix) -> str:
    """Defaults found over goods refused, for every threshold."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        refused_goods, refused_bads, _ = roc_curve(y, probability)
        grid = np.linspace(0, 1, 201)
        axes.plot([0, 1], [0, 1], color=FAINT, linestyle="--", linewidth=1, label="no model")
        axes.plot(grid, np.interp(grid, refused_goods, refused_bads), color=BLUE, label="this model")
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="goods refused (%)", ylabel="defaults refused (%)")
        _percent(axes.xaxis, axes.yaxis)
        axes.legend(loc="lower right")

    return render(WIDE, draw)


def draw_costs(costs: Costs) -> str:
    """Cost per applicant over the threshold: the one of the costs, and the best in hindsight with its interval."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        best = costs.empirical
        axes.axvspan(best.low, best.high, color=AMBER, alpha=0.2, linewidth=0, label="best in hindsight, 95 % interval")
        axes.plot(costs.thresholds, costs.curve, color=BLUE, label="refusing from there on")
        axes.axvline(costs.theoretical, color=INK, linestyle="--", linewidth=1, label="from the costs (used)")
        top = min(costs.accept_all, 2.5 * costs.refuse_all)
        axes.set(xlim=(0, 1), ylim=(0, top * 1.05), xlabel="threshold, probability of default (%)")
        axes.set_ylabel("cost per applicant (units of the card)")
        _percent(axes.xaxis)
        axes.legend(loc="lower right")

    return render(WIDE, draw)


def draw_tradeoff(costs: Costs) -> str:
    """Default rate of the accepted over the share of applicants accepted."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        x = [step.acceptance for step in costs.tradeoffs]
        rates = [step.bad_rate for step in costs.tradeoffs]
        axes.fill_between(x, [r.low for r in rates], [r.high for r in rates], color=BLUE, alpha=0.2, linewidth=0)
        axes.plot(x, [r.value for r in rates], color=BLUE, marker="o", markersize=4, label="95 % interval")
        taken = [answer for answer in costs.answers if answer.decision == "accept"]
        for answer in taken:
            place = (answer.share, answer.default_rate.value)
            axes.plot(*place, color=INK, marker="D", markersize=6, linestyle="none", label="this policy")
        axes.set(xlim=(0, 1.02), xlabel="applicants accepted (%)", ylabel="default rate of accepted (%)")
        axes.set_ylim(bottom=0)
        _percent(axes.xaxis, axes.yaxis)
        axes.legend(loc="upper left")

    return render(WIDE, draw)


def draw_importance(shapes: Sequence[Shape]) -> str:
    """Mean |contribution| of each field."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        labels = [_short(shape.field.label) for shape in shapes]
        axes.barh(labels, [shape.importance for shape in shapes], color=BLUE, alpha=0.8, linewidth=0)
        axes.invert_yaxis()
        axes.set(xlabel="mean |contribution| (log-odds)")
        axes.grid(visible=False, axis="y")

    return render((WIDE[0], 0.9 + 0.24 * len(shapes)), draw)


def draw_shape(shape: Shape) -> str:
    """A field's contribution over its values, with the span of 80 % of applicants, and the population beneath."""

    def draw(figure: Figure) -> None:
        above, below = figure.subplots(2, sharex=True, height_ratios=[3, 1])
        is_number = shape.field.kind == "number"
        points = list(shape.points)
        if is_number:
            x = [point.value for point in points]
            width = points[0].width * 0.9 if points and points[0].width else 1.0
            apart = (max(x) + max((max(x) - min(x)) * 0.12, 1.6 * width)) if x else 0.0
        else:
            x, width = list(map(float, range(len(points)))), 0.7
            apart = float(len(points))
        low, mid, high = ([getattr(p, name) for p in points] for name in ("low", "contribution", "high"))
        if is_number and len(points) > 1:
            above.fill_between(x, low, high, color=BLUE, alpha=0.2, linewidth=0)
            above.plot(x, mid, color=BLUE, marker="o", markersize=2.5)
        else:
            _spans(above, x, points)
        below.bar(x, [point.share for point in points], width, color=FAINT, alpha=0.6, linewidth=0)
        if shape.missing is not None:
            _spans(above, [apart], [shape.missing])
            below.bar([apart], [shape.missing.share], width, color=FAINT, alpha=0.6, linewidth=0)
        above.axhline(0, color=INK, linewidth=0.7)
        above.set_ylabel("log-odds")
        below.set_ylabel("people (%)")
        below.set_xlabel(shape.field.unit or ("level" if not is_number else "value, as in the data"))
        _percent(below.yaxis)
        below.yaxis.set_major_locator(MaxNLocator(2))
        ticks, names = _ticks(shape, x, apart)
        if names is None:
            below.xaxis.set_major_locator(MaxNLocator(4))
            below.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _number(value)))
        else:
            below.set_xticks(ticks, names)
            if max(map(len, names)) * len(names) > 30:
                below.tick_params(axis="x", rotation=40)
                for text in below.get_xticklabels():
                    text.set_horizontalalignment("right")
        figure.align_ylabels()

    return render(SMALL, draw)


def draw_fairness(fairness: Fairness) -> str:
    """Acceptance of each group over that of the group accepted most often."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axvspan(0, FOUR_FIFTHS, color=AMBER, alpha=0.15, linewidth=0, label="under four fifths")
        axes.axvline(1, color=FAINT, linewidth=1)
        for place, group in enumerate(fairness.groups):
            color = RED if group.is_flagged else BLUE
            axes.plot([group.ratio.low, group.ratio.high], [place, place], color=color)
            axes.plot([group.ratio.value], [place], color=color, marker="o", markersize=5)
        axes.set_yticks(range(len(fairness.groups)), [_short(group.name) for group in fairness.groups])
        axes.invert_yaxis()
        end = max([1.1, *(group.ratio.high for group in fairness.groups)])
        unit = f" ({fairness.unit})" if fairness.unit else ""
        axes.set(
            xlim=(0, end * 1.03),
            xlabel=f"acceptance, ratio to “{_short(fairness.best)}”",
            ylabel=f"{fairness.label}{unit}",
        )
        axes.grid(visible=False, axis="y")

    return render((WIDE[0], 1.1 + 0.32 * len(fairness.groups)), draw)


def draw_shifts(shifts: Sequence[Shift]) -> str:
    """The stability index of each field, its interval, and what noise explains."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for limit, color in ((WATCH, AMBER), (ACT, RED)):
            axes.axvline(limit, color=color, linewidth=1, linestyle="--", label=f"{limit:g}")
        colors = {"stable": BLUE, "watch": AMBER, "moved": RED}
        for place, shift in enumerate(shifts):
            axes.barh([place], [shift.noise], 0.7, color=FAINT, alpha=0.25, linewidth=0)
            axes.plot([shift.psi.low, shift.psi.high], [place, place], color=colors[shift.verdict])
            axes.plot([shift.psi.value], [place], color=colors[shift.verdict], marker="o", markersize=4)
        axes.set_yticks(range(len(shifts)), [_short(shift.label) for shift in shifts])
        axes.invert_yaxis()
        end = max([ACT * 1.15, *(min(shift.psi.high, shift.psi.value * 1.5) for shift in shifts)])
        axes.set(xlim=(0, end), xlabel="stability index, PSI (no unit); grey: noise alone")
        axes.grid(visible=False, axis="y")

    return render((WIDE[0], 0.9 + 0.25 * len(shifts)), draw)


def draw_shift(shift: Shift) -> str:
    """The shares of each bin before and after."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        places = np.arange(len(shift.names))
        axes.barh(places - 0.2, shift.before, 0.38, color=FAINT, alpha=0.7, linewidth=0, label="training")
        axes.barh(places + 0.2, shift.after, 0.38, color=BLUE, alpha=0.8, linewidth=0, label="now")
        axes.set_yticks(places, [_short(name) for name in shift.names])
        axes.invert_yaxis()
        axes.set(xlabel="share of applicants (%)", ylabel=shift.unit)
        axes.grid(visible=False, axis="y")
        _percent(axes.xaxis)
        # Above: within, it would lie on a bar.
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=2, frameon=False)

    return render((SMALL[0], 1.1 + 0.27 * len(shift.names)), draw)


def _spans(axes: Any, x: Sequence[float], points: Sequence[Any]) -> None:
    for place, point in zip(x, points, strict=True):
        axes.plot([place, place], [point.low, point.high], color=BLUE, alpha=0.4, linewidth=4, solid_capstyle="butt")
        axes.plot([place], [point.contribution], color=BLUE, marker="o", markersize=4)


def _ticks(shape: Shape, x: Sequence[float], apart: float) -> tuple[list[float], list[str] | None]:
    """Where ticks are and what they say; None for numbers on an ordinary axis."""
    missing = [(apart, "none")] if shape.missing is not None else []
    if shape.field.kind == "category":
        named = [(place, _short(point.name, 12)) for place, point in zip(x, shape.points, strict=True)]
    elif not missing:
        return [], None
    elif x:
        ticks = MaxNLocator(3).tick_values(min(x), max(x))
        named = [(float(tick), _number(tick)) for tick in ticks if min(x) - 1e-9 <= tick <= max(x)]
    else:
        named = []
    pairs = named + missing
    return [place for place, _ in pairs], [name for _, name in pairs]


def _percent(*axes: Any) -> None:
    for axis in axes:
        axis.set_major_formatter(PERCENT)


def _number(value: float) -> str:
    """A tick in few characters: 1500, 20k, 3M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            unit = 1e3 if letter == "k" else size
            return f"{value / unit:g}{letter}"
    return f"{value:g}"


def _short(text: str, most: int = 28) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
