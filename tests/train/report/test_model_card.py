"""MODEL_CARD.md: the headings people know, the figures of the report."""

from __future__ import annotations

import re

from train.report.findings import Findings
from train.report.model_card import render_model_card
from train.report.words import estimate

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
"""Of the template of huggingface_hub, modelcard_template.md."""


def test_it_has_the_headings_of_hugging_face(findings: Findings) -> None:
    """In their order, after the block of metadata."""
    text = render_model_card(findings).decode()

    found = re.findall(r"^##? (.*)$", text, re.MULTILINE)
    assert HEADINGS == [heading for heading in found if heading in HEADINGS]
    assert re.match(r"---\nlibrary_name: onnx\n", text)
    assert 'license: "mit"' in text


def test_its_figures_are_those_of_the_findings(findings: Findings) -> None:
    """AUC with interval, hash of the file, each group of a protected field."""
    text = render_model_card(findings).decode()

    for told in (estimate(findings.auc), findings.sha256, findings.contract.training.commit, "| f | ", "<of>"):
        assert told in text
    assert "nan" not in text.lower().replace("finance", "")


def test_every_row_of_a_table_has_the_cells_of_its_head(findings: Findings) -> None:
    """A bar in a label doesn't break a table."""
    rows = re.findall(r"^\|.*\|$", render_model_card(findings).decode(), re.MULTILINE)
    widths: list[int] = []
    for row in rows:
        cells = len(re.findall(r"(?<!\\)\|", row)) - 1
        if set(row) <= set("|-"):
            assert cells == widths[-1]
        widths.append(cells)

    assert all(width in (3, 6) for width in widths)


def test_the_same_findings_give_the_same_bytes(findings: Findings) -> None:
    """Nothing of the moment."""
    assert render_model_card(findings) == render_model_card(findings)
