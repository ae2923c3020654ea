"""The verdict on a model: one check for each question of a validation, with its result and its figures.

report.html, MODEL_CARD.md and the terminal show the same checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from rich.console import Console

from model.formatting import format_count, format_decimal, format_estimate, format_percent
from model.stability import MODERATE_SHIFT
from train.card import UNRECORDED
from train.leakage import REVIEW_AUC
from train.report.calibration import RATIO_LIMITS
from train.report.fairness import FOUR_FIFTHS
from train.report.findings import Findings

PROXY_AUC_LIMIT = 0.7
"""From this AUC on, the inputs are reported as a proxy of a protected field."""

NOISE_FACTOR = 1.5
"""A calibration error up to this multiple of the one that sampling noise alone causes passes."""

CheckResult = Literal["pass", "review", "fail"]

LABELS: dict[CheckResult, str] = {"pass": "Pass", "review": "Review", "fail": "Fail"}
STYLES: dict[CheckResult, str] = {"pass": "", "review": "yellow", "fail": "red"}


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what is checked, its result, and the figures it rests on as a sentence."""

    title: str
    result: CheckResult
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The checks, and their conclusion as a sentence without a full stop."""

    headline: str
    checks: tuple[Check, ...]


def assess(findings: Findings) -> Verdict:
    """Run every check on the findings."""
    checks = tuple(check for run in CHECKS for check in run(findings))
    failed, to_review = (sum(check.result == result for check in checks) for result in ("fail", "review"))
    if failed:
        return Verdict(f"Not recommended for use: {_count_checks(failed)} failed", checks)
    if to_review:
        return Verdict(f"No check failed; {_count_checks(to_review)} to be reviewed before use", checks)
    return Verdict("All checks passed", checks)


def _count_checks(number: int) -> str:
    return "1 check" if number == 1 else f"{number} checks"


def _check_discrimination(findings: Findings) -> Iterator[Check]:
    auc = findings.auc
    yield Check(
        "Discrimination",
        "pass" if auc.low > 0.5 else "fail",
        f"AUC {format_estimate(auc)}, Gini {format_decimal(findings.quality.gini, 3)}, KS "
        f"{format_decimal(findings.quality.ks, 3)}, out of sample on {format_count(findings.calibration.count)} "
        "applications. An AUC of 0.5 is no better than chance.",
    )


def _check_calibration(findings: Findings) -> Iterator[Check]:
    low, high = RATIO_LIMITS
    holdout, every = findings.holdout_calibration, findings.calibration
    is_within = low <= holdout.ratio.value <= high
    is_noise = every.error <= NOISE_FACTOR * every.noise_error
    yield Check(
        "Calibration",
        "pass" if is_within and is_noise else "review",
        f"Mean predicted probability divided by observed default rate: {format_estimate(holdout.ratio)} on "
        f"{format_count(holdout.count)} hold-out applications"
        f"{'' if is_within else f', outside {low}–{high} but within sampling noise'}. Calibration error "
        f"{format_decimal(every.error, 4)}; sampling noise alone gives {format_decimal(every.noise_error, 4)}.",
    )


def _check_leakage(findings: Findings) -> Iterator[Check]:
    labels = {field.name: field.label for field in findings.contract.fields}
    strong = [one for one in findings.strengths if one.auc >= REVIEW_AUC or one.one_sided]
    strongest = max(findings.strengths, key=lambda one: one.auc)
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


def _check_policy(findings: Findings) -> Iterator[Check]:
    costs = findings.costs
    cheapest_constant = min(costs.accept_all, costs.refuse_all)
    is_cheaper = costs.cost.high < cheapest_constant
    yield Check(
        "Cost of the policy",
        "fail" if costs.cost.value >= cheapest_constant else "pass" if is_cheaper else "review",
        f"{format_estimate(costs.cost)} per applicant; accepting all costs {format_decimal(costs.accept_all, 3)}, "
        f"refusing all {format_decimal(costs.refuse_all, 3)}.",
    )
    optimum = costs.empirical_threshold
    yield Check(
        "Decision threshold",
        "review" if optimum.excludes(costs.theoretical_threshold) else "pass",
        f"The costs imply a threshold at a probability of {format_percent(costs.theoretical_threshold)}; the cheapest "
        f"threshold on the observed outcomes is {format_percent(optimum.value)} (95% interval "
        f"{format_percent(optimum.low)}–{format_percent(optimum.high)}).",
    )


def _check_monotonicity(findings: Findings) -> Iterator[Check]:
    directions = findings.directions
    if not directions:
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


def _check_fairness(findings: Findings) -> Iterator[Check]:
    if not findings.fairness:
        unknown = [field.label for field in findings.card.fields.values() if field.note == UNRECORDED]
        yield Check(
            "Fairness",
            "review",
            f"Unknown: decisions are recorded without {', '.join(unknown)}."
            if unknown
            else "Not assessed: the card has no protected field (use = false) with two groups of at least 50 "
            "applicants.",
        )
    for field in findings.fairness:
        adverse = [
            f"{group.name}: {format_estimate(group.impact_ratio, 2)}"
            for group in field.groups
            if group.has_adverse_impact
        ]
        yield Check(
            f"Adverse impact: {field.label}",
            "review" if adverse else "pass",
            f"Acceptance rate divided by that of “{field.reference}” is below {FOUR_FIFTHS:g} for {'; '.join(adverse)}."
            if adverse
            else f"Every group's acceptance rate is at least {FOUR_FIFTHS:g} times that of “{field.reference}”.",
        )
        miscalibrated = [
            f"{group.name}: {format_estimate(group.calibration, 2)}" for group in field.groups if group.is_miscalibrated
        ]
        yield Check(
            f"Calibration by group: {field.label}",
            "review" if miscalibrated else "pass",
            f"Mean predicted probability divided by observed default rate of {'; '.join(miscalibrated)}."
            if miscalibrated
            else "No group's mean predicted probability divided by its default rate is outside "
            f"{RATIO_LIMITS[0]}–{RATIO_LIMITS[1]} by more than sampling noise.",
        )
        yield Check(
            f"Proxy check: {field.label}",
            "review" if field.proxy_auc >= PROXY_AUC_LIMIT else "pass",
            f"The model's inputs predict the groups of this field with AUC {format_decimal(field.proxy_auc, 2)} "
            f"(review from {PROXY_AUC_LIMIT:g}; 0.5 = no better than chance).",
        )


def _check_stability(findings: Findings) -> Iterator[Check]:
    shifted = [shift.label for shift in findings.shifts if shift.verdict != "stable"]
    yield Check(
        "Stability",
        "review" if shifted else "pass",
        f"Population stability index (hold-out against training) of {MODERATE_SHIFT:.2f} or more beyond noise: "
        f"{', '.join(shifted)}."
        if shifted
        else f"The population stability index (hold-out against training) of each input and of the score is below "
        f"{MODERATE_SHIFT:.2f} or within sampling noise.",
    )


def _check_export(findings: Findings) -> Iterator[Check]:
    proof = findings.proof
    yield Check(
        "Implementation",
        "pass",
        f"The exported file was compared with the fitted model on {format_count(proof.rows)} rows: probabilities "
        f"differ by at most {proof.largest_difference:.1e}, {proof.decisions_differ} decisions differ.",
    )


CHECKS: tuple[Callable[[Findings], Iterator[Check]], ...] = (
    _check_discrimination,
    _check_leakage,
    _check_calibration,
    _check_policy,
    _check_monotonicity,
    _check_fairness,
    _check_stability,
    _check_export,
)


def show_verdict(console: Console, verdict: Verdict) -> None:
    """Print the headline, then one line for each check."""
    console.print(f"{verdict.headline}:", style="bold")
    width = max(map(len, LABELS.values()))
    for check in verdict.checks:
        line = f"  {LABELS[check.result]:{width}}  {check.title}. {check.text}"
        console.print(line, style=STYLES[check.result], markup=False)
