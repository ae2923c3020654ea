"""report.html: the validation report of a model as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from train.report import plots
from train.report.findings import Findings
from train.report.formatting import format_estimate, format_percent_estimate
from train.report.intervals import CONFIDENCE
from train.report.shapes import Shape
from train.report.templates import make_environment
from train.report.verdict import LABELS, assess
from train.summary import METRICS

MAX_SHAPES = 12
"""Number of fields whose effect is plotted, by importance."""


def render_report(findings: Findings) -> bytes:
    """The page as UTF-8; the same bytes for the same findings."""
    sample, contract = findings.out_of_sample, findings.contract
    policy = contract.policy
    points = policy.score_points(sample.probability)
    environment = make_environment()
    environment.filters["estimate"] = _without_line_break(format_estimate)
    environment.filters["percent_estimate"] = _without_line_break(format_percent_estimate)
    page: str = environment.get_template("report.html").render(
        findings=findings,
        card=findings.card,
        contract=contract,
        training=contract.training,
        policy=policy,
        verdict=assess(findings),
        labels=LABELS,
        metrics=METRICS,
        fields=list(zip(contract.fields, contract.bins, strict=True)),
        confidence=CONFIDENCE,
        max_bars=plots.MAX_BARS,
        plots={
            "calibration": plots.draw_calibration(findings.calibration),
            "points": plots.draw_points(sample.y, points, policy),
            "roc": plots.draw_roc(sample.y, sample.probability),
            "costs": plots.draw_costs(findings.costs),
            "strategy": plots.draw_strategy(findings.costs),
            "importance": plots.draw_importance(findings.shapes[: plots.MAX_BARS]),
            "shifts": plots.draw_shifts(findings.shifts[: plots.MAX_BARS]),
        },
        shapes=[(shape, plots.draw_shape(shape)) for shape in _select_shapes(findings.shapes)],
        fairness=[(field, plots.draw_fairness(field)) for field in findings.fairness],
    )
    return page.encode()


def _without_line_break(format_: Callable[..., str]) -> Callable[..., Markup]:
    """The same filter, with the interval in an element that doesn't wrap."""

    def filter_(*arguments: Any) -> Markup:
        figure, bracket, interval = format_(*arguments).partition(" (")
        interval = Markup(" <span class='nowrap'>({}</span>").format(interval) if bracket else ""
        return Markup("{}{}").format(figure, interval)

    return filter_


def _select_shapes(shapes: tuple[Shape, ...]) -> list[Shape]:
    """The most important fields; one without an effect, or without enough applicants at any value, is left out."""
    return [shape for shape in shapes if shape.points and shape.importance > 0][:MAX_SHAPES]
