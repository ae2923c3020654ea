"""artifacts/CHANGELOG.md: one entry for each model that was written to a folder, the newest first.

An entry is added only if the bytes of the model changed. Text that people add to the file is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from model.contract import Contract, ContractError, Training
from model.formatting import format_count, format_decimal
from model.loading import load_model
from train.provenance import sha256
from train.report.findings import Findings
from train.report.verdict import assess
from train.summary import METRICS

INTRODUCTION = """\
# Models

All models of this folder, the newest first. Written by `python -m train`; text added by people is kept.
"""

TRACKED_INPUTS = {
    "data_sha256": "data",
    "card_sha256": "dataset card",
    "commit": "code",
    "estimator": "algorithm",
    "seed": "seed",
    "libraries": "libraries",
}


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The model file that is about to be replaced; contract is None if it can't be read."""

    sha256: str
    contract: Contract | None


def update_changelog(folder: Path, findings: Findings) -> bytes | None:
    """The changelog of a folder with a new entry for this model on top; None if the newest entry is for this model.

    Call it before the folder's model.onnx is replaced: the entry compares the two.
    """
    path = folder / "CHANGELOG.md"
    text = path.read_text(encoding="utf-8") if path.exists() else INTRODUCTION
    predecessor = _read_predecessor(folder / "model.onnx")
    if findings.sha256 in text.partition("\n## ")[2].partition("\n## ")[0]:
        return None
    return add_entry(text, _format_entry(findings, predecessor))


def add_entry(text: str, entry: str) -> bytes:
    """A changelog with a new entry on top, of which names and other texts bring no HTML."""
    # Everything before the first second-level heading is the introduction.
    introduction, heading, entries = text.partition("\n## ")
    return f"{introduction.rstrip()}\n\n{escape(entry, quote=False)}{heading}{entries}".encode()


def _format_entry(findings: Findings, predecessor: Predecessor | None) -> str:
    contract, training = findings.contract, findings.contract.training
    old = predecessor.contract if predecessor else None
    lines = [
        f"## {contract.version}: {contract.name}, {training.estimator}",
        "",
        f"{assess(findings).headline}.",
        "",
        f"- model.onnx sha256 `{findings.sha256}`, trained {contract.trained_at}",
        f"- data sha256 `{training.data_sha256}`, commit `{training.commit}`",
        f"- {_describe_change(contract, predecessor)}",
        "",
        f"| {_describe_holdout(training)} | this model |" + (" previous model |" if old else ""),
        "|---|---|" + ("---|" if old else ""),
    ]
    for name, value in contract.metrics.items():
        row = f"| {METRICS.get(name, name)} | {format_decimal(value, 4)} |"
        if old:
            row += f" {format_decimal(old.metrics[name], 4)} |" if name in old.metrics else " |"
        lines.append(row)
    if old and (old.training.data_sha256, old.training.seed) != (training.data_sha256, training.seed):
        lines += [
            "",
            "The two hold-outs differ: compare the models on the same rows with `python -m train compare`.",
        ]
    return "\n".join(lines) + "\n"


def _describe_holdout(training: Training) -> str:
    rows = format_count(training.holdout_rows)
    return (
        f"out of time, the newest {rows} rows since {training.since}" if training.since else f"hold-out of {rows} rows"
    )


def _describe_change(contract: Contract, predecessor: Predecessor | None) -> str:
    """The replaced model, and which inputs of training changed since."""
    if predecessor is None:
        return "first model in this folder"
    sha256_start = f"sha256 `{predecessor.sha256[:12]}…`"
    if predecessor.contract is None:
        return f"replaces a file that can't be read, {sha256_start}"
    old, new = predecessor.contract.training, contract.training
    changed = [title for name, title in TRACKED_INPUTS.items() if getattr(old, name) != getattr(new, name)]
    return (
        f"replaces {predecessor.contract.version}, {sha256_start}; changed: {', '.join(changed) or 'time of training'}"
    )


def _read_predecessor(path: Path) -> Predecessor | None:
    if not path.is_file():
        return None
    content = path.read_bytes()
    try:
        model = load_model(content)
    except ContractError:
        return Predecessor(sha256(content), None)
    return Predecessor(model.sha256, model.contract)
