"""What is written beside a model: report.html, MODEL_CARD.md, CHANGELOG.md, all of the same findings."""

from __future__ import annotations

from pathlib import Path

from train.report.changelog import update_changelog
from train.report.findings import Findings
from train.report.model_card import render_model_card
from train.report.page import render_report


def render_pages(folder: Path, findings: Findings) -> dict[Path, bytes]:
    """The pages for a model about to be written to a folder: path → content; nothing is written here."""
    changelog = update_changelog(folder, findings)
    return {
        folder / "report.html": render_report(findings),
        folder / "MODEL_CARD.md": render_model_card(findings),
        **({folder / "CHANGELOG.md": changelog} if changelog is not None else {}),
    }
