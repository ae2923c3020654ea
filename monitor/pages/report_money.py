"""Sections of monitor.html on a policy in money and on rules: expected against realized profit, and each rule."""

from __future__ import annotations

from model.contract import Contract
from model.formatting import (
    UNKNOWN,
    format_amount,
    format_count,
    format_decimal,
    format_percent,
    format_percent_estimate,
)
from model.inputs import Input
from model.money import Money
from monitor.backtest import Backtest
from monitor.pages.markup import Child, element, table


def describe_stakes(money: Money, contract: Contract) -> str:
    """What an accepted default and a refused good applicant cost, by the applicant's own exposure."""
    exposure, margin = (
        contract.fields[one.column].label if isinstance(one, Input) else write(one)
        for one, write in ((money.exposure, format_amount), (money.margin, format_percent))
    )
    return f"accepted default {format_percent(money.lgd)} of {exposure}, refused good applicant {margin} of {exposure}"


def show_profit(backtest: Backtest) -> list[Child]:
    """What the accepted were expected to earn, and what they earned."""
    if not backtest.profit:
        return []
    headers = ["month", "accepted", "defaults", "expected profit", "95% of chance", "realized profit"]
    headers += ["expected loss", "realized loss", "losses on record"]
    rows: list[list[Child]] = [
        [
            one.month,
            format_count(one.accepted),
            format_count(one.defaults),
            format_decimal(one.expected, 0),
            f"{format_decimal(one.low, 0)} to {format_decimal(one.high, 0)}",
            element("span", format_decimal(one.realized, 0), class_=None if one.low <= one.realized else "flag"),
            format_decimal(one.expected_loss, 0),
            format_decimal(one.realized_loss, 0),
            format_count(one.recorded),
        ]
        for one in backtest.profit
    ]
    return [
        element(
            "p",
            "Accepted applicants, by the last word on each decision, whose outcome and exposure are known. Expected: "
            "by their probabilities. Realized: the margins of the good ones less the losses of defaults, each the "
            "amount that is on record, or else LGD · exposure. The range holds 95% of the profits that chance alone "
            "gives if the probabilities are right; a profit below it is marked. The cost of reviews isn't in it.",
        ),
        table("Expected and realized profit", headers, rows),
    ]


def show_rules(backtest: Backtest) -> list[Child]:
    """What each rule decided."""
    if not backtest.rules:
        return []
    headers = ["rule", "decision", "holds", "decided", "changed", "cost of these, expected"]
    headers += ["with outcome", "observed", "predicted"]
    rows: list[list[Child]] = [
        [
            one.name,
            one.decision,
            format_count(one.holds),
            format_count(one.decided),
            format_count(one.changed),
            UNKNOWN if one.expected_cost is None or not one.changed else format_decimal(one.expected_cost, 1),
            format_count(one.outcomes),
            format_percent_estimate(one.observed),
            format_percent(one.predicted),
        ]
        for one in backtest.rules
    ]
    return [
        element(
            "p",
            "The rules of the model in service on its own decisions, replayed from the inputs on record. Decided: the "
            "condition holds and the rule's decision is the final one. Changed: the thresholds alone would have "
            "accepted, or left to review; expected cost: what the rule's decision costs more there, if the "
            "probabilities are right: a rule is worth what they don't know. Outcomes are of those whom it decided; "
            "of the refused there are hardly any. Without a cost_review in the card reviews are counted as free, and "
            "what a rule that gives or spares reviews costs is unknown.",
        ),
        table("Rules", headers, rows),
    ]
