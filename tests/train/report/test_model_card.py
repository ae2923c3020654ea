"""MODEL_CARD.md: Hugging Face's headings, the figures of the report."""

from __future__ import annotations

import re

from model.formatting import format_estimate
from train.report.findings import Findings
from train.report.model_card import render_model_card

HEADINGS = [
    "Model Card for loans",
    "Model Details",
    "Uses",
    "Bias, Risks, and Limitations",
    "How to Get Started with the Model",
    "Training Details",
    "Evaluation",
    "Technical Specifications",
]
"""From huggingface_hub's modelcard_template.md."""


def test_it_has_the_headings_of_hugging_face(findings: Findings) -> None:
    """In the template's order, after the YAML metadata."""
    text = render_model_card(findings).decode()

    found = re.findall(r"^##? (.*)$", text, re.MULTILINE)
    assert [heading for heading in found if heading in HEADINGS] == HEADINGS
    assert re.match(r"---\nlibrary_name: onnx\n", text)
    assert 'license: "mit"' in text


def test_its_figures_are_those_of_the_findings(findings: Findings) -> None:
    """AUC with interval, sha256, commit, groups of protected fields, and no NaN."""
    text = render_model_card(findings).decode()

    for fact in (format_estimate(findings.auc), findings.sha256, findings.contract.training.commit, "| f | ", "<of>"):
        assert fact in text
    assert "nan" not in text.lower().replace("finance", "")


def test_a_bar_in_a_label_does_not_break_a_table(findings: Findings) -> None:
    """Every row has as many cells as its header."""
    rows = re.findall(r"^\|.*\|$", render_model_card(findings).decode(), re.MULTILINE)
    widths: list[int] = []
    for row in rows:
        cells = len(re.findall(r"(?<!\\)\|", row)) - 1
        if set(row) <= set("|-"):
            assert cells == widths[-1]
        widths.append(cells)

    assert all(width in (3, 6) for width in widths)


def test_the_same_findings_give_the_same_bytes(findings: Findings) -> None:
    """No time stamp or random id."""
    assert render_model_card(findings) == render_model_card(findings)
