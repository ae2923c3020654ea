"""Sections of monitor.html on decisions: costs of policies, reviews, rejected applicants and the challenger."""

from __future__ import annotations

from model.contract import Contract
from model.formatting import (
    UNKNOWN,
    format_amount,
    format_chance,
    format_count,
    format_decimal,
    format_estimate,
    format_percent,
    format_percent_estimate,
)
from model.policy import DECISIONS
from monitor.backtest import Backtest
from monitor.costs import PolicyCost
from monitor.pages.markup import Child, element, table
from monitor.pages.report_money import describe_stakes
from monitor.performance import ChallengerComparison

POLICIES = {
    "as it was": "the final decisions, those of reviews included",
    "model alone": "the decisions of the model, its rules included; what it leaves to review costs the review alone, "
    "as if people were always right",
    "present thresholds": "the thresholds of the model in service on all probabilities",
    "present policy": "the rules of the model in service, and its thresholds on all probabilities, for each applicant "
    "by its own exposure if they are in money",
    "thresholds of the average": "with the rules, the thresholds of the average applicant for all, whatever their "
    "exposure",
    "thresholds by outcomes": "the cheapest thresholds, the same for all, on the known outcomes, optimistic, as they "
    "are chosen on them; rules stay",
    "challenger": "the decisions of the challenger",
    "model alone, same applicants": "the model's on those that the challenger answered",
}


def show_costs(backtest: Backtest, contract: Contract) -> list[Child]:
    """What each policy has cost, and between what its cost of all decisions lies."""
    if not backtest.costs:
        return []
    policy = contract.policy
    review = f", manual review {format_amount(policy.cost_review)}" if policy.cost_review is not None else ""
    if policy.cost_review is None and (policy.money is not None or policy.rules):
        review = "; reviews are counted as free, because the card states no cost_review"
    costs = (
        f"Costs, in the unit of the card: accepted default {format_amount(policy.cost_default)}, refused good "
        f"applicant {format_amount(policy.cost_good)}"
        if policy.money is None
        else f"Costs, in money, by each applicant's own exposure: {describe_stakes(policy.money, contract)}"
    )
    headers = ["policy", "review / refuse from", "accepted", "known outcomes", "cost of these", "per decision"]
    headers += ["defaults accepted", "amount lost", "unknown", "cost of all, range", "expected"]
    told = [one.name for one in backtest.costs if one.name in POLICIES]
    has_challenger = backtest.challenger is not None and backtest.challenger.decisions > 0
    is_compared = {
        "present thresholds": policy.money is None and not policy.rules,
        "present policy": policy.money is not None or policy.rules,
        "thresholds of the average": policy.money is not None,
        "thresholds by outcomes": backtest.outcomes,
        "challenger": has_challenger,
        "model alone, same applicants": has_challenger,
    }
    same = [name for name in POLICIES if name not in told and is_compared.get(name, True)]
    return [
        element(
            "p",
            f"{costs}{review}. Where an outcome isn't known, the cost isn't either: the "
            "range is from the best to the worst that these could be for the policy. “Expected” is what "
            "the probabilities alone promise for all decisions, whatever the outcomes were; it is right if they are.",
        ),
        element(
            "p",
            f"{format_count(backtest.unpriced)} decisions are in none of these figures: their inputs were erased or "
            "don't fit the model in service, or have no exposure.",
            class_="flag",
        )
        if backtest.unpriced
        else None,
        table("Costs of policies", headers, [_write_cost(one) for one in backtest.costs]),
        element("p", "; ".join(f"{name}: {POLICIES[name]}" for name in told) + ".", class_="faint") if told else None,
        element("p", f"Not repeated, as it decides like a row above: {'; '.join(same)}.", class_="faint")
        if same
        else None,
    ]


def show_reviews(backtest: Backtest) -> list[Child]:
    """What people decided against what the model had."""
    if not backtest.reviews:
        return [element("p", "No decision of the period was reviewed by a person.")]
    headers = ["model", "final", "cases", "with outcome", "observed", "predicted", "cost difference", "expected"]
    rows: list[list[Child]] = [
        [
            f"{one.decision}{' (override)' if one.is_override else ''}",
            one.final,
            format_count(one.count),
            format_count(one.outcomes),
            format_percent_estimate(one.observed),
            format_percent(one.predicted),
            format_decimal(one.cost_difference, 1),
            format_decimal(one.expected_difference, 1),
        ]
        for one in backtest.reviews
    ]
    return [
        element(
            "p",
            "Cases with a decision by a person, by the model's decision and the final one. Cost difference: with the "
            "person's decisions less with the model's alone, on known outcomes: a negative number was saved. What the "
            "model left to review is taken to cost the review alone, as by a reviewer who is always right: for these "
            "it is what the errors of people cost, and never negative. Expected: what the probabilities alone promise "
            "for all cases. A case that was reviewed more than once counts once, by the last word; the monitor's page "
            "counts each review.",
        ),
        table("Reviews and overrides", headers, rows),
    ]


def show_rejected(backtest: Backtest) -> list[Child]:
    """Between what the default rate of all applicants lies, as nobody knows what the refused would have done."""
    range = backtest.rejected
    if not range.refused:
        return [element("p", "No applicant of the period was refused with an unknown outcome.")]
    known = f"What the {format_count(range.refused)} refused applicants would have done is unknown"
    if range.low is None or range.high is None:
        return [element("p", f"{known}.")]
    return [
        element(
            "p",
            f"{known}, and no model can tell from the accepted alone. The default rate of all, together with the "
            f"{format_count(range.known)} known outcomes, is between {format_percent(range.low)} (no refused applicant "
            f"would have defaulted) and {format_percent(range.high)} (all would have); "
            f"{format_percent(range.expected)} if the refused default as their probabilities say.",
        )
    ]


def show_challenger(backtest: Backtest) -> list[Child]:
    """Champion and challenger on the same decisions."""
    one = backtest.challenger
    if one is None:
        return []
    rows: list[list[Child]] = [
        ["AUC of the champion", format_estimate(one.champion_auc)],
        ["AUC of the challenger", format_estimate(one.auc)],
        ["difference", format_estimate(one.difference)],
        ["chance of such a difference between equally good models", format_chance(one.chance)],
        ["difference in cost per decision (negative: the challenger is cheaper)", format_estimate(one.cost_difference)],
    ]
    return [
        element(
            "p",
            f"{one.name} {one.version} (",
            element("code", one.sha256),
            f") on the same {format_count(one.decisions)} decisions, {format_count(one.outcomes)} of them with a known "
            "outcome. Only applicants whom the champion accepted have one, which favours neither clearly: compare the "
            "costs with their ranges above.",
        ),
        element(
            "p",
            f"{format_count(one.seen)} of these outcomes were known before it was trained ({one.trained}), so "
            "that it may have seen them: on these it may look better than it is.",
            class_="flag",
        )
        if one.seen
        else None,
        table("Champion and challenger", ["", "known outcomes"], rows),
        element("h3", "Swap set"),
        element("p", "The decisions that both answered, by that of the champion (rows) and the challenger (columns)."),
        table("Swap set", ["champion / challenger", *DECISIONS, "total"], _write_swaps(one)),
    ]


def _write_swaps(one: ChallengerComparison) -> list[list[Child]]:
    """The swap set with its totals."""
    rows = [[*row, sum(row)] for row in one.swap_set]
    totals = [sum(column) for column in zip(*rows, strict=True)]
    return [[name, *map(format_count, row)] for name, row in zip([*DECISIONS, "total"], [*rows, totals], strict=False)]


def _write_cost(one: PolicyCost) -> list[Child]:
    return [
        one.name,
        UNKNOWN
        if one.refuse_from is None
        else f"{format_percent(one.review_from)} / {format_percent(one.refuse_from)}",
        format_percent(one.accepted / one.decisions if one.decisions else None),
        format_count(one.known),
        format_count(one.cost),
        format_decimal(one.per_decision),
        format_count(one.known_defaults),
        UNKNOWN if one.amount_lost is None else format_count(one.amount_lost),
        format_count(one.unknown),
        f"{format_count(one.low)}–{format_count(one.high)}",
        format_count(one.expected),
    ]
