"""Run a model of another library on our folds, in an environment of its own: build/bench/<peer>."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.serve.environments import install
from benchmarks.serve.errors import BenchError
from train.card import CardField
from train.cross_validation import Fold, measure_fold
from train.dataset import Dataset
from train.folds import make_folds

FOLDER = Path(__file__).parent

BUILD = Path(__file__).resolve().parents[2] / "build" / "bench"


@dataclass(frozen=True, slots=True)
class Peer:
    """A folder beside this file, and how the model is called in tables."""

    name: str
    title: str

    def install(self) -> None:
        """Make its environment unless it is up to date; raises BenchError."""
        install(FOLDER / self.name / "requirements.txt", BUILD / self.name)


@dataclass(frozen=True, slots=True)
class PeerTrial:
    """The cross-validation of a peer; `seconds`: CPU time of all fits."""

    folds: tuple[Fold, ...]
    seconds: float


PEERS = (Peer("optbinning", "OptBinning, at most 8 bins"),)


def cross_validate_peer(peer: Peer, data: Dataset, fields: list[CardField], names: list[str], seed: int) -> PeerTrial:
    """Cross-validate on the folds of train/cross_validation.py; raises BenchError if the program fails."""
    folds = make_folds(data, seed)
    numbers = np.empty(len(data.y), dtype=np.int64)
    for number, rows in enumerate(folds):
        numbers[rows.measured] = number
    with TemporaryDirectory() as folder:
        table, answer = Path(folder, "table.npz"), Path(folder, "answer.npz")
        kinds = [field.kind for field in fields]
        np.savez(table, names=names, kinds=kinds, X=data.X, y=data.y, folds=numbers)
        command = [BUILD / peer.name / "bin" / "python", FOLDER / peer.name / "run.py", table, answer]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise BenchError(f"{peer.name} has failed: {ended.stderr}")
        found = np.load(answer)
        probability, seconds = found["probability"], float(found["seconds"])
    measured = tuple(measure_fold(data.take(rows.measured), probability[rows.measured]) for rows in folds)
    return PeerTrial(measured, seconds)
