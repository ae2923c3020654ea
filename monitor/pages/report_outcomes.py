"""Sections of monitor.html on outcomes: default rate, calibration and discrimination."""

from __future__ import annotations

from model.contract import Contract
from model.formatting import (
    format_chance,
    format_count,
    format_decimal,
    format_estimate,
    format_percent,
    format_percent_estimate,
    format_share,
)
from monitor.backtest import Backtest
from monitor.calibration import Calibration
from monitor.change_point import ChangePoint
from monitor.pages.charts import Band, Series, calibration_plot, figure, line_chart
from monitor.pages.markup import Child, element, table

NO_OUTCOMES = "No outcome is known yet: record outcomes with "


def show_default_rates(backtest: Backtest) -> list[Child]:
    """Observed against predicted default rate by month of decision, and when they parted."""
    if not backtest.outcomes:
        return [element("p", NO_OUTCOMES, element("code", "python -m decisions outcomes FILE"), ".")]
    months = backtest.months
    labels = [one.month for one in months]
    rates = Series(
        "observed, 95% interval", [_value(one.observed) for one in months], "blue", [it.observed for it in months]
    )
    predicted = Series("predicted", [one.predicted for one in months], "ink", is_dashed=True)
    ratios = Series("observed / predicted", [_value(one.ratio) for one in months], "blue", [it.ratio for it in months])
    change = backtest.change
    band = None if change is None else _place_change(change, labels)
    rows: list[list[Child]] = [
        [
            _keep_whole(one.month),
            format_count(one.decisions),
            format_count(one.accepted),
            format_count(one.outcomes),
            format_percent_estimate(one.observed),
            format_percent(one.predicted),
            format_estimate(one.ratio, 2),
        ]
        for one in months
    ]
    headers = ["month", "decisions", "accepted", "with outcome", "observed", "predicted", "observed / predicted"]
    return [
        element(
            "p",
            "Share of the decisions with a known outcome that defaulted (observed), beside the mean probability of "
            "default that the model gave them (predicted), by the month of the decision.",
        ),
        element(
            "div",
            figure(
                line_chart("Default rate by month of decision", labels, [rates, predicted], format_share, band=band),
                "Default rate by month of decision",
                "The prediction should lie within most intervals.",
            ),
            figure(
                line_chart(
                    "Observed / predicted default rate",
                    labels,
                    [ratios],
                    lambda value: format_decimal(value, 2),
                    reference=("as predicted", 1.0),
                    band=band,
                ),
                "Observed / predicted default rate",
                "Above 1: more defaults than predicted.",
            ),
            class_="halves",
        ),
        table("Default rate by month of decision", headers, rows),
        element("h3", "Change"),
        element("p", _describe_change(change)),
    ]


def show_calibration(backtest: Backtest) -> list[Child]:
    """Windows of the latest outcomes, and the reliability curve."""
    if not backtest.windows:
        return []
    rows: list[list[Child]] = [
        [
            element("span", one.name, element("br"), f"{one.start} to {one.end}"),
            format_count(one.count),
            format_percent_estimate(one.observed),
            format_percent(one.predicted),
            format_estimate(one.ratio, 2),
            format_estimate(one.intercept, 2),
            format_chance(one.chance),
            format_estimate(one.slope, 2),
            format_chance(one.slope_chance),
        ]
        for one in backtest.windows
    ]
    headers = ["outcomes", "count", "observed", "predicted", "observed / predicted"]
    headers += ["intercept (log-odds)", "chance", "slope", "chance"]
    plot = calibration_plot(
        "Predicted and observed default rate", [(one.predicted, one.observed) for one in backtest.bins], format_share
    )
    numbers = table(
        "Predicted and observed default rate",
        ["predicted", "observed", "count"],
        [
            [format_percent(one.predicted), format_percent_estimate(one.observed), format_count(one.count)]
            for one in backtest.bins
        ],
    )
    return [
        element(
            "p",
            "Thresholds are derived from costs, which is right only if probabilities agree with default rates. "
            "Intercept: what is to be added to the predicted log-odds, ideally 0. Slope: how much the observed "
            "log-odds change with the predicted ones, ideally 1; below 1, the probabilities are too extreme. Chance: "
            "that a model whose probabilities are right is as far off.",
        ),
        table("Calibration by window", headers, rows),
        figure(
            plot,
            "Predicted and observed default rate",
            "All outcomes, ten groups of decisions by probability.",
            numbers,
        )
        if backtest.bins
        else None,
    ]


def show_discrimination(backtest: Backtest, contract: Contract) -> list[Child]:
    """AUC by month, and by window of the latest outcomes against what the probabilities promise."""
    months = backtest.months
    if not any(one.auc for one in months) and not any(one.auc for one in backtest.windows):
        return []
    series = Series("AUC, 95% interval", [_value(one.auc) for one in months], "blue", [one.auc for one in months])
    trained = contract.metrics.get("auc")
    labels = [one.month for one in months]
    chart = line_chart(
        "AUC by month of decision",
        labels,
        [series],
        lambda value: format_decimal(value, 2),
        low=0.5,
        reference=None if trained is None else ("all applicants, at training", trained),
    )
    rows: list[list[Child]] = [
        [_keep_whole(one.month), format_estimate(one.auc), format_estimate(one.slope, 2)] for one in months
    ]
    return [
        element(
            "p",
            "AUC: how often a default had a higher probability than a good applicant; 0.5 is no better than chance. "
            "Among accepted applicants, who are more alike, it is lower than among all: “expected” is what the "
            "probabilities themselves promise for these applicants.",
        ),
        element(
            "div",
            figure(chart, "AUC by month of decision", "", table("AUC by month", ["month", "AUC", "slope"], rows)),
            table(
                "AUC by window", ["outcomes", "AUC", "expected", "chance"], [_write_auc(it) for it in backtest.windows]
            ),
            class_="halves",
        ),
    ]


def _describe_change(change: ChangePoint | None) -> str:
    if change is None:
        return "Too few outcomes are known to look for the moment of a change."
    return (
        f"The most likely moment of a change is {change.time[:10]} (between {change.low[:10]} and {change.high[:10]}): "
        f"observed / predicted is {format_decimal(change.before, 2)} before, on "
        f"{format_count(change.outcomes_before)} outcomes, and {format_decimal(change.after, 2)} after, on "
        f"{format_count(change.outcomes_after)}. Outcomes without any change look as much like one with a chance of "
        f"{format_chance(change.chance)}."
    )


def _place_change(change: ChangePoint, labels: list[str]) -> Band:
    low, middle, high = (_place_time(time, labels) for time in (change.low, change.time, change.high))
    return Band("likely change, 95% interval", low, middle, high)


def _place_time(time: str, labels: list[str]) -> float:
    """The position of a time among months, each of which stands for its middle; within the first and the last."""
    earlier = sum(label < time[:7] for label in labels)
    place = earlier + (int(time[8:10]) - 1) / 31 - 0.5 if time[:7] in labels else earlier - 0.5
    return min(max(place, 0.0), max(len(labels) - 1, 0.0))


def _write_auc(one: Calibration) -> list[Child]:
    return [one.name, format_estimate(one.auc), format_decimal(one.expected_auc), format_chance(one.auc_chance)]


def _keep_whole(month: str) -> Child:
    return element("span", month, class_="nowrap")


def _value(estimate: object) -> float | None:
    return getattr(estimate, "value", None)
