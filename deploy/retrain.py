"""`make retrain`: train on the card again, prove it, and hold it against the model in service.

Leaves everything in build/retrain for `make propose`. Exit code 0: the new model passed, or is the same one; the
output `changed` of the workflow's step says which. Training proves its own export before it writes it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from deploy.errors import DeployError

ROOT = Path(__file__).resolve().parent.parent
CHAMPION = ROOT / "artifacts" / "model.onnx"
OUT = ROOT / "build" / "retrain"


def main(arguments: list[str]) -> int:
    """Retrain on the card that is given."""
    try:
        is_changed = retrain(Path(arguments[0]), CHAMPION, OUT)
    except DeployError as error:
        print(f"retrain: {error}", file=sys.stderr)
        return 1
    write_output("changed", str(is_changed).lower())
    return 0


def retrain(card: Path, champion: Path, out: Path) -> bool:
    """Train into an empty folder; whether the model is another one. Raises DeployError unless it passes the gate."""
    shutil.rmtree(out, ignore_errors=True)
    run("training", *train_command(card, out))
    challenger = out / "model.onnx"
    if challenger.read_bytes() == champion.read_bytes():
        print(f"retrain: {champion} came out again, byte for byte: nothing to propose")
        return False
    run("the gate", *gate_command(card, champion, challenger))
    return True


def train_command(card: Path, out: Path) -> list[str]:
    """The command that trains, exports and proves."""
    return [sys.executable, "-m", "train", str(card), "--out", str(out)]


def gate_command(card: Path, champion: Path, challenger: Path) -> list[str]:
    """The command that fails unless the challenger may replace the champion, on the data of the card."""
    data = card.parent / tomllib.loads(card.read_text())["dataset"]["path"]
    compare = [sys.executable, "-m", "train", "compare", str(champion), str(challenger)]
    return [*compare, "--data", str(data), "--gate"]


def run(step: str, *command: str) -> None:
    """Run a step and let it print; raises DeployError if it fails."""
    code = subprocess.run(command, cwd=ROOT).returncode
    if code != 0:
        raise DeployError(f"{step} failed with code {code}, see above; the model in service stays")


def write_output(name: str, value: str) -> None:
    """Tell the workflow: an output of the step it runs in; nothing outside of one."""
    if path := os.environ.get("GITHUB_OUTPUT"):
        with open(path, "a") as outputs:
            outputs.write(f"{name}={value}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
