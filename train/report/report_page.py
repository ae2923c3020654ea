"""report.html: the validation report of a model as one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from markupsafe import Markup

from model.bins import MIN_COUNT
from model.contract import Contract
from model.estimates import CONFIDENCE, Estimate
from model.formatting import format_amount, format_decimal, format_estimate, format_percent, format_percent_estimate
from model.inputs import Input
from model.missing import blank_codes
from model.policy import Policy
from model.rule_words import describe_condition
from train.card_notes import list_remarks
from train.points_table.bins import ContractScorecard
from train.points_table.page import list_bins, list_pairs
from train.report import field_plots, plots, profit_plots, rejects, time_plots
from train.report.effects import FieldEffect
from train.report.findings import Findings
from train.report.formatting import format_money
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
    door = findings.trained.rejects if findings.trained else None
    table = ContractScorecard(contract, contract.scorecard) if contract.scorecard else None
    environment = make_environment()
    environment.filters["estimate"] = _without_line_break(format_estimate)
    environment.filters["money"] = _without_line_break(format_money)
    environment.filters["cost"] = environment.filters["money"] if policy.money else _format_cost
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
        binned=list_bins(table) if table else [],
        pairs=list_pairs(table) if table else [],
        rules=[(rule, describe_condition(rule.when, contract.fields)) for rule in policy.rules],
        money_terms=describe_money(contract),
        without=_name_left_out(policy),
        remarks=list_remarks(findings.card),
        rejection=describe_rejection(findings),
        confidence=CONFIDENCE,
        max_bars=plots.MAX_BARS,
        max_fields=rejects.MAX_FIELDS,
        describe_extent=rejects.describe_extent,
        name_factor=rejects.name_factor,
        plots={
            "calibration": plots.plot_calibration(main.calibration, None if in_time is None else in_time.calibration),
            "points": plots.plot_points(main, policy),
            "roc": plots.plot_roc(main, in_time),
            "costs": plots.plot_costs(main.costs, is_money=policy.money is not None),
            "profit": profit_plots.plot_profit(main.profit) if main.profit else "",
            "strategy": plots.plot_strategy(main.costs),
            "importance": field_plots.plot_importance(findings.effects[: plots.MAX_BARS]),
            "periods": time_plots.plot_periods(findings.periods) if findings.periods else "",
            "auc_by_period": time_plots.plot_auc_by_period(findings.periods) if findings.periods else "",
            "chances": rejects.plot_chances(door) if door else "",
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


def describe_money(contract: Contract) -> dict[str, str]:
    """What exposure and margin of a policy in money are, in words; empty for another policy."""
    money = contract.policy.money
    if money is None:
        return {}
    exposure, margin = (
        contract.fields[source.column].label if isinstance(source, Input) else source
        for source in (money.exposure, money.margin)
    )
    return {
        "exposure": exposure if isinstance(exposure, str) else f"{format_amount(exposure)} for each applicant",
        "margin": f"{format_percent(margin)} of it" if isinstance(margin, float) else f"{margin}, a share of it",
    }


def _name_left_out(policy: Policy) -> str:
    """What the costs by threshold leave out of this policy, as the end of a clause."""
    left_out = ["review"] * (policy.cost_review is not None) + ["rules"] * bool(policy.rules)
    return f" without {' and '.join(left_out)}" if policy.rules else ""


def _format_cost(value: float | Estimate) -> Markup | str:
    return _without_line_break(format_estimate)(value) if isinstance(value, Estimate) else format_decimal(value, 3)


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
