"""The record of every trial (cross_validation.py), with all facts needed to repeat it; MLflow calls a record a run.

A trial is recorded as soon as it is finished: a line of JSON in runs.jsonl beside the model, or a run in an MLflow
store (mlflow_store.py). Lines are only appended. Scripts read them, so that fields may be added but not renamed.
"""

from __future__ import annotations

import fcntl
import importlib
import os
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from train.candidates import Hyperparameters
from train.cross_validation import Fold, Trial
from train.errors import TrainingError
from train.provenance import Origin


class Run(Struct, frozen=True):
    """The record of one trial.

    training: id of the command that made it. started: UTC, ISO 8601. log_loss, auc: means of the folds, which are the
    first ones only if the trial isn't complete: it lost a race, or had no time left.
    """

    training: str
    started: str
    seconds: float
    dataset: str
    candidate: str
    settings: Hyperparameters
    seed: int
    folds: tuple[Fold, ...]
    log_loss: float
    auc: float
    rows: int
    data_sha256: str
    card_sha256: str
    commit: str
    libraries: dict[str, str]
    is_complete: bool = True


class RunLog(Protocol):
    """Where trials are recorded; `location` is a path or URI."""

    @property
    def location(self) -> str: ...

    def record(self, run: Run) -> None:
        """Record a run; raises TrainingError if it can't be written."""


@dataclass(frozen=True, slots=True)
class JsonLinesLog:
    """A file with one JSON object per line."""

    path: Path

    @property
    def location(self) -> str:
        """The path of the file."""
        return str(self.path)

    def record(self, run: Run) -> None:
        """Append a line in one write and sync it; a line truncated by a crash is terminated first."""
        line = msgspec.json.encode(run) + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+", buffering=0) as file:
                # Exclusive until the file is closed: a line that another process is writing would look truncated.
                fcntl.flock(file, fcntl.LOCK_EX)
                if (end := file.seek(0, os.SEEK_END)) and os.pread(file.fileno(), 1, end - 1) != b"\n":
                    line = b"\n" + line
                file.write(line)
                os.fsync(file.fileno())
        except OSError as error:
            raise TrainingError(
                f"can't write {self.path}: {error.strerror}; choose another folder with --out"
            ) from error


@dataclass(frozen=True, slots=True)
class RunContext:
    """The facts that all runs of one command share."""

    dataset: str
    rows: int
    seed: int
    data_sha256: str
    card_sha256: str
    origin: Origin
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def make_run(self, trial: Trial) -> Run:
        """The record of a trial that has just finished."""
        started = datetime.now(UTC) - timedelta(seconds=trial.seconds)
        library = trial.candidate.requires
        versions = {library: str(importlib.import_module(library).__version__)} if library else {}
        return Run(
            training=self.id,
            started=started.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            seconds=round(trial.seconds, 3),
            dataset=self.dataset,
            candidate=trial.candidate.name,
            settings=trial.settings,
            seed=self.seed,
            folds=trial.folds,
            log_loss=trial.log_loss,
            auc=trial.auc,
            rows=self.rows,
            data_sha256=self.data_sha256,
            card_sha256=self.card_sha256,
            commit=self.origin.commit,
            libraries=self.origin.libraries | versions,
            is_complete=trial.is_complete,
        )
