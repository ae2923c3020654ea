"""report.html: the validation report of a model as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from model.estimates import CONFIDENCE
from model.formatting import format_estimate, format_percent_estimate
from train.report import plots
from train.report.effects import FieldEffect
from train.report.findings import Findings
from train.report.templates import make_environment
from train.report.verdict import LABELS, assess
from train.summary import METRICS

MAX_EFFECTS = 12
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
            "calibration": plots.plot_calibration(findings.calibration),
            "points": plots.plot_points(sample.y, points, policy),
            "roc": plots.plot_roc(sample.y, sample.probability),
            "costs": plots.plot_costs(findings.costs),
            "strategy": plots.plot_strategy(findings.costs),
            "importance": plots.plot_importance(findings.effects[: plots.MAX_BARS]),
            "shifts": plots.plot_shifts(findings.shifts[: plots.MAX_BARS]),
        },
        effects=[(effect, plots.plot_effect(effect)) for effect in _select_effects(findings.effects)],
        fairness=[(field, plots.plot_fairness(field)) for field in findings.fairness],
    )
    return page.encode()


def _without_line_break(format_: Callable[..., str]) -> Callable[..., Markup]:
    """The same filter, with the interval in an element that doesn't wrap."""

    def filter_(*arguments: Any) -> Markup:
        figure, bracket, interval = format_(*arguments).partition(" (")
        interval = Markup(" <span class='nowrap'>({}</span>").format(interval) if bracket else ""
        return Markup("{}{}").format(figure, interval)

    return filter_


def _select_effects(effects: tuple[FieldEffect, ...]) -> list[FieldEffect]:
    """The most important fields; one without an effect, or without enough applicants at any value, is left out."""
    return [effect for effect in effects if effect.points and effect.importance > 0][:MAX_EFFECTS]
