"""The documents written beside a model: report.html, MODEL_CARD.md and CHANGELOG.md, all from the same findings."""

from __future__ import annotations

from pathlib import Path

from train.errors import TrainingError
from train.files import write_together
from train.report.changelog import update_changelog
from train.report.findings import Findings
from train.report.gate import REJECTED
from train.report.model_card import render_model_card
from train.report.report_page import render_report

REPORT, MODEL_CARD, MODEL = "report.html", "MODEL_CARD.md", "model.onnx"


def write_accepted(folder: Path, findings: Findings, content: bytes) -> list[Path]:
    """Write the model and its documents; the paths of the documents.

    CHANGELOG.md is left as it is if it already has an entry for this model. Raises TrainingError.
    """
    changelog = update_changelog(folder, findings)
    documents = {
        **_render(folder, findings),
        **({folder / "CHANGELOG.md": changelog} if changelog is not None else {}),
    }
    write_together({**documents, folder / MODEL: content})
    return list(documents)


def write_rejected(folder: Path, findings: Findings, content: bytes) -> None:
    """Write a model that may not be used, and its documents, to the folder `rejected`. Raises TrainingError."""
    rejected = folder / REJECTED
    if rejected.is_symlink() or rejected.is_file():
        raise TrainingError(
            f"the model is rejected, as its calibration above says, and wasn't written: {rejected} is a link or a "
            "file, expected a folder; remove it, or choose another folder with --out"
        )
    write_together({**_render(rejected, findings), rejected / MODEL: content})


def _render(folder: Path, findings: Findings) -> dict[Path, bytes]:
    return {folder / REPORT: render_report(findings), folder / MODEL_CARD: render_model_card(findings)}


def remove_rejected(folder: Path) -> str | None:
    """Remove the three files of a model that was rejected earlier, and their folder if nothing else is in it.

    What can't be removed is left, since a new model has been written, and told as a sentence. Links aren't followed.
    """
    rejected = folder / REJECTED
    try:
        if rejected.is_symlink() or (rejected.exists() and not rejected.is_dir()):
            return f"{rejected} was left: it is a link or a file, expected a folder of an earlier training"
        for name in (REPORT, MODEL_CARD, MODEL):
            (rejected / name).unlink(missing_ok=True)
        if rejected.is_dir() and not any(rejected.iterdir()):
            rejected.rmdir()
    except OSError as error:
        return f"{rejected} of an earlier training was left: {error.strerror}; remove it"
    return None
