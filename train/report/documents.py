"""The documents written beside a model, all from the same findings: report.html, MODEL_CARD.md, CHANGELOG.md, and the
points table of a scorecard."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from train.errors import TrainingError
from train.files import write_together
from train.points_table import files as points_table
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
    return {
        folder / REPORT: render_report(findings),
        folder / MODEL_CARD: render_model_card(findings),
        **points_table.render(findings.contract, folder),
    }


def remove_earlier(folder: Path, documents: Collection[Path] = ()) -> str | None:
    """Remove the files of a model that was rejected earlier, and their folder if nothing else is in it; and the points
    table of an earlier scorecard, which isn't among the `documents` of the new model.

    The removal of a points table is told as a sentence. So is what can't be removed, and is left, since a new model has
    been written. Links aren't followed.
    """
    removed: list[str] = []
    rejected = folder / REJECTED
    left = _remove(folder, rejected, documents, removed)
    table = (
        f"removed {', '.join(removed)} of an earlier scorecard, whose points aren't this model's" if removed else None
    )
    return "; ".join(told for told in (table, left) if told is not None) or None


def _remove(folder: Path, rejected: Path, documents: Collection[Path], removed: list[str]) -> str | None:
    """What was left; the names of the files of a points table are added to `removed`."""
    try:
        for path in points_table.list_files(folder):
            if path not in documents and path.exists():
                path.unlink()
                removed.append(path.name)
        if rejected.is_symlink() or (rejected.exists() and not rejected.is_dir()):
            return f"{rejected} was left: it is a link or a file, expected a folder of an earlier training"
        for path in (rejected / REPORT, rejected / MODEL_CARD, rejected / MODEL, *points_table.list_files(rejected)):
            path.unlink(missing_ok=True)
        if rejected.is_dir() and not any(rejected.iterdir()):
            rejected.rmdir()
    except OSError as error:
        return f"{error.filename or rejected} of an earlier training was left: {error.strerror}; remove it"
    return None
