"""What the documents beside a recalibrated model say: a changelog entry, and a note on top of its parent's documents.

Ranking, fairness and reasons of the parent's report stay true; its probabilities, calibration and costs don't. The
points table of a scorecard is left out: a line through its log-odds isn't in whole points.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

from model.estimates import Estimate
from model.formatting import format_count, format_estimate, format_percent
from model.session import Model
from train.report.changelog import INTRODUCTION, add_entry

HEADINGS = {"MODEL_CARD.md": "\n# ", "report.html": "<main>"}
"""Document → the text whose line the note is written after."""

VERDICTS = {"MODEL_CARD.md": ("**Verdict:** ", "\n"), "report.html": ('<div class="verdict">', "</div>")}
"""Document → what the parent's verdict begins and ends with."""

NO_TABLE = "the points table of the scorecard no longer holds, and the recalibrated file has none"
"""What becomes of a scorecard's points table."""

METRICS = re.compile(r"(?<=\n    metrics:\n)(    - type: .*\n      value: .*\n)+")
"""The figures in the front matter of a model card."""


POINTS = {
    "MODEL_CARD.md": re.compile(r"^- \*\*Points:\*\* .*\n", re.MULTILINE),
    "report.html": re.compile(
        r'<a href="#scorecard">Scorecard</a>|<h2 id="scorecard">.*?(?=<h2 id="fields">)', re.DOTALL
    ),
}
"""Document → what it has about the points table of a scorecard."""


@dataclass(frozen=True, slots=True)
class Note:
    """What was done to a model; `slope`: None if it was left at 1. `outcomes`: their number of rows.

    `predicted`: mean probability of the parent. `order`: AUC on the outcomes, as a clause.
    """

    model: Model
    parent: Model
    intercept: Estimate
    slope: Estimate | None
    outcomes: int
    default_rate: float
    predicted: float
    order: str
    data_sha256: str

    @property
    def line(self) -> str:
        """The new log-odds as a formula."""
        slope = "" if self.slope is None else f"{format_estimate(self.slope)} · "
        return f"{format_estimate(self.intercept)} + {slope}log-odds"

    @property
    def reason(self) -> str:
        """The outcomes, as a sentence."""
        return (
            f"Of {format_count(self.outcomes)} applicants with outcomes {format_percent(self.default_rate)} defaulted, "
            f"where {format_percent(self.predicted)} were predicted. {self.order}."
        )


def render_notes(beside: Path, out: Path, note: Note) -> dict[Path, bytes]:
    """Path in `out` → content of each document; those of the parent are read from `beside` if they are about it."""
    contents = {out / "CHANGELOG.md": add_entry(_read(beside / "CHANGELOG.md") or INTRODUCTION, _format_entry(note))}
    for name, heading in HEADINGS.items():
        text = _read(beside / name)
        if note.parent.sha256 in text and heading in text:
            text = _replace_verdict(name, METRICS.sub(_format_metrics(note.model), text), note.parent)
            if note.parent.contract.scorecard is not None:
                text = POINTS[name].sub("", text)
            end = text.index("\n", text.index(heading) + 1) + 1
            paragraph = escape(_format_note(note), quote=False)
            if name.endswith(".html"):
                paragraph = f'<p class="headline">{paragraph}</p>'
            contents[out / name] = f"{text[:end]}\n{paragraph}\n{text[end:]}".encode()
    return contents


def _replace_verdict(name: str, text: str, parent: Model) -> str:
    """The document without the verdict on the parent; its checks stay."""
    start, end = VERDICTS[name]
    before, found, after = text.partition(start)
    if not found:
        return text
    verdict = (
        "Not evaluated since the recalibration; on later outcomes run: python -m train evaluate model.onnx. The checks "
        f"below are of version {parent.contract.version}."
    )
    if name.endswith(".html"):
        verdict = f"<div><p>{verdict}</p>"
    return f"{before}{verdict}{after[after.index(end) :]}"


def _format_metrics(model: Model) -> str:
    """The figures that the recalibration doesn't change."""
    return "".join(f"    - type: {name}\n      value: {value:.6f}\n" for name, value in model.contract.metrics.items())


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _format_note(note: Note) -> str:
    new, old = note.model, note.parent
    table = " " if old.contract.scorecard is None else f" {NO_TABLE[0].upper()}{NO_TABLE[1:]}. "
    return (
        f"Recalibrated: model.onnx beside this document is version {new.contract.version}, sha256 {new.sha256}, made "
        f"from version {old.contract.version}, which is described below: new log-odds = {note.line}. "
        f"{note.reason}{table}Order of applicants, proxies and directions of risk are as described; probabilities, "
        "points, decisions, calibration, acceptance rates and costs are not."
    )


def _format_entry(note: Note) -> str:
    new, old = note.model, note.parent
    return "\n".join(
        [
            f"## {new.contract.version}: {new.contract.name}, {new.contract.training.estimator}, recalibrated",
            "",
            f"New log-odds = {note.line}. {note.reason}",
            "",
            f"- model.onnx sha256 `{new.sha256}`, recalibrated {new.contract.trained_at}",
            f"- made from {old.contract.version}, sha256 `{old.sha256}`",
            f"- outcomes sha256 `{note.data_sha256}`",
            "",
        ]
    )
