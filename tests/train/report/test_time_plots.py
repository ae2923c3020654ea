"""Plots of the periods: predicted and observed rates, with the hold-out shaded and predicted on its own line."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from train.report.findings import Findings
from train.report.time_plots import plot_auc_by_period, plot_periods

pytestmark = pytest.mark.usefixtures("with_plots")


def count_markers(svg: str, color: str) -> int:
    """Points drawn in this colour."""
    return len(re.findall(rf"<use [^>]*fill: var\(--{color}\)", svg))


def test_each_period_has_a_predicted_and_an_observed_rate(findings_over_time: Findings) -> None:
    """Beside the points there is one in each legend entry; the hold-out is shaded and named."""
    periods = findings_over_time.periods

    svg = plot_periods(periods)

    assert count_markers(svg, "blue") == count_markers(svg, "amber") == len(periods) + 1
    texts = set(re.findall(">([^<>]+)</text>", svg))
    assert {"out of time", "observed, 95% interval", "predicted", "period of application", "2007"} <= texts


@pytest.mark.parametrize("is_held_out", [True, False])
def test_periods_of_one_population_are_not_shaded(findings_over_time: Findings, is_held_out: bool) -> None:
    """Such as new applications of an evaluation, of which all are new."""
    periods = [replace(period, is_held_out=is_held_out) for period in findings_over_time.periods]

    assert "out of time" not in plot_periods(periods)
    assert "out of time" not in plot_auc_by_period(periods)


def test_many_periods_have_few_names(findings_over_time: Findings) -> None:
    """At most eight names, so that they don't overlap; every period has its point."""
    periods = [replace(findings_over_time.periods[0], title=f"2001-{month:02}") for month in range(1, 24)]

    svg = plot_auc_by_period(periods)

    assert len(re.findall(">2001-[0-9]+</text>", svg)) == 8
    assert count_markers(svg, "blue") == len(periods) + 1


def test_the_same_periods_give_the_same_bytes(findings_over_time: Findings) -> None:
    """No time stamp or random id."""
    assert plot_periods(findings_over_time.periods) == plot_periods(findings_over_time.periods)
