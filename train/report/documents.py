"""The documents written beside a model: report.html, MODEL_CARD.md and CHANGELOG.md, all from the same findings."""

from __future__ import annotations

from pathlib import Path

from train.report.changelog import update_changelog
from train.report.findings import Findings
from train.report.model_card import render_model_card
from train.report.report_page import render_report


def render_documents(folder: Path, findings: Findings) -> dict[Path, bytes]:
    """Path → content of each document for a model about to be written to `folder`; nothing is written here.

    CHANGELOG.md is left out if it already has an entry for this model.
    """
    changelog = update_changelog(folder, findings)
    return {
        folder / "report.html": render_report(findings),
        folder / "MODEL_CARD.md": render_model_card(findings),
        **({folder / "CHANGELOG.md": changelog} if changelog is not None else {}),
    }
