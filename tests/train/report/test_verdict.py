"""The verdict: every check reports its result with its figures, and the headline counts the results."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from msgspec import structs
from rich.console import Console

from model.estimates import Estimate, Z
from train.card import UNRECORDED
from train.report.agreement import Agreement
from train.report.calibration import Calibration
from train.report.check import Check
from train.report.findings import Findings
from train.report.samples import Sample
from train.report.verdict import assess, show_verdict
from train.windows import Window


def find_check(findings: Findings, title: str) -> Check:
    """The check with this title."""
    (check,) = (check for check in assess(findings).checks if check.title == title)
    return check


def change(findings: Findings, place: int, **changed: Any) -> Findings:
    """Other figures of one sample."""
    samples: list[Sample] = list(findings.samples)
    samples[place] = replace(samples[place], **changed)
    return replace(findings, samples=tuple(samples))


def agree(value: float, noise: float) -> Agreement:
    """A ratio with this 95% noise."""
    return Agreement(value * 0.2, 0.2, noise / Z * 0.2, 0.0)


def with_ratio(findings: Findings, value: float, noise: float, **changed: Any) -> Findings:
    """Another ratio of the sample that decides, with this 95% noise."""
    ratio = Estimate(value, value - noise, value + noise)
    agreement = agree(value, noise)
    calibration: Calibration = replace(findings.gate.calibration, ratio=ratio, agreement=agreement, **changed)
    return change(findings, len(findings.samples) - 1, calibration=calibration)


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
        ({"directions": ()}, "Monotonicity", "review"),
        ({"fairness": ()}, "Fairness", "review"),
    ],
)
def test_missing_or_bad_evidence_does_not_pass(
    findings: Findings, changed: dict[str, Any], title: str, result: str
) -> None:
    """No stated direction of risk, no protected field."""
    assert find_check(replace(findings, **changed), title).result == result


def test_an_order_within_noise_of_chance_fails(findings: Findings) -> None:
    """The interval of the AUC includes 0.5."""
    assert find_check(change(findings, 0, auc=Estimate(0.52, 0.48, 0.56)), "Discrimination").result == "fail"


@pytest.mark.parametrize(
    ("ratio", "noise", "result", "text"),
    [
        (
            1.04,
            0.01,
            "pass",
            "on the hold-out (240 applications): 1.040 (1.030–1.050). On all applications: calibration slope ",
        ),
        (1.04, 0.12, "pass", "240 applications can show only deviations beyond ±0.16."),
        (1.04, 0.16, "review", "can show only deviations beyond ±0.21, too few to tell whether the level is right."),
        (1.08, 0.12, "review", "outside 0.95–1.05, but within sampling noise (99%: ±0.16)"),
        (1.08, 0.07, "review", "outside 0.95–1.05, at the edge of sampling noise (99%: ±0.09)"),
        (1.08, 0.06, "fail", "outside 0.95–1.05 and further from 1 than sampling noise explains (99%: ±0.08)"),
        (0.92, 0.06, "fail", "outside 0.95–1.05 and further from 1 than sampling noise explains (99%: ±0.08)"),
    ],
)
def test_the_hold_out_decides_on_calibration(
    findings: Findings, ratio: float, noise: float, result: str, text: str
) -> None:
    """Outside the limits is to be reviewed, and fails beyond the noise of 99%, 1.31 times that of 95%.

    A hold-out that could only reject what is more than 0.2 from 1 doesn't pass.
    """
    calm = replace(findings.main.calibration, slope=Estimate(1.0, 0.9, 1.1), error=0.0)
    check = find_check(with_ratio(change(findings, 0, calibration=calm), ratio, noise), "Calibration")

    assert (check.result, text in check.text) == (result, True)


@pytest.mark.parametrize(
    ("slope", "result"),
    [
        (Estimate(0.85, 0.75, 0.95), "review"),
        (Estimate(0.85, 0.65, 1.05), "pass"),
        (Estimate(0.95, 0.92, 0.98), "pass"),
        (Estimate(1.30, 1.20, 1.40), "review"),
    ],
)
def test_a_slope_off_beyond_noise_is_to_be_reviewed(findings: Findings, slope: Estimate, result: str) -> None:
    """Outside 0.9 to 1.1, and its interval excludes 1."""
    level = with_ratio(findings, 1.0, 0.05)
    changed = replace(findings.main.calibration, slope=slope, error=0.0)

    assert find_check(change(level, 0, calibration=changed), "Calibration").result == result


def test_a_slope_below_0_is_said_to_reverse_the_risk(findings: Findings) -> None:
    """Its probabilities are wrong, not too extreme."""
    changed = replace(findings.main.calibration, slope=Estimate(-0.7, -0.8, -0.6))

    text = find_check(change(findings, 0, calibration=changed), "Calibration").text

    assert "beyond sampling noise: where the model says more risk, there was less; calibration error" in text
    assert "extreme" not in text


def test_a_model_without_times_was_not_tested_over_time(findings: Findings) -> None:
    """To be reviewed, with the next step; new applications are what a test over time is."""
    check = find_check(findings, "Validation over time")

    assert check.result == "review"
    assert "time = …, or with --time" in check.text


def test_both_populations_are_named_where_there_are_times(findings_over_time: Findings) -> None:
    """AUC and calibration in time and out of time, each in a sentence of its own."""
    checks = {check.title: check for check in assess(findings_over_time).checks}

    assert "since 2007-01-01" in checks["Validation over time"].text
    assert "AUC in time 0." in checks["Discrimination"].text
    sentences = checks["Calibration"].text.split(". ")
    assert sentences[0].startswith(
        "Mean predicted probability divided by observed default rate out of time (240 applications): "
    )
    assert [sentence.split(": ")[0] for sentence in sentences[1:3]] == ["In time", "Out of time"]
    assert "out of time against in time" in checks["Stability"].text


@pytest.mark.parametrize(
    ("auc", "ratio", "result", "found"),
    [
        (0.8, 1.0, "pass", "Order and level hold there."),
        (0.4, 1.0, "review", "Not passed there: Discrimination (fail)."),
        (0.8, 0.7, "review", "Not passed there: Calibration (fail)."),
        (0.4, 1.06, "review", "Not passed there: Discrimination (fail), Calibration (review)."),
    ],
)
def test_a_test_over_time_passes_only_if_order_and_level_hold(
    findings_over_time: Findings, auc: float, ratio: float, result: str, found: str
) -> None:
    """What doesn't is named: to be tested is not to pass."""
    changed = with_ratio(findings_over_time, ratio, 0.05, slope=Estimate(1.0, 0.9, 1.1), error=0.0)

    check = find_check(change(changed, 1, auc=Estimate(auc, auc - 0.03, auc + 0.03)), "Validation over time")

    assert check.result == result
    assert check.text.endswith(found)


@pytest.mark.parametrize(("loss", "result"), [(0.01, "pass"), (0.03, "pass"), (0.08, "review")])
def test_a_loss_of_discrimination_over_time_is_to_be_reviewed(
    findings_over_time: Findings, loss: float, result: str
) -> None:
    """Above 0.02 and beyond the noise of both, here 0.042."""
    earlier, later = 0.8, 0.8 - loss
    found = change(findings_over_time, 0, auc=Estimate(earlier, earlier - 0.03, earlier + 0.03))

    check = find_check(change(found, 1, auc=Estimate(later, later - 0.03, later + 0.03)), "Discrimination")

    assert check.result == result
    assert ("The fall of AUC over time is above 0.02" in check.text) == (result == "review")


def test_many_groups_of_a_segment_do_not_alarm_by_chance(findings_over_time: Findings) -> None:
    """A ratio beyond its own noise passes if as many comparisons explain it, and is named if they don't."""
    (segment,) = findings_over_time.segments
    ratios = {0.15: "pass", 0.05: "review"}
    for noise, result in ratios.items():
        group = segment.groups[0]
        figures = group.figures[1]
        assert figures is not None
        off = replace(figures, ratio=Estimate(1.16, 1.16 - noise, 1.16 + noise), agreement=agree(1.16, noise))
        calm = replace(figures, ratio=Estimate(1.0, 0.9, 1.1), agreement=agree(1.0, 0.1))
        groups = [
            replace(group, figures=(calm, off if place == 0 else calm)) for place, group in enumerate(segment.groups)
        ]
        found = replace(findings_over_time, segments=(replace(segment, groups=tuple(groups)),))

        check = find_check(found, "Calibration by segment")

        assert check.result == result
        assert (f"{segment.label} {group.name} (out of time): 1.16" in check.text) == (result == "review")


def test_many_groups_of_protected_fields_do_not_alarm_by_chance(findings: Findings) -> None:
    """As those of segments: one of all six groups is beyond its noise in 5%."""
    field = findings.fairness[0]
    for noise, result in {0.13: "pass", 0.09: "review"}.items():
        calm, off = (replace(field.groups[0], agreement=agree(*ratio)) for ratio in ((1.0, 0.1), (1.14, noise)))
        groups = (off, *[calm] * (len(field.groups) - 1))
        found = replace(findings, fairness=(replace(field, groups=groups), *findings.fairness[1:]))

        assert sum(len(one.groups) for one in found.fairness) == 6
        assert find_check(found, f"Calibration by group: {field.label}").result == result


def test_a_protected_input_is_named(findings: Findings) -> None:
    """By its label, with what it is; the card decides, so that it is to be reviewed."""
    fields = dict(findings.card.fields)
    fields["gender"] = structs.replace(fields["home"], label="Gender of the applicant")
    card = structs.replace(findings.card, fields=fields)
    field = structs.replace(findings.contract.fields[0], name="gender", label="Gender of the applicant")
    contract = structs.replace(findings.contract, fields=(*findings.contract.fields, field))

    check = find_check(replace(findings, card=card, contract=contract), "Protected fields among the inputs")

    assert find_check(findings, "Protected fields among the inputs").result == "pass"
    assert check.result == "review"
    assert check.text.startswith("Gender of the applicant (sex): ")


def test_fields_that_decisions_are_recorded_without_are_named(findings: Findings) -> None:
    """Though others are compared, such as a protected input."""
    card = structs.replace(
        findings.card,
        fields=findings.card.fields | {"age": structs.replace(findings.card.fields["age"], note=UNRECORDED)},
    )

    assert find_check(replace(findings, card=card), "Fairness").text == "Unknown: decisions are recorded without Age."
    assert find_check(replace(findings, card=card), "Adverse impact: Sex").title == "Adverse impact: Sex"


@pytest.mark.parametrize(
    ("low", "high", "result"), [(-0.03, -0.01, "review"), (-0.03, 0.01, "pass"), (0.01, 0.03, "pass")]
)
def test_a_better_window_of_newer_rows_is_to_be_reviewed(
    findings_over_time: Findings, low: float, high: float, result: str
) -> None:
    """By log loss, beyond noise; the rows and their first day are named."""
    assert findings_over_time.trained is not None
    difference = Estimate((low + high) / 2, low, high)
    windows = (
        Window(1.0, 960, 11_000, 0.8, 0.40),
        Window(0.5, 480, 12_000, 0.8, 0.40 + difference.value, Estimate(0.0, -0.1, 0.1), difference),
    )

    check = find_check(
        replace(findings_over_time, trained=replace(findings_over_time.trained, windows=windows)), "Training windows"
    )

    assert check.result == result
    assert ("the 480 training applications since 2002-11-09" in check.text) == (result == "review")
    assert ("On this hold-out the newer part alone did better; confirm it" in check.text) == (result == "review")


def test_new_applications_have_no_checks_of_training(findings_on_new: Findings) -> None:
    """Leakage, export and validation over time are known where a model is trained."""
    titles = {check.title for check in assess(findings_on_new).checks}

    assert {"Discrimination", "Calibration", "Stability"} <= titles
    assert not {"Leakage", "Implementation", "Validation over time"} & titles


def test_a_policy_that_costs_more_than_refusing_all_fails(findings: Findings) -> None:
    """The headline recommends against the model."""
    expensive = change(findings, 0, costs=replace(findings.main.costs, cost=Estimate(9.0, 8.0, 10.0)))

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
