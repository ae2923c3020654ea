"""Pictures: every axis says what it shows and in which unit, colours follow the page, the same bytes every time."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest

from train.report import pictures
from train.report.findings import Findings
from train.report.svg import VARIABLES

Draw = Callable[[Findings], str]

DRAWN: dict[str, tuple[Draw, list[str]]] = {
    "calibration": (
        lambda found: pictures.draw_calibration(found.calibration),
        ["mean probability of default (%)", "default rate (%)"],
    ),
    "points": (
        lambda found: pictures.draw_points(
            found.evidence.y, 600 - 100 * found.evidence.probability, found.contract.policy
        ),
        ["score (points)", "share of goods, of defaults (%)"],
    ),
    "roc": (
        lambda found: pictures.draw_roc(found.evidence.y, found.evidence.probability),
        ["goods refused (%)", "defaults refused (%)"],
    ),
    "costs": (
        lambda found: pictures.draw_costs(found.costs),
        ["threshold, probability of default (%)", "cost per applicant (units of the card)"],
    ),
    "tradeoff": (
        lambda found: pictures.draw_tradeoff(found.costs),
        ["applicants accepted (%)", "default rate of accepted (%)"],
    ),
    "importance": (lambda found: pictures.draw_importance(found.shapes), ["mean |contribution| (log-odds)", "Income"]),
    "number": (
        lambda found: pictures.draw_shape(next(s for s in found.shapes if s.field.name == "income")),
        ["log-odds", "people (%)", "EUR", "none"],
    ),
    "category": (
        lambda found: pictures.draw_shape(next(s for s in found.shapes if s.field.name == "home")),
        ["log-odds", "people (%)", "level", "rent"],
    ),
    "fairness": (lambda found: pictures.draw_fairness(found.fairness[0]), ["Age (years)"]),
    "shifts": (lambda found: pictures.draw_shifts(found.shifts), ["stability index, PSI (no unit); grey: noise alone"]),
    "shift": (lambda found: pictures.draw_shift(found.shifts[-1]), ["share of applicants (%)", "rent"]),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_labels_its_axes_and_follows_the_page(name: str, findings: Findings) -> None:
    """Labels with units as texts that can be read and searched; no colour of its own; no id, date or size."""
    draw, words = DRAWN[name]

    svg = draw(findings)

    texts = [element.text for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314
    assert set(words) <= set(texts)
    assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= {"#ffffff", "#000000"}
    assert {f"var(--{color})" for color in re.findall(r"var\(--(\w+)\)", svg)} <= {
        f"var(--{color})" for color in VARIABLES.values()
    }
    assert not re.search(r'<svg[^>]* (width|height)=|<g id="(figure|axes|patch)_|<dc:date>', svg)


def test_the_same_figures_give_the_same_picture(findings: Findings) -> None:
    """Byte for byte."""
    assert pictures.draw_costs(findings.costs) == pictures.draw_costs(findings.costs)


def test_few_points_and_one_score_can_be_drawn(findings: Findings) -> None:
    """A model that gives everybody the same."""
    y = np.array([0, 1] * 30)

    assert "score (points)" in pictures.draw_points(y, np.full(60, 500.0), findings.contract.policy)


@pytest.mark.parametrize(
    ("value", "text"), [(0.25, "0.25"), (1500, "1500"), (20000, "20k"), (3e6, "3M"), (2.5e9, "2.5G")]
)
def test_ticks_are_short(value: float, text: str) -> None:
    """A million fits under a small picture."""
    assert text == pictures._number(value)
