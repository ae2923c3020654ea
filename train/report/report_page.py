"""report.html: the validation report of a model as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from markupsafe import Markup

from model.bins import MIN_COUNT
from model.estimates import CONFIDENCE
from model.formatting import format_estimate, format_percent_estimate
from model.missing import blank_codes
from train.card_notes import list_remarks
from train.report import field_plots, plots, time_plots
from train.report.effects import FieldEffect
from train.report.findings import Findings
from train.report.gate import describe_rejection
from train.report.templates import make_environment
from train.report.verdict import LABELS, assess
from train.summary import METRICS
from train.time_formats import format_day
from train.weights import weighted_mean

MAX_EFFECTS = 12
"""Number of fields whose effect is plotted, by importance."""


def render_report(findings: Findings) -> bytes:
    """The page as UTF-8; the same bytes for the same findings."""
    main, in_time, contract = findings.main, findings.in_time, findings.contract
    policy = contract.policy
    environment = make_environment()
    environment.filters["estimate"] = _without_line_break(format_estimate)
    environment.filters["percent_estimate"] = _without_line_break(format_percent_estimate)
    page: str = environment.get_template("report.html").render(
        findings=findings,
        samples=findings.samples,
        main=main,
        of_main=f", {main.title.lower()}" if in_time else "",
        policy_samples=findings.samples if in_time else (main,),
        default_rate=weighted_mean(findings.out_of_sample.y, findings.out_of_sample.weight),
        trained=findings.trained,
        format_day=format_day,
        card=findings.card,
        contract=contract,
        training=contract.training,
        policy=policy,
        verdict=assess(findings),
        labels=LABELS,
        metrics=METRICS,
        fields=list(zip(contract.fields, share_missing(findings), strict=True)),
        remarks=list_remarks(findings.card),
        rejection=describe_rejection(findings),
        confidence=CONFIDENCE,
        max_bars=plots.MAX_BARS,
        plots={
            "calibration": plots.plot_calibration(main.calibration, None if in_time is None else in_time.calibration),
            "points": plots.plot_points(main, policy),
            "roc": plots.plot_roc(main, in_time),
            "costs": plots.plot_costs(main.costs),
            "strategy": plots.plot_strategy(main.costs),
            "importance": field_plots.plot_importance(findings.effects[: plots.MAX_BARS]),
            "periods": time_plots.plot_periods(findings.periods) if findings.periods else "",
            "auc_by_period": time_plots.plot_auc_by_period(findings.periods) if findings.periods else "",
            "shifts": plots.plot_shifts(findings.shifts[: plots.MAX_BARS]),
        },
        effects=[(effect, field_plots.plot_effect(effect)) for effect in _select_effects(findings.effects)],
        fairness=[(field, plots.plot_fairness(field)) for field in findings.fairness],
    )
    return page.encode()


def share_missing(findings: Findings) -> list[float]:
    """Share of the applications without a value of each field; 10 stands for 1 to 19 of them, as in the bins."""
    sample = findings.out_of_sample
    shares = []
    for column in blank_codes(sample.X, findings.contract.fields).T:
        is_missing = np.isnan(column)
        is_few = 0 < is_missing.sum() < MIN_COUNT
        shares.append(MIN_COUNT / 2 / len(column) if is_few else weighted_mean(is_missing, sample.weight))
    return shares


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
