"""The verdict on a model: one check for each question of a validation, with its result and its figures.

report.html, MODEL_CARD.md and the terminal show the same checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.console import Console

from train.report import model_checks, probability_checks
from train.report.check import Check, CheckResult
from train.report.findings import Findings
from train.report.rejects import check_rejects

LABELS: dict[CheckResult, str] = {"pass": "Pass", "review": "Review", "fail": "Fail"}
STYLES: dict[CheckResult, str] = {"pass": "", "review": "yellow", "fail": "red"}


CHECKS: tuple[Callable[[Findings], Iterator[Check]], ...] = (
    probability_checks.check_discrimination,
    probability_checks.check_calibration,
    probability_checks.check_validation_over_time,
    probability_checks.check_windows,
    model_checks.check_leakage,
    probability_checks.check_policy,
    probability_checks.check_profit,
    model_checks.check_rules,
    model_checks.check_review_costs,
    model_checks.check_monotonicity,
    model_checks.check_protected_inputs,
    model_checks.check_fairness,
    model_checks.check_segments,
    model_checks.check_stability,
    check_rejects,
    model_checks.check_export,
)


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


def show_verdict(console: Console, verdict: Verdict) -> None:
    """Print the headline, then one line for each check."""
    console.print(f"{verdict.headline}:", style="bold")
    width = max(map(len, LABELS.values()))
    for check in verdict.checks:
        line = f"  {LABELS[check.result]:{width}}  {check.title}. {check.text}"
        console.print(line, style=STYLES[check.result], markup=False)
