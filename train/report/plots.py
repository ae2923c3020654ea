"""The plots of report.html and drift.html as inline SVG, one function each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from sklearn.metrics import roc_curve

from model.estimates import Estimate
from model.policy import Policy
from model.stability import MODERATE_SHIFT, SIGNIFICANT_SHIFT
from train.dataset import Matrix
from train.report.calibration import Calibration
from train.report.costs import Costs
from train.report.fairness import FOUR_FIFTHS, Fairness
from train.report.samples import Sample
from train.report.stability import Shift
from train.report.svg import AMBER, BLUE, FAINT, INK, RED, render

HALF_WIDTH, THIRD_WIDTH = (4.7, 3.1), (3.3, 2.5)
"""Width and height in inches of plots that stand two or three side by side on a wide page."""

MAX_BARS = 25
"""Maximum number of fields in a bar chart with one bar for each field."""

PERCENT = FuncFormatter(lambda value, _: f"{100 * value:.3g}%")


def plot_calibration(calibration: Calibration, in_time: Calibration | None = None) -> str:
    """Reliability diagram: default rate by mean predicted probability, with intervals, and the diagonal.

    `in_time`: drawn beside what is out of time.
    """

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        x = [one.mean_probability for one in calibration.bins]
        rates = [one.default_rate for one in calibration.bins]
        earlier = () if in_time is None else in_time.bins
        end = max([*x, *(rate.high for rate in rates), *(one.default_rate.value for one in earlier)]) * 1.03
        axes.plot([0, end], [0, end], color=FAINT, linestyle="--", linewidth=1, label="perfect calibration")
        if earlier:
            axes.plot(
                [one.mean_probability for one in earlier],
                [one.default_rate.value for one in earlier],
                color=AMBER,
                marker="s",
                markersize=3,
                label="observed, in time",
            )
        _plot_rates(axes, x, rates, "observed, out of time, 95% interval" if earlier else "observed, 95% interval")
        axes.set(xlim=(0, end), ylim=(0, end), xlabel="mean predicted probability (%)", ylabel="default rate (%)")
        set_percent(axes.xaxis, axes.yaxis)
        axes.legend(loc="upper left")

    return render(HALF_WIDTH, plot)


def plot_points(sample: Sample, policy: Policy) -> str:
    """Score distributions of good applicants and of defaults, and the threshold, if one decides for all."""
    y, points = sample.y, policy.score_points(sample.probability)
    weight = np.ones(len(y)) if sample.weight is None else sample.weight

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        low, high = np.quantile(points, [0.005, 0.995])
        edges = np.linspace(low, max(high, low + 1), 31)
        for value, name, color in ((0, "good", BLUE), (1, "default", RED)):
            some, share = points[y == value], weight[y == value] / weight[y == value].sum()
            axes.hist(
                some,
                edges.tolist(),
                weights=share,
                color=color,
                alpha=0.45,
                label=name,
                linewidth=0,
            )
        if policy.money is None:
            threshold = int(policy.score_points(policy.refuse_from))
            axes.axvline(threshold, color=INK, linewidth=1, linestyle="--", label=f"threshold, {threshold} points")
        axes.set(xlabel="score (points)", ylabel="share of each class (%)")
        set_percent(axes.yaxis)
        put_legend_above(axes)

    return render(HALF_WIDTH, plot)


def plot_roc(sample: Sample, in_time: Sample | None = None) -> str:
    """ROC curve, axes as shares refused; `in_time`: drawn beside what is out of time."""

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        grid = np.linspace(0, 1, 201)
        axes.plot([0, 1], [0, 1], color=FAINT, linestyle="--", linewidth=1, label="random (AUC 0.5)")
        if in_time is not None:
            axes.plot(grid, _read_roc(in_time, grid), color=AMBER, label="in time")
        label = "this model" if in_time is None else "out of time"
        axes.plot(grid, _read_roc(sample, grid), color=BLUE, label=label)
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="good applicants refused (%)", ylabel="defaults refused (%)")
        set_percent(axes.xaxis, axes.yaxis)
        axes.legend(loc="lower right")

    return render(HALF_WIDTH, plot)


def _read_roc(sample: Sample, grid: Matrix) -> Matrix:
    """The share of defaults refused at each share of good applicants refused."""
    false_positive_rate, true_positive_rate, _ = roc_curve(sample.y, sample.probability, sample_weight=sample.weight)
    return np.asarray(np.interp(grid, false_positive_rate, true_positive_rate))


def plot_costs(costs: Costs, *, is_money: bool = False) -> str:
    """Cost per applicant by threshold, with the one implied by the costs and the interval of the observed optimum.

    is_money: the threshold is that of the expected loss as a share of expected loss and gain.
    """

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        optimum = costs.empirical_threshold
        label = "observed optimum, 95% interval"
        axes.axvspan(optimum.low, optimum.high, color=AMBER, alpha=0.2, linewidth=0, label=label)
        axes.plot(costs.thresholds, costs.curve, color=BLUE)
        axes.axvline(costs.theoretical_threshold, color=INK, linestyle="--", linewidth=1, label="implied by the costs")
        what = "expected loss / (loss + gain)" if is_money else "probability of default"
        axes.set(xlim=(0, 1), ylim=(0, float(costs.curve.max()) * 1.05), xlabel=f"threshold, {what} (%)")
        axes.set_ylabel("cost per applicant (unit of the card)")
        set_percent(axes.xaxis)
        put_legend_above(axes)

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
        set_percent(axes.xaxis, axes.yaxis)
        axes.legend(loc="upper left")

    return render(HALF_WIDTH, plot)


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
        axes.set_yticks(range(len(fairness.groups)), [truncate(group.name) for group in fairness.groups])
        axes.set_ylim(len(fairness.groups) - 0.5, -0.5)
        end = max([1.1, *(group.impact_ratio.high for group in fairness.groups)])
        unit = f" ({fairness.unit})" if fairness.unit else ""
        axes.set(
            xlim=(0, end * 1.03),
            xlabel=f"acceptance rate / that of “{truncate(fairness.reference)}”",
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
        axes.set_yticks(range(len(shifts)), [truncate(shift.label) for shift in shifts])
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
        axes.set_yticks(rows, [truncate(name) for name in shift.names])
        axes.invert_yaxis()
        axes.set(xlabel="share of applicants (%)", ylabel=shift.unit)
        axes.grid(visible=False, axis="y")
        set_percent(axes.xaxis)
        put_legend_above(axes)

    return render((THIRD_WIDTH[0], 1.1 + 0.27 * len(shift.names)), plot)


def _plot_rates(axes: Any, x: Sequence[float], rates: Sequence[Estimate], label: str) -> None:
    axes.fill_between(x, [r.low for r in rates], [r.high for r in rates], color=BLUE, alpha=0.2, linewidth=0)
    axes.plot(x, [r.value for r in rates], color=BLUE, marker="o", markersize=4, label=label)


def put_legend_above(axes: Any) -> None:
    """Place the legend above the axes, where it covers nothing."""
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=3)


def set_percent(*axes: Any) -> None:
    """Write the ticks of these axes as percentages."""
    for axis in axes:
        axis.set_major_formatter(PERCENT)


def truncate(text: str, max_length: int = 28) -> str:
    """A label, at most so long."""
    return text if len(text) <= max_length else text[: max_length - 1] + "…"
