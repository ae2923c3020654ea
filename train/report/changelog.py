"""artifacts/CHANGELOG.md: every model that was ever exported to a folder, the newest first, and what changed.

An entry is added only if the bytes of the model changed; what people write into the file stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from model.contract import Contract, ContractError
from model.loading import load_model
from train.provenance import sha256
from train.report.findings import Findings
from train.report.verdict import judge
from train.summary import METRICS

INTRODUCTION = """\
# Models

Every model of this folder, the newest first. Written by `python -m train`; what people add stays.
"""

PARTS = {
    "data_sha256": "the data",
    "card_sha256": "the card",
    "commit": "the code",
    "estimator": "the learner",
    "seed": "the seed",
    "libraries": "the libraries",
}


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The model that stood in a folder before; contract is None where it can't be read."""

    sha256: str
    contract: Contract | None


def update_changelog(folder: Path, findings: Findings) -> bytes | None:
    """The changelog of a folder with an entry for this model on top; None if it has one already.

    Read before the model is replaced.
    """
    path = folder / "CHANGELOG.md"
    written = path.read_text(encoding="utf-8") if path.exists() else INTRODUCTION
    before = _predecessor(folder / "model.onnx")
    newest = written[written.find("\n## ") :].split("\n## ", 2)[1] if "\n## " in written else ""
    if findings.sha256 in newest:
        return None
    # Entries begin at the first heading of the second level; all before it introduces them.
    start = written.find("\n## ")
    head, tail = (written, "") if start < 0 else (written[:start], written[start + 1 :])
    return (head.rstrip() + "\n\n" + _entry(findings, before) + ("\n" + tail if tail else "")).encode()


def _entry(findings: Findings, before: Predecessor | None) -> str:
    contract, training = findings.contract, findings.contract.training
    old = before.contract if before else None
    lines = [
        f"## {contract.version}: {contract.name}, {training.estimator}",
        "",
        f"{judge(findings).headline}.",
        "",
        f"- model.onnx sha256 `{findings.sha256}`, trained {contract.trained_at}",
        f"- data sha256 `{training.data_sha256}`, commit `{training.commit}`",
        f"- {_since(contract, before)}",
        "",
        f"| on {training.holdout_rows:,} held out | this |" + (" before |" if old else ""),
        "|---|---|" + ("---|" if old else ""),
    ]
    for name, value in contract.metrics.items():
        row = f"| {METRICS.get(name, name)} | {value:.4f} |"
        if old:
            row += f" {old.metrics[name]:.4f} |" if name in old.metrics else " |"
        lines.append(row)
    if old and (old.training.data_sha256, old.training.seed) != (training.data_sha256, training.seed):
        lines += ["", "The rows held out before were others: compare the models with `python -m train compare`."]
    return "\n".join(lines) + "\n"


def _since(contract: Contract, before: Predecessor | None) -> str:
    """What the model that stood here before was, and what changed since."""
    if before is None:
        return "the first model in this folder"
    if before.contract is None:
        return f"before it: a file that this code can't read, sha256 `{before.sha256[:12]}…`"
    old, new = before.contract.training, contract.training
    changed = [part for name, part in PARTS.items() if getattr(old, name) != getattr(new, name)]
    what = ", ".join(changed) if changed else "nothing that is recorded but the moment"
    return f"before it: {before.contract.version}, sha256 `{before.sha256[:12]}…`; changed since: {what}"


def _predecessor(path: Path) -> Predecessor | None:
    if not path.is_file():
        return None
    content = path.read_bytes()
    try:
        model = load_model(content)
    except ContractError:
        return Predecessor(sha256(content), None)
    return Predecessor(model.sha256, model.contract)
