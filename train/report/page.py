"""The report: one self-contained HTML file, verdict first, made to be read by a person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from train.report import pictures
from train.report.findings import Findings
from train.report.intervals import LEVEL
from train.report.shapes import Shape
from train.report.verdict import judge
from train.report.words import amount, estimate, estimated_percent, percent
from train.summary import METRICS

SHAPES = 12
"""Fields whose shape is drawn; of a model with hundreds the rest moves little."""


FILTERS = {
    "amount": amount,
    "estimate": estimate,
    "estimated_percent": estimated_percent,
    "percent": percent,
    "svg": Markup,
}


def environment() -> jinja2.Environment:
    """Templates of this folder: HTML escaped, a name that isn't there an error, figures in the same words."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=jinja2.select_autoescape(["html"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(FILTERS)
    return made


def render_report(findings: Findings) -> bytes:
    """The page of a model, UTF-8; the same bytes for the same findings."""
    evidence, contract = findings.evidence, findings.contract
    policy = contract.policy
    points = np.array([policy.score_points(p) for p in evidence.probability.tolist()])
    shown = _shown(findings.shapes)
    made = environment()
    made.filters["estimate"] = _whole(estimate)
    made.filters["estimated_percent"] = _whole(estimated_percent)
    page: str = made.get_template("report.html").render(
        found=findings,
        card=findings.card,
        contract=contract,
        training=contract.training,
        policy=policy,
        verdict=judge(findings),
        metrics=METRICS,
        fields=list(zip(contract.fields, contract.bins, strict=True)),
        level=LEVEL,
        most=pictures.MOST_BARS,
        pictures={
            "calibration": pictures.draw_calibration(findings.calibration),
            "points": pictures.draw_points(evidence.y, points, policy),
            "roc": pictures.draw_roc(evidence.y, evidence.probability),
            "costs": pictures.draw_costs(findings.costs),
            "tradeoff": pictures.draw_tradeoff(findings.costs),
            "importance": pictures.draw_importance(findings.shapes[: pictures.MOST_BARS]),
            "shifts": pictures.draw_shifts(findings.shifts[: pictures.MOST_BARS]),
        },
        shapes=[(shape, pictures.draw_shape(shape)) for shape in shown],
        fairness=[(field, pictures.draw_fairness(field)) for field in findings.fairness],
    )
    return page.encode()


def _whole(say: Callable[..., str]) -> Callable[..., Markup]:
    """The same words, an interval never broken over two lines."""

    def filter_(*arguments: Any) -> Markup:
        figure, bracket, interval = say(*arguments).partition(" (")
        kept = Markup(" <span class='whole'>({}</span>").format(interval) if bracket else ""
        return Markup("{}{}").format(figure, kept)

    return filter_


def _shown(shapes: tuple[Shape, ...]) -> list[Shape]:
    """The most important shapes; a field that moves nothing or has one value shows nothing."""
    return [shape for shape in shapes if shape.points and shape.importance > 0][:SHAPES]
