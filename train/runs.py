"""The record of every run: one candidate with some settings on the folds, and all it takes to repeat it.

A run is recorded as soon as it is finished, one line of JSON in runs.jsonl beside the model, or a run in
an MLflow store (train/mlflow_store.py). Lines are only ever added; people and scripts read them, so that a
field may be added but none renamed.
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

from train.candidates import Settings
from train.choose import Fold, Trial
from train.errors import TrainingError
from train.provenance import Origin


class Run(Struct, frozen=True):
    """One run. `training`: the same for all runs of one command. `started`: UTC, ISO 8601; log_loss, auc: means."""

    training: str
    started: str
    seconds: float
    dataset: str
    candidate: str
    settings: Settings
    seed: int
    folds: tuple[Fold, ...]
    log_loss: float
    auc: float
    rows: int
    data_sha256: str
    card_sha256: str
    commit: str
    libraries: dict[str, str]


class RunLog(Protocol):
    """Where runs are recorded; `place` names it for people."""

    @property
    def place(self) -> str: ...

    def record(self, run: Run) -> None:
        """Keep a run; raises TrainingError if it can't be written."""


@dataclass(frozen=True, slots=True)
class JsonLines:
    """A file with one JSON object a line."""

    path: Path

    @property
    def place(self) -> str:
        """The path of the file."""
        return str(self.path)

    def record(self, run: Run) -> None:
        """Add a line in one write, on disk when this returns; one cut short by a crash is closed first."""
        line = msgspec.json.encode(run) + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+", buffering=0) as file:
                # Alone until the file is closed: the end of a line that another is writing would look cut short.
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
class Context:
    """What all runs of one command have in common."""

    dataset: str
    rows: int
    seed: int
    data_sha256: str
    card_sha256: str
    origin: Origin
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    def describe(self, trial: Trial) -> Run:
        """The record of a trial that has just been finished."""
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
        )
