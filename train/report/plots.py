"""The plots of report.html and drift.html as inline SVG, one function each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from sklearn.metrics import roc_curve

from model.estimates import Estimate
from model.policy import Policy
from model.stability import MODERATE_SHIFT, SIGNIFICANT_SHIFT
from train.dataset import Matrix
from train.report.calibration import Calibration
from train.report.costs import Costs
from train.report.effects import FieldEffect
from train.report.fairness import FOUR_FIFTHS, Fairness
from train.report.stability import Shift
from train.report.svg import AMBER, BLUE, FAINT, INK, RED, render
from train.target import Labels

HALF_WIDTH, THIRD_WIDTH = (4.7, 3.1), (3.3, 2.5)
"""Width and height in inches of plots that stand two or three side by side on a wide page."""

MAX_BARS = 25
"""Maximum number of fields in a bar chart with one bar for each field."""

PERCENT = FuncFormatter(lambda value, _: f"{100 * value:.3g}%")


def plot_calibration(calibration: Calibration) -> str:
    """Reliability diagram: default rate by mean predicted probability, with intervals, and the diagonal."""

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        x = [one.mean_probability for one in calibration.bins]
        rates = [one.default_rate for one in calibration.bins]
        end = max([*x, *(rate.high for rate in rates)]) * 1.03
        axes.plot([0, end], [0, end], color=FAINT, linestyle="--", linewidth=1, label="perfect calibration")
        _plot_rates(axes, x, rates, "observed, 95% interval")
        axes.set(xlim=(0, end), ylim=(0, end), xlabel="mean predicted probability (%)", ylabel="default rate (%)")
        _set_percent(axes.xaxis, axes.yaxis)
        axes.legend(loc="upper left")

    return render(HALF_WIDTH, plot)


def plot_points(y: Labels, points: npt.NDArray[np.int64], policy: Policy) -> str:
    """Score distributions of good applicants and of defaults; points: shape (n,)."""

    def plot(figure: Figure) -> None:
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
        threshold = int(policy.score_points(policy.refuse_from))
        axes.axvline(threshold, color=INK, linewidth=1, linestyle="--", label=f"threshold, {threshold} points")
        axes.set(xlabel="score (points)", ylabel="share of each class (%)")
        _set_percent(axes.yaxis)
        _put_legend_above(axes)

    return render(HALF_WIDTH, plot)


def plot_roc(y: Labels, probability: Matrix) -> str:
    """ROC curve, axes as shares refused."""

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        false_positive_rate, true_positive_rate, _ = roc_curve(y, probability)
        grid = np.linspace(0, 1, 201)
        axes.plot([0, 1], [0, 1], color=FAINT, linestyle="--", linewidth=1, label="random (AUC 0.5)")
        axes.plot(grid, np.interp(grid, false_positive_rate, true_positive_rate), color=BLUE, label="this model")
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="good applicants refused (%)", ylabel="defaults refused (%)")
        _set_percent(axes.xaxis, axes.yaxis)
        axes.legend(loc="lower right")

    return render(HALF_WIDTH, plot)


def plot_costs(costs: Costs) -> str:
    """Cost per applicant by threshold, with the one implied by the costs and the interval of the observed optimum."""

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        optimum = costs.empirical_threshold
        label = "observed optimum, 95% interval"
        axes.axvspan(optimum.low, optimum.high, color=AMBER, alpha=0.2, linewidth=0, label=label)
        axes.plot(costs.thresholds, costs.curve, color=BLUE, label="cost, accept or refuse")
        axes.axvline(
            costs.theoretical_threshold, color=INK, linestyle="--", linewidth=1, label="threshold implied by the costs"
        )
        top = min(costs.accept_all, 2.5 * costs.refuse_all)
        axes.set(xlim=(0, 1), ylim=(0, top * 1.05), xlabel="threshold, probability of default (%)")
        axes.set_ylabel("cost per applicant (unit of the card)")
        _set_percent(axes.xaxis)
        axes.legend(loc="lower right")

    return render(HALF_WIDTH, plot)


def plot_strategy(costs: Costs) -> str:
    """Strategy curve: default rate of the accepted applicants by acceptance rate."""

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        x = [row.acceptance for row in costs.strategy]
        rates = [row.default_rate for row in costs.strategy]
        _plot_rates(axes, x, rates, "default rate, 95% interval")
        for group in costs.decisions:
            if group.decision == "accept":
                point = (group.share, group.default_rate.value)
                axes.plot(*point, color=INK, marker="D", markersize=6, linestyle="none", label="this policy")
        axes.set(xlim=(0, 1.02), xlabel="acceptance rate (%)", ylabel="default rate of accepted (%)")
        axes.set_ylim(bottom=0)
        _set_percent(axes.xaxis, axes.yaxis)
        axes.legend(loc="upper left")

    return render(HALF_WIDTH, plot)


def plot_importance(effects: Sequence[FieldEffect]) -> str:
    """Mean |contribution| by field."""

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        labels = [_truncate(effect.field.label) for effect in effects]
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
        _set_percent(below.yaxis)
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


def plot_fairness(fairness: Fairness) -> str:
    """Acceptance rate of each group divided by that of the reference group."""

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axvspan(0, FOUR_FIFTHS, color=AMBER, alpha=0.15, linewidth=0)
        axes.axvline(1, color=FAINT, linewidth=1)
        for row, group in enumerate(fairness.groups):
            color = RED if group.has_adverse_impact else BLUE
            ratio = group.impact_ratio
            axes.plot([ratio.low, ratio.high], [row, row], color=color)
            axes.plot([ratio.value], [row], color=color, marker="o", markersize=5)
        axes.set_yticks(range(len(fairness.groups)), [_truncate(group.name) for group in fairness.groups])
        axes.set_ylim(len(fairness.groups) - 0.5, -0.5)
        end = max([1.1, *(group.impact_ratio.high for group in fairness.groups)])
        unit = f" ({fairness.unit})" if fairness.unit else ""
        axes.set(
            xlim=(0, end * 1.03),
            xlabel=f"acceptance rate / that of “{_truncate(fairness.reference)}”",
            ylabel=f"{fairness.label}{unit}",
        )
        axes.grid(visible=False, axis="y")

    return render((HALF_WIDTH[0], 1.1 + 0.32 * len(fairness.groups)), plot)


def plot_shifts(shifts: Sequence[Shift]) -> str:
    """Population stability index of each field with its interval, above its sampling noise as a bar."""

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        for limit, color in ((MODERATE_SHIFT, AMBER), (SIGNIFICANT_SHIFT, RED)):
            axes.axvline(limit, color=color, linewidth=1, linestyle="--")
        colors = {"stable": BLUE, "moderate shift": AMBER, "significant shift": RED}
        for row, shift in enumerate(shifts):
            axes.barh([row], [shift.noise], 0.7, color=FAINT, alpha=0.25, linewidth=0)
            axes.plot([shift.psi.low, shift.psi.high], [row, row], color=colors[shift.verdict])
            axes.plot([shift.psi.value], [row], color=colors[shift.verdict], marker="o", markersize=4)
        axes.set_yticks(range(len(shifts)), [_truncate(shift.label) for shift in shifts])
        axes.invert_yaxis()
        end = max([SIGNIFICANT_SHIFT * 1.15, *(min(shift.psi.high, shift.psi.value * 1.5) for shift in shifts)])
        axes.set(xlim=(0, end), xlabel="population stability index")
        axes.grid(visible=False, axis="y")

    return render((HALF_WIDTH[0], 0.9 + 0.25 * len(shifts)), plot)


def plot_shift(shift: Shift) -> str:
    """Share of applicants in each bin, in the training rows and now."""

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        rows = np.arange(len(shift.names))
        axes.barh(rows - 0.2, shift.before, 0.38, color=FAINT, alpha=0.7, linewidth=0, label="training")
        axes.barh(rows + 0.2, shift.after, 0.38, color=BLUE, alpha=0.8, linewidth=0, label="now")
        axes.set_yticks(rows, [_truncate(name) for name in shift.names])
        axes.invert_yaxis()
        axes.set(xlabel="share of applicants (%)", ylabel=shift.unit)
        axes.grid(visible=False, axis="y")
        _set_percent(axes.xaxis)
        _put_legend_above(axes)

    return render((THIRD_WIDTH[0], 1.1 + 0.27 * len(shift.names)), plot)


def _plot_rates(axes: Any, x: Sequence[float], rates: Sequence[Estimate], label: str) -> None:
    axes.fill_between(x, [r.low for r in rates], [r.high for r in rates], color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(x, [r.value for r in rates], color=BLUE, marker="o", markersize=4, label=label)


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
        named = [(position, _truncate(point.name, 12)) for position, point in zip(x, effect.points, strict=True)]
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


def _put_legend_above(axes: Any) -> None:
    """Place the legend above the axes, where it covers no bar."""
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=3)


def _set_percent(*axes: Any) -> None:
    for axis in axes:
        axis.set_major_formatter(PERCENT)


def _format_tick(value: float) -> str:
    """A tick label in few characters: 1500, 20k, 3M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            unit = 1e3 if letter == "k" else size
            return f"{value / unit:g}{letter}"
    return f"{value:g}"


def _truncate(text: str, max_length: int = 28) -> str:
    return text if len(text) <= max_length else text[: max_length - 1] + "…"
