"""`python -m train` in a process of its own: its exit code, its error, the CPU time, and the model, rejected or not."""

from __future__ import annotations

import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from model.loading import load_model
from model.session import Model
from train.card import Card, read_card
from train.dataset import Dataset, encode_table
from train.table import read_table


@dataclass(frozen=True, slots=True)
class Training:
    """How a training ended; `error` is empty unless the exit code is 2. `seconds`: CPU time. `out`: its folder."""

    code: int
    error: str
    seconds: float
    card: Card
    out: Path

    def load(self) -> Model:
        """The model, which is in another folder if it was rejected."""
        return load_model((self.out if self.code == 0 else self.out / "rejected") / "model.onnx")

    def read(self, path: Path) -> Dataset:
        """Another table with the same columns, by the card that was inferred."""
        return encode_table(read_table(path), self.card)


def train(source: Path, target: str | None, out: Path, *options: str) -> Training:
    """Train on a table, or on a card if there is no target; a model that the gate rejects is no failure.

    Raises RuntimeError with what was printed if there is no model.
    """
    given = [str(source)] if target is None else ["--data", str(source), "--target", target]
    command = [sys.executable, "-m", "train", *given, "--out", str(out), *options]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    is_rejected = done.returncode == 2 and (out / "rejected" / "model.onnx").exists()
    if done.returncode and not is_rejected:
        raise RuntimeError(f"{' '.join(command)} ended with exit code {done.returncode}: {done.stderr}")
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    card = read_card(source if target is None else out / f"{source.stem}.toml")
    return Training(done.returncode, done.stderr.strip(), seconds, card, out)
