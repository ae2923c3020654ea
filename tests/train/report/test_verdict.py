"""The verdict: every check reports its result with its figures, and the headline counts the results."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from model.estimates import Estimate
from train.report.findings import Findings
from train.report.verdict import Check, assess, show_verdict


def find_check(findings: Findings, title: str) -> Check:
    """The check with this title."""
    (check,) = (check for check in assess(findings).checks if check.title == title)
    return check


def test_a_good_model_has_no_failed_check(findings: Findings) -> None:
    """Discrimination and monotonicity pass; the proxy of age is to be reviewed."""
    results = {check.title: check.result for check in assess(findings).checks}

    assert results["Discrimination"] == "pass"
    assert results["Monotonicity"] == "pass"
    assert results["Proxy check: Age"] == "review"
    assert "fail" not in results.values()
    assert assess(findings).headline.startswith("No check failed; ")


@pytest.mark.parametrize(
    ("changed", "title", "result"),
    [
        ({"auc": Estimate(0.52, 0.48, 0.56)}, "Discrimination", "fail"),
        ({"directions": ()}, "Monotonicity", "review"),
        ({"fairness": ()}, "Fairness", "review"),
    ],
)
def test_missing_or_bad_evidence_does_not_pass(
    findings: Findings, changed: dict[str, Any], title: str, result: str
) -> None:
    """An AUC whose interval includes 0.5, no stated direction of risk, no protected field."""
    assert find_check(replace(findings, **changed), title).result == result


def test_a_policy_that_costs_more_than_refusing_all_fails(findings: Findings) -> None:
    """The headline recommends against the model."""
    expensive = replace(findings, costs=replace(findings.costs, cost=Estimate(9.0, 8.0, 10.0)))

    assert find_check(expensive, "Cost of the policy").result == "fail"
    assert assess(expensive).headline == "Not recommended for use: 1 check failed"


def test_a_violated_direction_is_named(findings: Findings) -> None:
    """With the share of steps that comply."""
    violated = replace(findings.directions[0], compliance=0.9)

    check = find_check(replace(findings, directions=(violated, *findings.directions[1:])), "Monotonicity")

    assert check.text == "Violated by Income (90.0% of steps)."


def test_the_terminal_shows_every_check(findings: Findings) -> None:
    """Brackets in a label are not taken for markup."""
    console = Console(file=StringIO(), width=1000)
    verdict = assess(findings)

    with console.capture() as capture:
        show_verdict(console, verdict)

    shown = capture.get()
    assert all(f"{check.title}. {check.text}" in shown for check in verdict.checks)
