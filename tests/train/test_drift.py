"""python -m train drift: output, page and exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import small_table
from train.__main__ import main

WriteTable = Callable[..., Path]


def run(folder: Path, table: Path, *options: str) -> int:
    """The exit code of the command."""
    return main(["drift", str(table), "--model", str(folder / "model.onnx"), "--out", str(table.parent), *options])


def test_the_same_population_is_stable(
    loans: Path, write_table: WriteTable, capsys: pytest.CaptureFixture[str]
) -> None:
    """No shift is reported, the exit code is 0 also with --gate, and the page is written."""
    table = write_table(400)

    assert run(loans, table, "--gate") == 0

    assert "No moderate or significant shift beyond sampling noise" in capsys.readouterr().out
    assert "tability index" in (table.parent / "drift.html").read_text()


@pytest.mark.usefixtures("with_plots")
def test_a_shifted_field_is_named_and_fails_the_gate(
    loans: Path, write_table: WriteTable, capsys: pytest.CaptureFixture[str]
) -> None:
    """Doubled incomes and an unknown home are named; the exit code is 1 only with --gate."""
    frame = small_table(400)
    table = write_table(400, income=frame.income * 2, home=["castle"] * 400, outcome=None)

    assert run(loans, table) == 0
    assert run(loans, table, "--gate") == 1

    printed = capsys.readouterr().out.replace("Probability of default, ", "")
    assert "Significant shift: income, home" in printed
    assert "unknown level" in (table.parent / "drift.html").read_text()


def test_too_few_rows_are_reported(loans: Path, write_table: WriteTable, capsys: pytest.CaptureFixture[str]) -> None:
    """The noise of 30 rows is larger than a moderate shift."""
    assert run(loans, write_table(30), "--gate") == 0

    assert "30 rows are too few to detect" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("columns", "message"),
    [({"income": None}, "has no column 'income'"), ({"amount": ["much"] * 300}, "expected a number, got 'much'")],
)
def test_a_table_that_doesnt_fit_the_model_is_refused(
    columns: dict[str, object], message: str, loans: Path, write_table: WriteTable, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and no page is written."""
    table = write_table(**columns)

    assert run(loans, table) == 2

    assert message in capsys.readouterr().err
    assert not (table.parent / "drift.html").exists()


def test_a_file_that_is_no_model_is_refused(
    write_table: WriteTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another file, and a path that doesn't exist: exit code 2."""
    table = write_table()
    (tmp_path / "model.onnx").write_bytes(b"nothing")

    assert run(tmp_path, table) == 2
    assert run(tmp_path / "nowhere", table) == 2

    error = capsys.readouterr().err
    assert "ends without its checksum" in error
    assert "can't read the model file" in error


def test_a_scorecard_of_few_points_is_stable_on_its_training_rows(
    write_table: WriteTable, capsys: pytest.CaptureFixture[str]
) -> None:
    """Though scorecards of other rows, which predict the training rows out of sample, have other totals of points."""
    table = write_table(800, income=None, amount=None)
    data = ("--data", str(table), "--target", "outcome", "--id", "number", "--model", "scorecard")

    assert main([*data, "--out", str(table.parent)]) == 0
    trained = capsys.readouterr().out
    assert run(table.parent, table, "--gate") == 0

    assert "Pass    Stability." in trained
    assert "Probability of default │ 0.000 (0.000" in capsys.readouterr().out
    assert "are this scorecard's own" in (table.parent / "report.html").read_text()
