"""`make retrain`: train again on the card and compare the result with the model in service.

Writes build/retrain, which `make propose` copies over artifacts/. Exit code 0: the new model passed the comparison or
is identical; the GitHub Actions output `changed` (true, false) tells which. With --decisions in RETRAIN_FLAGS both are
done on decisions on record instead of the card's table.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from deploy import ROOT
from deploy.errors import DeployError

ARTIFACTS = ROOT / "artifacts"
OUT = ROOT / "build" / "retrain"


def main(arguments: list[str]) -> int:
    """Retrain on the card that the command line names; exit code 1 if a step fails, 2 without a card.

    After the card may stand --decisions URL with --from and --to, see `python -m train --help`.
    """
    if not arguments or (arguments[1:] and arguments[1] != "--decisions"):
        print(
            f"retrain: got {' '.join(arguments)!r}, expected a card and perhaps decisions on record: "
            "make retrain CARD=FILE.toml RETRAIN_FLAGS='--decisions DECISIONS_URL --from 2026-01'",
            file=sys.stderr,
        )
        return 2
    try:
        is_changed = retrain(Path(arguments[0]), ARTIFACTS, OUT, arguments[1:])
    except DeployError as error:
        print(f"retrain: {error}", file=sys.stderr)
        return 1
    write_output("changed", str(is_changed).lower())
    return 0


def retrain(card: Path, artifacts: Path, out: Path, record: Sequence[str] = ()) -> bool:
    """Train into `out`; returns whether the model differs. Raises DeployError if it fails the comparison.

    `record`: options that choose decisions on record.
    """
    if record:
        # Both steps must see the same outcomes, or the comparison can't tell which rows the model was trained on.
        record = [*record, "--as-of", datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")]
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    # Training adds its changelog entry on top of those that it finds, and describes the model that it replaces.
    for name in ("model.onnx", "CHANGELOG.md"):
        shutil.copyfile(artifacts / name, out / name)
    run("training", *train_command(card, out, record))
    champion, challenger = artifacts / "model.onnx", out / "model.onnx"
    if challenger.read_bytes() == champion.read_bytes():
        print(f"retrain: the new model is identical to {champion}: nothing to propose")
        return False
    run("the comparison", *compare_command(card, champion, challenger, record))
    return True


def train_command(card: Path, out: Path, record: Sequence[str]) -> list[str]:
    """The command that trains, exports and checks the export."""
    return [sys.executable, "-m", "train", str(card), "--out", str(out), *record]


def compare_command(card: Path, champion: Path, challenger: Path, record: Sequence[str]) -> list[str]:
    """The command that fails unless the challenger may replace the champion, judged on what it was trained on."""
    compare = [sys.executable, "-m", "train", "compare", str(champion), str(challenger), "--gate"]
    return [*compare, *(record or ["--data", str(card)])]


def run(step: str, *command: str) -> None:
    """Run a command with its output on the terminal; raises DeployError if it fails."""
    code = subprocess.run(command, cwd=ROOT).returncode
    if code != 0:
        raise DeployError(f"{step} failed with code {code}, see above; the model in service is unchanged")


def write_output(name: str, value: str) -> None:
    """Set an output of the GitHub Actions step; does nothing elsewhere."""
    if path := os.environ.get("GITHUB_OUTPUT"):
        with open(path, "a") as outputs:
            outputs.write(f"{name}={value}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
