"""Plots: labelled axes with units, colours from the page, and the same bytes for the same findings."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from msgspec import structs

from model.money import Money
from train.report import field_plots, plots
from train.report.findings import Findings
from train.report.svg import VARIABLES

pytestmark = pytest.mark.usefixtures("with_plots")

Draw = Callable[[Findings], str]

PLOTS: dict[str, tuple[Draw, list[str]]] = {
    "calibration": (
        lambda found: plots.plot_calibration(found.main.calibration),
        ["mean predicted probability (%)", "default rate (%)"],
    ),
    "points": (
        lambda found: plots.plot_points(found.main, found.contract.policy),
        ["score (points)", "share of each class (%)"],
    ),
    "roc": (
        lambda found: plots.plot_roc(found.main),
        ["good applicants refused (%)", "defaults refused (%)"],
    ),
    "costs": (
        lambda found: plots.plot_costs(found.main.costs),
        ["threshold, probability of default (%)", "cost per applicant (unit of the card)"],
    ),
    "strategy": (
        lambda found: plots.plot_strategy(found.main.costs),
        ["acceptance rate (%)", "default rate of accepted (%)"],
    ),
    "importance": (
        lambda found: field_plots.plot_importance(found.effects),
        ["mean |contribution| (log-odds)", "Income"],
    ),
    "number": (
        lambda found: field_plots.plot_effect(next(s for s in found.effects if s.field.name == "income")),
        ["log-odds", "share (%)", "EUR", "missing"],
    ),
    "category": (
        lambda found: field_plots.plot_effect(next(s for s in found.effects if s.field.name == "home")),
        ["log-odds", "share (%)", "level", "rent"],
    ),
    "fairness": (lambda found: plots.plot_fairness(found.fairness[0]), ["Age (years)"]),
    "shifts": (lambda found: plots.plot_shifts(found.shifts), ["population stability index"]),
    "shift": (lambda found: plots.plot_shift(found.shifts[-1]), ["share of applicants (%)", "rent"]),
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_labels_its_axes_and_takes_its_colors_from_the_page(name: str, findings: Findings) -> None:
    """Labels are text elements; there is no colour, id, date or size of its own."""
    draw, labels = PLOTS[name]

    svg = draw(findings)

    texts = [element.text for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314
    assert set(labels) <= set(texts)
    assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= {"#ffffff", "#000000"}
    assert {f"var(--{color})" for color in re.findall(r"var\(--(\w+)\)", svg)} <= {
        f"var(--{color})" for color in VARIABLES.values()
    }
    assert not re.search(r'<svg[^>]* (width|height)=|<g id="(figure|axes|patch)_|<dc:date>', svg)


def test_the_same_findings_give_the_same_bytes(findings: Findings) -> None:
    """No time stamp or random id."""
    assert plots.plot_costs(findings.main.costs) == plots.plot_costs(findings.main.costs)


def test_a_policy_in_money_has_no_mark_of_a_threshold(findings: Findings) -> None:
    """No one threshold decides for all there."""
    policy = structs.replace(findings.contract.policy, money=None)
    priced = structs.replace(policy, stated="money", money=Money(1000.0, 0.5, 0.1))

    drawn = ["threshold, " in plots.plot_points(findings.main, one) for one in (policy, priced)]

    assert drawn == [True, False]


def test_a_constant_score_can_be_plotted(findings: Findings) -> None:
    """The histogram has bins although all scores are equal."""
    sample = replace(findings.main, y=np.array([0, 1] * 30), probability=np.full(60, 0.5), weight=None)

    assert "score (points)" in plots.plot_points(sample, findings.contract.policy)


def test_in_time_is_drawn_beside_out_of_time(findings_over_time: Findings) -> None:
    """Both lines are named in the legends of calibration and ROC curve."""
    main, in_time = findings_over_time.main, findings_over_time.in_time
    assert in_time is not None

    calibration, roc = plots.plot_calibration(main.calibration, in_time.calibration), plots.plot_roc(main, in_time)

    assert "observed, in time" in calibration
    assert "observed, out of time, 95% interval" in calibration
    assert {">in time<", ">out of time<"} <= set(re.findall(">[^<>]+<", roc))


def test_names_of_many_levels_are_thinned_out(findings: Findings) -> None:
    """Such as 50 states: at most twelve and "missing", every level with its point."""
    effect = next(one for one in findings.effects if one.field.name == "home")
    points = tuple(replace(effect.points[0], name=f"S{place}", value=float(place)) for place in range(50))

    svg = field_plots.plot_effect(replace(effect, points=points, missing=points[0]))

    names = re.findall(r">(S\d+|missing)</text>", svg)
    assert names == [*(f"S{place}" for place in range(0, 46, 5)), "missing"]
    assert len(re.findall(r"<use [^>]*fill: var\(--blue\)", svg)) == 51


@pytest.mark.parametrize(
    ("value", "text"), [(0.25, "0.25"), (1500, "1500"), (20000, "20k"), (3e6, "3M"), (2.5e9, "2.5G")]
)
def test_tick_labels_are_short(value: float, text: str) -> None:
    """Large numbers are abbreviated."""
    assert field_plots._format_tick(value) == text
