"""Checks of what the model is: its inputs, directions of risk, groups, shifts and file."""

from __future__ import annotations

from collections.abc import Iterator

from model.bins import MIN_COUNT
from model.estimates import CONFIDENCE, Estimate
from model.formatting import format_count, format_decimal, format_estimate, format_percent
from model.policy import DECISIONS
from model.stability import MODERATE_SHIFT
from train.card import UNRECORDED
from train.errors import shorten
from train.judged import REVIEW
from train.leakage import REVIEW_AUC
from train.protected import list_protected_inputs
from train.report.agreement import RATIO_LIMITS
from train.report.check import Check
from train.report.fairness import FOUR_FIFTHS
from train.report.findings import Findings
from train.report.formatting import format_few, format_money

PROXY_AUC_LIMIT = 0.7
"""From this AUC on, the inputs are reported as a proxy of a protected field."""

RELEVANT_REVIEWS = 0.01
"""From this share of applicants on, reviews without a stated cost are reported for review."""

MISCALIBRATED = (
    f"outside {RATIO_LIMITS[0]}–{RATIO_LIMITS[1]} and further from 1 than the sampling noise of all groups together "
    f"explains ({format_percent(CONFIDENCE, 0)})"
)


def check_leakage(findings: Findings) -> Iterator[Check]:
    """Whether one input alone tells the outcome; known only in training."""
    if findings.trained is None:
        return
    strengths = findings.trained.strengths
    labels = {field.name: field.label for field in findings.contract.fields}
    strong = [one for one in strengths if one.auc >= REVIEW_AUC or one.one_sided]
    strongest = max(strengths, key=lambda one: one.auc)
    told = ", ".join(
        f"{labels[one.name]} (AUC {format_decimal(one.auc, 3)}{', ' + one.one_sided if one.one_sided else ''})"
        for one in strong
    )
    yield Check(
        "Leakage",
        "review" if strong else "pass",
        f"Alone tells the outcome: {told}. Confirm that it is known at application."
        if strong
        else f"No input alone tells the outcome: the strongest, {labels[strongest.name]}, has AUC "
        f"{format_decimal(strongest.auc, 3)} (review from {REVIEW_AUC:g}).",
    )


def check_monotonicity(findings: Findings) -> Iterator[Check]:
    """Whether the risk moves as the card states."""
    directions = findings.directions
    if not directions:
        if findings.trained is not None:
            yield Check("Monotonicity", "review", "The card states no expected direction of risk for any field.")
        return
    broken = [f"{one.label} ({format_percent(one.compliance)} of steps)" for one in directions if one.compliance < 1]
    yield Check(
        "Monotonicity",
        "review" if broken else "pass",
        f"Violated by {', '.join(broken)}."
        if broken
        else f"Risk moves in the expected direction in every step on a grid, for all {len(directions)} fields with a "
        "stated direction.",
    )


def check_protected_inputs(findings: Findings) -> Iterator[Check]:
    """Whether an input is what law or practice protects, by its name or levels."""
    labels = {field.name: field.label for field in findings.contract.fields}
    found = [
        f"{labels[name]} ({what})" for name, what in list_protected_inputs(findings.card).items() if name in labels
    ]
    yield Check(
        "Protected fields among the inputs",
        "review" if found else "pass",
        f"{', '.join(found)}: law or practice protects such fields. Set use = false in the card, or record why the "
        "model may use them."
        if found
        else "No input has the name or the levels of a protected field.",
    )


def check_rules(findings: Findings) -> Iterator[Check]:
    """Whether each rule beside the model decides somebody, and what the rules cost or save."""
    rules = findings.main.rules
    if not rules:
        return
    never = [one.name for one in rules if not one.n_holds]
    always = [one.name for one in rules if one.n_holds == findings.main.count]
    idle = [one.name for one in rules if one.n_holds and not one.n_changed]
    faults = [
        f"{what}: {', '.join(names)}"
        for what, names in (
            ("Holds for no applicant", never),
            ("Holds for every applicant", always),
            ("Changes no decision, because model and other rules are as strict already", idle),
        )
        if names
    ]
    counts = [f"{one.name} {format_few(one.n_changed)} ({_name_cost(one.cost)})" for one in rules]
    yield Check(
        "Rules",
        "review" if faults else "pass",
        ". ".join(
            [
                f"Of {format_count(findings.main.count)} applicants rules change the decision of: {'; '.join(counts)}",
                *faults,
            ]
        )
        + ".",
    )


def check_review_costs(findings: Findings) -> Iterator[Check]:
    """Whether costs and profit leave out what manual reviews cost."""
    share = sum(one.share for one in findings.main.costs.decisions if one.decision == DECISIONS[REVIEW])
    if findings.contract.policy.cost_review is None and share > 0:
        yield Check(
            "Cost of reviews",
            "review" if share >= RELEVANT_REVIEWS else "pass",
            f"{format_percent(share)} of applicants are reviewed. Reviews are counted as free, because the card states "
            "no cost_review: costs are higher than shown, profit lower, and what rules with reviews cost is unknown.",
        )


def _name_cost(cost: Estimate | None) -> str:
    """What a rule costs or saves in all, and whether that is beyond noise."""
    if cost is None:
        return "cost unknown"
    if not cost.excludes(0.0):
        return f"cost within noise of 0: {format_money(cost)}"
    return f"{'costs' if cost.value > 0 else 'saves'} {format_money(abs(cost.value))} in all"


def check_fairness(findings: Findings) -> Iterator[Check]:
    """Adverse impact, calibration and proxies of each protected field."""
    unknown = [field.label for field in findings.card.fields.values() if field.note == UNRECORDED]
    if unknown or not findings.fairness:
        yield Check(
            "Fairness",
            "review",
            f"Unknown: decisions are recorded without {', '.join(unknown)}."
            if unknown
            else "Not assessed: the card has no protected field (use = false) with two groups of at least 50 "
            "applicants."
            if findings.has_card
            else "Not assessed: no card was given; --card names one with protected fields (use = false).",
        )
    for field in findings.fairness:
        adverse = [
            f"{group.name}: {format_estimate(group.impact_ratio, 2)}"
            for group in field.groups
            if group.has_adverse_impact
        ]
        yield Check(
            f"Adverse impact: {field.label}",
            "review" if adverse or not field.is_impact_known else "pass",
            f"Not assessed: fewer than {MIN_COUNT} applicants of “{field.reference}”, the group that is accepted most "
            "often, are accepted."
            if not field.is_impact_known
            else f"Acceptance rate divided by that of “{field.reference}” is below {FOUR_FIFTHS:g} for "
            f"{'; '.join(adverse)}."
            if adverse
            else f"Every group's acceptance rate is at least {FOUR_FIFTHS:g} times that of “{field.reference}”.",
        )
        miscalibrated = [
            f"{group.name}: {format_estimate(group.calibration, 2)}"
            for group in field.groups
            if group.agreement.is_rejected(findings.fairness_confidence)
        ]
        yield Check(
            f"Calibration by group: {field.label}",
            "review" if miscalibrated else "pass",
            f"Mean predicted probability divided by observed default rate {MISCALIBRATED}: {'; '.join(miscalibrated)}."
            if miscalibrated
            else f"No group's mean predicted probability divided by its default rate is {MISCALIBRATED}.",
        )
        yield Check(
            f"Proxy check: {field.label}",
            "review" if field.proxy_auc is None or field.proxy_auc >= PROXY_AUC_LIMIT else "pass",
            "This field is an input of the model itself."
            if field.proxy_auc is None
            else f"The model's inputs predict the groups of this field with AUC {format_decimal(field.proxy_auc, 2)} "
            f"(review from {PROXY_AUC_LIMIT:g}; 0.5 = no better than chance).",
        )


def check_segments(findings: Findings) -> Iterator[Check]:
    """Whether probabilities agree with default rates in every group of the fields with segment = true."""
    off = [
        f"{segment.label} {group.name}{f' ({title.lower()})' if len(segment.populations) > 1 else ''}: "
        f"{format_estimate(figures.ratio, 2)}"
        for segment in findings.segments
        for group in segment.groups
        for title, figures in zip(segment.populations, group.figures, strict=True)
        if figures is not None and figures.agreement.is_rejected(findings.segment_confidence)
    ]
    if findings.segments:
        yield Check(
            "Calibration by segment",
            "review" if off else "pass",
            f"Mean predicted probability divided by observed default rate {MISCALIBRATED}: {shorten(off)}."
            if off
            else f"No group's mean predicted probability divided by its default rate is {MISCALIBRATED}.",
        )


def check_stability(findings: Findings) -> Iterator[Check]:
    """Whether inputs and scores are distributed as in the training rows."""
    if not findings.shifts:
        return
    if findings.in_time is not None:
        compared = "out of time against in time"
    else:
        compared = "hold-out against training" if findings.trained else "against the training rows"
    shifted = [
        f"{one.label} ({format_decimal(one.psi.value, 2)})"
        for one in sorted(findings.shifts, key=lambda one: -one.psi.value)
        if one.verdict != "stable"
    ]
    yield Check(
        "Stability",
        "review" if shifted else "pass",
        f"Population stability index ({compared}) of {MODERATE_SHIFT:.2f} or more beyond noise: {shorten(shifted)}."
        if shifted
        else f"The population stability index ({compared}) of each input and of the score is below "
        f"{MODERATE_SHIFT:.2f} or within sampling noise.",
    )


def check_export(findings: Findings) -> Iterator[Check]:
    """Whether the file gives the fitted model's results; known only in training."""
    if findings.trained is None:
        return
    proof = findings.trained.proof
    yield Check(
        "Implementation",
        "pass",
        f"The exported file was compared with the fitted model on {format_count(proof.rows)} rows: probabilities "
        f"differ by at most {proof.largest_difference:.1e}, {proof.decisions_differ} decisions differ.",
    )
