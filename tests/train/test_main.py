"""python -m train: what a user types, sees and gets."""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.loading import load_model
from train.__main__ import main
from train.candidates import CANDIDATES
from train.card import CardField

WriteTable = Callable[..., Path]
TRAINING_SECONDS = 30
PAGES = {"report.html", "MODEL_CARD.md", "CHANGELOG.md"}
"""Of processor time, which neighbours on the machine change little."""


def fail(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must fail with exit code 2; its one line of error."""
    assert 2 == main(arguments)
    error = capsys.readouterr().err
    assert 1 == len(error.strip().splitlines())
    return error


def test_the_embedded_data_become_a_proven_artifact_within_30_seconds(credit_card: Path, tmp_path: Path) -> None:
    """One command in a fresh process trains on credit_data, proves the export and leaves it with its pages."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)

    done = subprocess.run(
        [sys.executable, "-m", "train", str(credit_card), "--out", str(tmp_path)], capture_output=True, text=True
    )

    assert 0 == done.returncode, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < TRAINING_SECONDS
    assert PAGES | {"model.onnx", "runs.jsonl"} == {path.name for path in tmp_path.iterdir()}
    for word in ("AUC", "Gini", "KS", "Brier", "calibration error", "Accept all", "Refuse all", "0 decisions differ"):
        assert word in done.stdout
    contract = load_model(tmp_path / "model.onnx").contract
    assert "boosting" == contract.training.estimator
    assert not {"Age", "Marital"} & {field.name for field in contract.fields}


def test_training_twice_gives_the_same_bytes(
    credit_card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same data, card, code and moment give the same artifact and the same pages, byte for byte."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for folder in ("one", "two"):
        assert 0 == main([str(credit_card), "--model", "boosting", "--out", str(tmp_path / folder)])

    names = PAGES | {"model.onnx"}
    one, two = ({name: (tmp_path / folder / name).read_bytes() for name in names} for folder in ("one", "two"))
    assert one == two


def test_training_again_leaves_the_changelog_as_it_is(
    write_table: WriteTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry only for other bytes; with another seed it goes on top."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    arguments = ["--data", str(write_table()), "--target", "outcome", "--model", "logistic", "--out", str(tmp_path)]
    entries = []
    for seed in ("0", "0", "1"):
        assert 0 == main([*arguments, "--seed", seed])
        entries.append((tmp_path / "CHANGELOG.md").read_text().count("\n## "))

    assert [1, 1, 2] == entries
    assert "changed since: the seed" in (tmp_path / "CHANGELOG.md").read_text()


def test_probabilities_that_are_none_stop_the_export(
    credit_card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A learner with class weights: one sentence with ratio, expectation and next step, and nothing but the runs."""

    def build_weighted(fields: list[CardField], seed: int) -> Any:
        return CANDIDATES["logistic"].estimator(fields, seed).set_params(class_weight="balanced")

    weighted = replace(CANDIDATES["logistic"], name="weighted", estimator=build_weighted, requires="sklearn")
    monkeypatch.setitem(CANDIDATES, "weighted", weighted)

    error = fail([str(credit_card), "--model", "weighted", "--out", str(tmp_path / "out")], capsys)

    assert "times the default rate, expected 0.95 to 1.05" in error
    assert "fit without class weights" in error
    assert ["runs.jsonl"] == [path.name for path in (tmp_path / "out").iterdir()]


def test_a_search_is_reproducible_and_records_every_run(
    write_table: WriteTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same seed gives the same settings and bytes; each run is a line with all it takes to repeat it."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    table = write_table(random=np.random.default_rng(0).normal(size=300))
    arguments = ["--data", str(table), "--target", "outcome", "--id", "number", "--model", "logistic", "--search", "6"]
    for folder in ("one", "two"):
        assert 0 == main([*arguments, "--out", str(tmp_path / folder)])

    printed = capsys.readouterr().out
    runs, again = (
        [json.loads(line) for line in (tmp_path / folder / "runs.jsonl").read_text().splitlines()]
        for folder in ("one", "two")
    )
    best = min(runs, key=lambda run: run["log_loss"])
    training = load_model(tmp_path / "one/model.onnx").contract.training
    assert (tmp_path / "one/model.onnx").read_bytes() == (tmp_path / "two/model.onnx").read_bytes()
    assert [(run["settings"], run["folds"]) for run in runs] == [(run["settings"], run["folds"]) for run in again]
    assert best["settings"] == training.settings != CANDIDATES["logistic"].settings
    assert "with the best of 6 runs" in printed
    assert str(tmp_path / "one/runs.jsonl") in printed
    assert CANDIDATES["logistic"].settings == runs[0]["settings"]
    assert 6 == len(runs)
    for run in runs:
        assert [5, 240, 0] == [len(run["folds"]), run["rows"], run["seed"]]
        assert run["log_loss"] == pytest.approx(np.mean([fold["log_loss"] for fold in run["folds"]]))
        assert run["seconds"] > 0
        assert runs[0]["training"] == run["training"]
        assert (hashlib.sha256(table.read_bytes()).hexdigest(), training.card_sha256, training.libraries) == (
            run["data_sha256"],
            run["card_sha256"],
            run["libraries"],
        )


def test_ctrl_c_before_anything_can_be_chosen_stops_without_a_model(
    write_table: WriteTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 130, as shells expect, and one line."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(CANDIDATES, "logistic", replace(CANDIDATES["logistic"], preprocess=interrupt))
    arguments = ["--data", str(write_table()), "--target", "outcome", "--out", str(tmp_path / "out")]

    assert 130 == main([*arguments, "--model", "logistic"])

    assert "interrupted: no model was written" in capsys.readouterr().err
    assert not (tmp_path / "out" / "model.onnx").exists()


@pytest.mark.parametrize(
    ("library", "options", "file"),
    [("optuna", ["--search", "2"], "requirements-search.txt"), ("mlflow", ["--mlflow"], "requirements-mlflow.txt")],
)
def test_an_extra_that_is_absent_is_named_with_its_file(
    library: str,
    options: list[str],
    file: str,
    write_table: WriteTable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    root: Path,
) -> None:
    """One sentence says what to install, before anything is fitted or written."""
    monkeypatch.setitem(sys.modules, library, None)
    arguments = ["--data", str(write_table()), "--target", "outcome", "--out", str(tmp_path / "out"), *options]

    assert f"{library} isn't installed; install it with: python -m pip install -r {file}" in fail(arguments, capsys)

    assert (root / file).exists()
    assert not (tmp_path / "out").exists()


def test_the_inferred_card_trains_the_same_model_again(write_table: WriteTable, tmp_path: Path) -> None:
    """What --data writes beside the model is a card that can be edited and trained from."""
    out = tmp_path / "out"
    assert 0 == main(["--data", str(write_table()), "--target", "outcome", "--id", "number", "--out", str(out)])
    first = load_model(out / "model.onnx").contract

    assert 0 == main([str(out / "loans.toml"), "--out", str(out)])

    again = load_model(out / "model.onnx").contract
    assert first.fields == again.fields
    assert first.metrics == again.metrics
    assert first.golden == again.golden


def test_an_edited_card_is_never_overwritten(
    write_table: WriteTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Inferring again beside a card that says something else stops before anything is written."""
    (tmp_path / "loans.toml").write_text("# my work of a week")
    arguments = ["--data", str(write_table()), "--target", "outcome", "--out", str(tmp_path)]

    assert "exists and says something else" in fail(arguments, capsys)

    assert "# my work of a week" == (tmp_path / "loans.toml").read_text()
    assert not (tmp_path / "model.onnx").exists()


BROKEN: list[tuple[dict[str, object], list[str], str]] = [
    ({"outcome": None}, [], "has no column 'outcome'"),
    ({"number": None}, [], "has no column 'number'"),
    ({"outcome": 1}, [], "has 1 different values ('1'), expected two"),
    ({"outcome": [0, 1, 2] * 100}, [], "has 3 different values"),
    ({"outcome": [None, *([0, 1] * 149), 0]}, [], "is empty in line 2"),
    ({"outcome": ["a", "b"] * 150}, [], "isn't plain which of them means default"),
    ({"outcome": ["a", "b"] * 150}, ["--default", "c"], "which the card calls default"),
    ({"outcome": [1] * 5 + [0] * 295}, [], "has 5 defaults in 300 rows"),
    ({"income": None, "amount": None, "home": None, "is_client": None}, [], "at least one input"),
    ({"amount": [None] * 300}, [], "is empty in all 300 rows"),
    ({"number": 17}, [], "is '17' in line 3"),
    ({"amount": [1.5] + [None] * 299, "income": None, "home": None, "is_client": None}, [], "at least one input"),
]


@pytest.mark.parametrize(("columns", "options", "message"), BROKEN, ids=[row[2] for row in BROKEN])
def test_a_table_that_cant_be_used_gets_one_sentence_and_no_artifact(
    columns: dict[str, object],
    options: list[str],
    message: str,
    write_table: WriteTable,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2, one line that says what is wrong, and nothing written, not even half of it."""
    out = tmp_path / "out"
    arguments = ["--data", str(write_table(**columns)), "--target", "outcome", "--id", "number", "--out", str(out)]

    assert message in fail([*arguments, *options], capsys)

    assert not out.exists()


def test_paths_that_lead_nowhere_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong card or table is named together with what to do."""
    assert "can't read the card nowhere.toml" in fail(["nowhere.toml"], capsys)
    assert "can't read the table nowhere.csv" in fail(["--data", "nowhere.csv", "--target", "y"], capsys)


def test_a_folder_that_cant_be_written_leaves_nothing_behind(
    write_table: WriteTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--out naming a file is one sentence, and the file stays as it was."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")

    assert "choose another folder with --out" in fail(
        ["--data", str(write_table()), "--target", "outcome", "--out", str(blocked)], capsys
    )

    assert "not a folder" == blocked.read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.toml", "--data", "b.csv"],
        ["--data", "b.csv"],
        ["a.toml", "--target", "y"],
        ["a.toml", "--model", "svm"],
        ["a.toml", "--search", "0"],
        ["a.toml", "--search", "many"],
        ["a.toml", "--time-limit", "5"],
        ["a.toml", "--search", "2", "--time-limit", "-1"],
        ["a.toml", "--search", "2", "--time-limit", "nan"],
    ],
)
def test_a_command_that_makes_no_sense_is_refused_with_its_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """argparse's own exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: python -m train" in capsys.readouterr().err
