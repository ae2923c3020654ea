"""The record of runs."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from train.candidates import CANDIDATES
from train.choose import Fold, Trial
from train.errors import TrainingError
from train.provenance import Origin
from train.runs import Context, JsonLines, Run

TRIAL = Trial(CANDIDATES["logistic"], {"C": 0.5}, (Fold(0.4, 0.8), Fold(0.5, 0.9)), seconds=1.25)
CONTEXT = Context("loans", 240, 3, "data", "card", Origin("commit", "2026-01-01T00:00:00Z", {"numpy": "2"}))


@pytest.fixture
def run() -> Run:
    """A run of logistic regression."""
    return CONTEXT.describe(TRIAL)


def test_a_run_says_all_it_takes_to_repeat_it(run: Run, tmp_path: Path) -> None:
    """As JSON that any tool reads."""
    JsonLines(tmp_path / "runs.jsonl").record(run)

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
    }


def test_a_candidate_of_another_library_names_its_version() -> None:
    """Beside the versions that every model has."""
    trial = replace(TRIAL, candidate=CANDIDATES["lightgbm"])

    assert {"numpy", "lightgbm"} == CONTEXT.describe(trial).libraries.keys()


def test_runs_are_added_and_a_line_cut_short_is_closed(run: Run, tmp_path: Path) -> None:
    """What a crash left behind spoils its own line only."""
    path = tmp_path / "new" / "runs.jsonl"
    log = JsonLines(path)
    log.record(run)
    with path.open("a") as file:
        file.write('{"training": "cut sho')
    log.record(run)
    log.record(run)

    lines = path.read_text().splitlines()
    assert 4 == len(lines)
    assert json.loads(lines[0]) == json.loads(lines[2]) == json.loads(lines[3])


def test_trainings_side_by_side_dont_tear_each_others_lines(run: Run, tmp_path: Path) -> None:
    """Each line is one write to a file opened for appending."""
    log = JsonLines(tmp_path / "runs.jsonl")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: log.record(run), range(80)))

    assert [run.training] * 80 == [json.loads(line)["training"] for line in log.path.read_text().splitlines()]


def test_a_folder_that_cant_be_written_is_named(run: Run, tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / "file").write_text("not a folder")

    with pytest.raises(TrainingError, match=r"runs\.jsonl.*choose another folder with --out"):
        JsonLines(tmp_path / "file" / "runs.jsonl").record(run)
