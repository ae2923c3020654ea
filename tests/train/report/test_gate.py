"""The gate: which models are rejected, and what the error says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from model.estimates import Estimate
from train.report.agreement import Agreement
from train.report.calibration import Calibration
from train.report.documents import remove_earlier, write_accepted, write_rejected
from train.report.findings import Findings
from train.report.gate import explain_rejection
from train.report.model_card import render_model_card
from train.report.report_page import render_report
from train.report.stability import Shift

OUT = Path("models")


def off(calibration: Calibration, ratio: float) -> Calibration:
    """Another ratio, with little noise."""
    return replace(
        calibration,
        ratio=Estimate(ratio, ratio - 0.01, ratio + 0.01),
        agreement=Agreement(ratio * 0.2, 0.2, 0.001, 0.0),
    )


def with_ratios(findings: Findings, *ratios: float) -> Findings:
    """Other ratios of the two samples."""
    return replace(
        findings,
        samples=tuple(
            replace(sample, calibration=off(sample.calibration, ratio))
            for sample, ratio in zip(findings.samples, ratios, strict=True)
        ),
    )


def test_a_calibrated_model_is_not_rejected(findings: Findings) -> None:
    """The hold-out decides, not all applications."""
    assert explain_rejection(with_ratios(findings, 1.3, 1.02), OUT) is None


def test_a_change_over_time_is_named_with_the_fields_that_shifted(findings_over_time: Findings) -> None:
    """In time and out of time; the most shifted first; the two ways on."""
    shifts = tuple(
        Shift(label, Estimate(value, value, value), 0.01, (), (), ())
        for label, value in (("Income", 0.2), ("Amount", 0.4), ("Home", 0.05))
    )

    error = explain_rejection(replace(with_ratios(findings_over_time, 1.0, 0.79), shifts=shifts), OUT)

    assert error is not None
    assert error.startswith(
        "out of time, on the newest 240 rows, since 2007-01-01, the mean predicted probability is 0.790"
    )
    assert "in time it is 1.000 times" in error
    assert "shifted most Amount (PSI 0.40), Income (PSI 0.20). " in error
    assert "python -m train recalibrate --model models/rejected/model.onnx --data NEW.csv --target outcome" in error


def test_without_a_shift_the_relation_has_changed(findings_over_time: Findings) -> None:
    """No field is named where none has shifted beyond noise."""
    error = explain_rejection(replace(with_ratios(findings_over_time, 1.0, 0.79), shifts=()), OUT)

    assert error is not None
    assert (
        "the relation of the inputs to the outcome has changed since then: no input has shifted beyond noise" in error
    )


def with_order(findings: Findings, auc: float, slope: float, in_time: float = 0.7) -> Findings:
    """A level out of time that is off, with this order; it is right in time."""
    found = with_ratios(findings, 1.0, 0.79)
    before, gate = found.samples
    before = replace(before, auc=Estimate(in_time, in_time - 0.02, in_time + 0.02))
    line = replace(gate.calibration, slope=Estimate(slope, slope - 0.05, slope + 0.05))
    gate = replace(gate, auc=Estimate(auc, auc - 0.02, auc + 0.02), calibration=line)
    return replace(found, samples=(before, gate), shifts=())


@pytest.mark.parametrize(
    ("auc", "slope", "advice"),
    [
        (
            0.353,
            -0.7,
            "Out of time the model orders applicants worse than chance (AUC 0.353, in time 0.700): a recalibration "
            "can't mend that. Train on rows after the change alone, or wait for more of them. ",
        ),
        (0.51, -0.1, "orders applicants no better than chance (AUC 0.510, in time 0.700): a recalibration can't"),
        (
            0.6,
            0.5,
            "The order of applicants is worse too (AUC 0.600, in time 0.700), which a recalibration can't mend: train "
            "on newer rows (leave old ones out), and judge on rows that weren't used for choosing. ",
        ),
        (
            0.69,
            1.0,
            "The order of applicants holds (AUC 0.690, in time 0.700): recalibrate the rejected model to newer "
            "outcomes: python -m train recalibrate --model models/rejected/model.onnx --data NEW.csv --target outcome; "
            "or train on newer rows (leave old ones out), and judge on rows that weren't used for choosing. ",
        ),
        (0.69, 0.5, "--target outcome --slope; or train on newer rows"),
    ],
)
def test_the_advice_depends_on_what_is_left_of_the_order(
    findings_over_time: Findings, auc: float, slope: float, advice: str
) -> None:
    """A line through the log-odds can't mend the order; another day of the hold-out is no remedy."""
    error = explain_rejection(with_order(findings_over_time, auc, slope), OUT)

    assert error is not None
    assert advice in error
    assert ("python -m train recalibrate" in error) == (auc == 0.69)
    assert "--since" not in error


def test_a_policy_that_costs_more_than_one_decision_for_all_is_named(findings_over_time: Findings) -> None:
    """With both costs, and only then."""
    found = with_ratios(findings_over_time, 1.0, 0.79)
    before, gate = found.samples
    dear, cheap = (
        explain_rejection(
            replace(found, samples=(before, replace(gate, costs=replace(gate.costs, cost=Estimate(cost, 0.0, 9.0))))),
            OUT,
        )
        for cost in (1.712, 0.0)
    )

    assert dear is not None
    assert cheap is not None
    assert ". The policy costs 1.712 per applicant, refusing all 0." in dear
    assert "The policy" not in cheap


def test_a_rejected_model_says_so_on_top_of_its_documents(findings_over_time: Findings) -> None:
    """With the reason and the remedy; neither an accepted one nor an evaluation does."""
    rejected = with_order(findings_over_time, 0.353, -0.7)
    accepted, evaluated = with_ratios(findings_over_time, 1.0, 1.0), replace(rejected, trained=None)

    page, card = render_report(rejected).decode(), render_model_card(rejected).decode()

    assert page.index("Rejected: not written as model.onnx") < page.index('<ul class="checks">')
    assert "**Verdict:** **Rejected: not written as model.onnx.** Out of time, on the newest 240 rows" in card
    for text in (page, card):
        assert "Train on rows after the change alone, or wait for more of them." in text
    others = render_report(accepted).decode(), render_model_card(accepted).decode(), render_report(evaluated).decode()
    assert not any("ejected: " in text for text in others)


def test_a_model_that_is_off_in_time_too_needs_another(findings_over_time: Findings) -> None:
    """Newer rows don't help; nothing is said of a change."""
    error = explain_rejection(with_ratios(findings_over_time, 0.8, 0.79), OUT)

    assert error is not None
    assert "in time it is 0.800 times; a line through the log-odds doesn't mend it: try another --model" in error
    assert "changed" not in error


def test_a_random_hold_out_is_compared_with_all_rows(findings: Findings) -> None:
    """Either the model is off everywhere, or the hold-out is an exception."""
    everywhere = explain_rejection(with_ratios(findings, 1.3, 1.3), OUT)
    there = explain_rejection(with_ratios(findings, 1.0, 1.2), OUT)

    assert everywhere is not None
    assert there is not None
    assert "try another --model" in everywhere
    assert "it is 1.000 times; of 100 calibrated models one has such a hold-out by chance" in there
    assert "models/model.onnx wasn't written; the model and its report are in models/rejected" in there


@pytest.mark.parametrize("extra", [[], ["notes.txt"]])
def test_a_written_model_removes_one_that_was_rejected_earlier(
    tmp_path: Path, findings: Findings, content: bytes, extra: list[str]
) -> None:
    """Files that people put there are kept, and the changelog has only the model that was written."""
    write_rejected(tmp_path, with_ratios(findings, 1.3, 1.3), content)
    names = sorted(path.name for path in (tmp_path / "rejected").iterdir())
    for name in extra:
        (tmp_path / "rejected" / name).write_text("kept")

    documents = write_accepted(tmp_path, findings, content)
    assert remove_earlier(tmp_path) is None

    assert names == ["MODEL_CARD.md", "model.onnx", "report.html"]
    assert [path.name for path in documents] == ["report.html", "MODEL_CARD.md", "CHANGELOG.md"]
    assert (tmp_path / "model.onnx").read_bytes() == content
    rejected = tmp_path / "rejected"
    assert (sorted(path.name for path in rejected.iterdir()) if rejected.exists() else []) == extra
    assert rejected.exists() == bool(extra)
