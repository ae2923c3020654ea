"""python -m train: output, files and exit code."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from rich.table import Table as Grid

from model.loading import load_model
from tests.conftest import small_table
from train import __main__ as command
from train.__main__ import main
from train.candidates import CANDIDATES
from train.card import CardField
from train.report import documents

WriteTable = Callable[..., Path]
MAX_CPU_SECONDS = 30
DOCUMENTS = {"report.html", "MODEL_CARD.md", "CHANGELOG.md"}


def fail(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must fail with exit code 2 and one line of error, which is returned."""
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert len(error.strip().splitlines()) == 1
    return error


def test_credit_data_gives_a_checked_model_file_within_30_seconds(credit_card: Path, tmp_path: Path) -> None:
    """One command in a new process writes the model with its documents; the seconds are CPU time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)

    done = subprocess.run(
        [sys.executable, "-m", "train", str(credit_card), "--out", str(tmp_path)], capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < MAX_CPU_SECONDS
    assert {path.name for path in tmp_path.iterdir()} == DOCUMENTS | {"model.onnx", "runs.jsonl"}
    for word in ("AUC", "Gini", "KS", "Brier", "calibration error", "Accept all", "refuse all", "0 decisions differ"):
        assert word in done.stdout
    assert f"{(tmp_path / 'model.onnx').stat().st_size / 1024:,.0f} KiB" in done.stdout
    contract = load_model(tmp_path / "model.onnx").contract
    assert contract.training.estimator == "boosting"
    assert not {"Age", "Marital"} & {field.name for field in contract.fields}


def test_brackets_in_a_path_are_no_markup(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """They are printed as they are, in tables too."""
    grid = Grid("[a]")
    grid.add_row("[/b]")

    def show(_: object, console: Console) -> int:
        console.print("Wrote /data/[/old]/[bold]model.onnx")
        console.print(grid)
        return 0

    monkeypatch.setattr(command, "run", show)

    assert command.main(["--data", "loans.csv", "--target", "outcome"]) == 0
    shown = capsys.readouterr().out
    assert "Wrote /data/[/old]/[bold]model.onnx\n" in shown
    assert "[a]" in shown
    assert "[/b]" in shown


def test_training_again_from_the_inferred_card_gives_the_same_bytes(
    write_table: WriteTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same data, card, code and time give the same model and documents, byte for byte; the command is printed."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    boosting = CANDIDATES["boosting"]
    short = replace(boosting, settings=boosting.settings | {"max_iter": 40}, race=boosting.race[:3], nearby=())
    monkeypatch.setitem(CANDIDATES, "boosting", short)
    data = ["--data", str(write_table()), "--target", "outcome", "--id", "number"]
    first, second = tmp_path / "first", tmp_path / "second"

    assert main([*data, "--model", "boosting", "--out", str(first)]) == 0
    again = f"then: python -m train {first}/loans.toml --model boosting --out {first}\n"
    assert again in capsys.readouterr().out
    assert main([str(first / "loans.toml"), "--model", "boosting", "--out", str(second)]) == 0

    for name in DOCUMENTS | {"model.onnx"}:
        assert (second / name).read_bytes() == (first / name).read_bytes(), name


def test_the_changelog_gets_an_entry_only_for_another_model(
    write_table: WriteTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same training again adds none, another seed adds one."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    monkeypatch.setattr(documents, "render_report", lambda findings: b"")
    arguments = ["--data", str(write_table()), "--target", "outcome", "--model", "logistic", "--out", str(tmp_path)]
    entries = []
    for seed in ("0", "0", "1"):
        assert main([*arguments, "--seed", seed]) == 0
        entries.append((tmp_path / "CHANGELOG.md").read_text().count("\n## "))

    assert entries == [1, 1, 2]
    assert "; changed: seed" in (tmp_path / "CHANGELOG.md").read_text()


def test_a_break_in_time_is_rejected_and_a_random_hold_out_does_not_see_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twice the defaults in the last of five years: the error says where it fails and why, the report is written aside.

    Without the times the same table passes, and the rejected model is removed.
    """
    table = small_table(4_000)
    table["applied"] = 2001 + np.arange(len(table)) // 800
    later = table["applied"] == 2005
    table.loc[later & (np.arange(len(table)) % 3 == 0), "outcome"] = 1
    table.to_csv(tmp_path / "loans.csv", index=False)
    (tmp_path / "out").mkdir()
    arguments = ["--data", str(tmp_path / "loans.csv"), "--target", "outcome", "--id", "number"]
    arguments += ["--model", "logistic", "--out", str(tmp_path / "out")]

    rejected = main([*arguments, "--time", "applied"])
    output, error = capsys.readouterr()
    written = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    page = (tmp_path / "out" / "rejected" / "report.html").read_text()
    (tmp_path / "out" / "loans.toml").unlink()
    code = main([*arguments])

    assert rejected == 2
    assert re.search("hold-out, newest 800 rows.*\n.*since 2005-01-01", output)
    assert len(error.strip().splitlines()) == 1
    assert "out of time, on the newest 800 rows, since 2005-01-01, the mean predicted probability is 0." in error
    assert "no input has shifted beyond noise" in error
    assert written == {
        "runs.jsonl",
        "loans.toml",
        *(f"rejected/{name}" for name in DOCUMENTS - {"CHANGELOG.md"} | {"model.onnx"}),
    }
    assert "Not recommended for use: " in page
    assert code == 0
    assert not (tmp_path / "out" / "rejected").exists()
    assert (tmp_path / "out" / "model.onnx").exists()


def test_probabilities_of_class_weights_are_corrected_in_the_graph(
    write_table: WriteTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line is told, and in the file; the export was compared with the corrected model before it was written."""

    def build_weighted(fields: list[CardField], seed: int) -> Any:
        return CANDIDATES["logistic"].estimator(fields, seed).set_params(class_weight="balanced")

    weighted = replace(CANDIDATES["logistic"], name="weighted", estimator=build_weighted, requires="sklearn")
    monkeypatch.setitem(CANDIDATES, "weighted", weighted)
    data = ["--data", str(write_table()), "--target", "outcome", "--id", "number"]

    assert main([*data, "--model", "weighted", "--out", str(tmp_path / "out")]) == 0

    contract = load_model(tmp_path / "out" / "model.onnx").contract
    assert contract.training.correction is not None
    intercept, slope = contract.training.correction
    assert intercept < 0 < slope
    assert f"Corrected: log-odds = intercept {intercept:.3f}" in capsys.readouterr().out


def test_ctrl_c_before_a_choice_stops_without_a_model(
    write_table: WriteTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 130 and one line of error."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(CANDIDATES, "logistic", replace(CANDIDATES["logistic"], preprocess=interrupt))
    arguments = ["--data", str(write_table()), "--target", "outcome", "--out", str(tmp_path / "out")]

    assert main([*arguments, "--model", "logistic"]) == 130

    assert "interrupted: no model was written" in capsys.readouterr().err
    assert not (tmp_path / "out" / "model.onnx").exists()


@pytest.mark.parametrize(
    ("library", "options", "file"),
    [("optuna", ["--search", "2"], "requirements/search.txt"), ("mlflow", ["--mlflow"], "requirements/mlflow.txt")],
)
def test_a_missing_optional_library_is_named_with_its_requirements_file(
    library: str,
    options: list[str],
    file: str,
    write_table: WriteTable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    root: Path,
) -> None:
    """Before anything is fitted or written."""
    monkeypatch.setitem(sys.modules, library, None)
    arguments = ["--data", str(write_table()), "--target", "outcome", "--out", str(tmp_path / "out"), *options]

    assert f"{library} isn't installed; install it with: python -m pip install -r {file}" in fail(arguments, capsys)

    assert (root / file).exists()
    assert not (tmp_path / "out").exists()


def test_an_edited_card_is_never_overwritten(
    write_table: WriteTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """If the file differs from the inferred card, training stops before anything is written."""
    (tmp_path / "loans.toml").write_text("# edited")
    arguments = ["--data", str(write_table()), "--target", "outcome", "--out", str(tmp_path)]

    assert "exists and differs from the inferred card" in fail(arguments, capsys)

    assert (tmp_path / "loans.toml").read_text() == "# edited"
    assert not (tmp_path / "model.onnx").exists()


BROKEN: list[tuple[dict[str, object], list[str], str]] = [
    ({"outcome": None}, [], "has no column 'outcome'"),
    ({"number": None}, [], "has no column 'number'"),
    ({"outcome": 1}, [], "has 1 distinct values ('1' (300)), expected two"),
    ({"outcome": [0, 1, 2] * 100}, [], "has 3 distinct values"),
    ({"outcome": [None, *([0, 1] * 149), 0]}, [], "is missing in 1 of 300 rows"),
    ({"outcome": ["a", "b"] * 150}, [], "which of them means default can't be told"),
    ({"outcome": ["a", "b"] * 150}, ["--default", "c"], "the value for default"),
    ({"outcome": [1] * 5 + [0] * 295}, [], "has 5 defaults in 300 rows"),
    ({"income": None, "amount": None, "home": None, "is_client": None}, [], "at least one input"),
    ({"number": 17}, [], "is '17' in line 3"),
    ({"amount": [1.5] + [None] * 299, "income": None, "home": None, "is_client": None}, [], "at least one input"),
]


@pytest.mark.parametrize(("columns", "options", "message"), BROKEN, ids=[row[2] for row in BROKEN])
def test_an_invalid_table_is_refused(
    columns: dict[str, object],
    options: list[str],
    message: str,
    write_table: WriteTable,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line of error names the fault, and nothing is written."""
    out = tmp_path / "out"
    arguments = ["--data", str(write_table(**columns)), "--target", "outcome", "--id", "number", "--out", str(out)]

    assert message in fail([*arguments, *options], capsys)

    assert not out.exists()


def test_a_missing_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A card and a table."""
    assert "can't read the card nowhere.toml" in fail(["nowhere.toml"], capsys)
    assert "can't read the table nowhere.csv" in fail(["--data", "nowhere.csv", "--target", "y"], capsys)


def test_an_output_folder_that_cant_be_written_is_refused(
    write_table: WriteTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that --out names is left unchanged."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")

    assert "choose another folder with --out" in fail(
        ["--data", str(write_table()), "--target", "outcome", "--out", str(blocked)], capsys
    )

    assert blocked.read_text() == "not a folder"


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
        ["a.toml", "--time-limit", "-1"],
        ["a.toml", "--search", "2", "--time-limit", "nan"],
        ["a.toml", "--seed", "-1"],
        ["a.toml", "--seed", "4294967296"],
    ],
)
def test_an_invalid_command_line_is_refused_with_the_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing, contradicting and invalid options: exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: python -m train" in capsys.readouterr().err
