"""The record of runs."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from train.candidates import CANDIDATES
from train.cross_validation import Fold, Trial
from train.errors import TrainingError
from train.provenance import Origin
from train.runs import JsonLinesLog, Run, RunContext

TRIAL = Trial(CANDIDATES["logistic"], {"C": 0.5}, (Fold(0.4, 0.8), Fold(0.5, 0.9)), seconds=1.25)
CONTEXT = RunContext("loans", 240, 3, "data", "card", Origin("commit", "2026-01-01T00:00:00Z", {"numpy": "2"}))


@pytest.fixture
def run() -> Run:
    """A run of logistic regression."""
    return CONTEXT.make_run(TRIAL)


def test_a_run_holds_all_facts_needed_to_repeat_it(run: Run, tmp_path: Path) -> None:
    """One line of JSON."""
    JsonLinesLog(tmp_path / "runs.jsonl").record(run)

    written = json.loads((tmp_path / "runs.jsonl").read_text())
    assert written.pop("training") == run.training
    assert written.pop("started") == run.started
    assert written == {
        "seconds": 1.25,
        "dataset": "loans",
        "candidate": "logistic",
        "settings": {"C": 0.5},
        "seed": 3,
        "folds": [{"log_loss": 0.4, "auc": 0.8}, {"log_loss": 0.5, "auc": 0.9}],
        "log_loss": pytest.approx(0.45),
        "auc": pytest.approx(0.85),
        "rows": 240,
        "data_sha256": "data",
        "card_sha256": "card",
        "commit": "commit",
        "libraries": {"numpy": "2"},
        "is_complete": True,
    }


def test_runs_are_appended_after_a_truncated_line(run: Run, tmp_path: Path) -> None:
    """A line truncated by a crash doesn't spoil the next one."""
    path = tmp_path / "new" / "runs.jsonl"
    log = JsonLinesLog(path)
    log.record(run)
    with path.open("a") as file:
        file.write('{"training": "truncat')
    log.record(run)
    log.record(run)

    lines = path.read_text().splitlines()
    assert len(lines) == 4
    assert json.loads(lines[0]) == json.loads(lines[2]) == json.loads(lines[3])


def test_concurrent_trainings_write_whole_lines(run: Run, tmp_path: Path) -> None:
    """Eight threads append 80 lines."""
    log = JsonLinesLog(tmp_path / "runs.jsonl")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: log.record(run), range(80)))

    assert [json.loads(line)["training"] for line in log.path.read_text().splitlines()] == [run.training] * 80


def test_a_folder_that_cant_be_written_is_reported(run: Run, tmp_path: Path) -> None:
    """The message names --out."""
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(TrainingError, match=r"runs\.jsonl.*choose another folder with --out"):
        JsonLinesLog(tmp_path / "file" / "runs.jsonl").record(run)
