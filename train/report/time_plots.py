"""Plots of the periods: predicted and observed default rate, and AUC, with the hold-out shaded."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from matplotlib.figure import Figure

from model.estimates import Estimate
from train.report.over_time import Period
from train.report.plots import HALF_WIDTH, PERCENT, put_legend_above
from train.report.svg import AMBER, BLUE, FAINT, render

MAX_TICKS = 8


def plot_periods(periods: Sequence[Period]) -> str:
    """Predicted default rate by period, and the observed one with its interval."""

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        _shade_holdout(axes, periods)
        _plot_estimates(axes, [period.default_rate for period in periods], periods, "observed, 95% interval")
        _plot_lines(axes, [period.mean_probability for period in periods], periods, AMBER, "predicted")
        axes.set(ylabel="default rate (%)", xlabel="period of application")
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(PERCENT)
        _name_periods(axes, periods)
        put_legend_above(axes)

    return render(HALF_WIDTH, plot)


def plot_auc_by_period(periods: Sequence[Period]) -> str:
    """AUC by period with its interval."""

    def plot(figure: Figure) -> None:
        axes = figure.subplots()
        _shade_holdout(axes, periods)
        axes.axhline(0.5, color=FAINT, linestyle="--", linewidth=1, label="random")
        _plot_estimates(axes, [period.auc for period in periods], periods, "AUC, 95% interval")
        axes.set(ylabel="AUC", xlabel="period of application")
        _name_periods(axes, periods)
        put_legend_above(axes)

    return render(HALF_WIDTH, plot)


def _shade_holdout(axes: Any, periods: Sequence[Period]) -> None:
    held = [place for place, period in enumerate(periods) if period.is_held_out]
    if held and len(held) < len(periods):
        label = "out of time"
        axes.axvspan(held[0] - 0.5, len(periods) - 0.5, color=FAINT, alpha=0.15, linewidth=0, label=label)


def _plot_estimates(axes: Any, estimates: Sequence[Estimate], periods: Sequence[Period], label: str) -> None:
    _plot_lines(axes, [one.value for one in estimates], periods, BLUE, label)
    places = range(len(estimates))
    axes.vlines(places, [one.low for one in estimates], [one.high for one in estimates], color=BLUE, alpha=0.35)


def _plot_lines(axes: Any, values: Sequence[float], periods: Sequence[Period], color: str, label: str | None) -> None:
    """One line before the hold-out and one in it: the two are predicted by different models."""
    for _, part in groupby(range(len(periods)), key=lambda place: periods[place].is_held_out):
        places = list(part)
        axes.plot(places, [values[place] for place in places], color=color, marker="o", markersize=3, label=label)
        label = None


def _name_periods(axes: Any, periods: Sequence[Period]) -> None:
    step = -(-len(periods) // MAX_TICKS)
    places = range(0, len(periods), step)
    axes.set_xticks(places, [periods[place].title for place in places])
    axes.set_xlim(-0.5, len(periods) - 0.5)
    if max(len(periods[place].title) for place in places) * len(places) > 40:
        axes.tick_params(axis="x", rotation=40)
        for text in axes.get_xticklabels():
            text.set_horizontalalignment("right")
