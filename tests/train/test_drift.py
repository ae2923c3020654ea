"""python -m train drift: what a user types, sees and gets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import small_table
from train.__main__ import main

WriteTable = Callable[..., Path]
ROWS = 1500


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of the small table."""
    folder = tmp_path_factory.mktemp("drift")
    table = folder / "loans.csv"
    small_table(ROWS).to_csv(table, index=False)
    arguments = ["--data", str(table), "--target", "outcome", "--id", "number", "--model", "logistic"]
    assert 0 == main([*arguments, "--out", str(folder)])
    return folder


def run(folder: Path, table: Path, *options: str) -> int:
    """The exit code of the command."""
    return main(["drift", str(table), "--model", str(folder / "model.onnx"), "--out", str(table.parent), *options])


def test_the_same_population_has_not_moved(
    folder: Path, write_table: WriteTable, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing beyond noise, exit code 0 also with --gate, and a page."""
    table = write_table(400)

    assert 0 == run(folder, table, "--gate")

    assert "Nothing moved beyond noise" in capsys.readouterr().out
    assert "Stability index" in (table.parent / "drift.html").read_text()


def test_what_moved_is_named_and_stops_a_gate(
    folder: Path, write_table: WriteTable, capsys: pytest.CaptureFixture[str]
) -> None:
    """An income that doubled and a home nobody knows; only --gate makes it a failure."""
    frame = small_table(400)
    table = write_table(400, income=frame.income * 2, home=["castle"] * 400, outcome=None)

    assert 0 == run(folder, table)
    assert 1 == run(folder, table, "--gate")

    assert "Moved: income, home" in capsys.readouterr().out.replace("Probability of default, ", "")
    assert "unknown level" in (table.parent / "drift.html").read_text()


def test_few_rows_are_called_too_few(folder: Path, write_table: WriteTable, capsys: pytest.CaptureFixture[str]) -> None:
    """Thirty applicants can't show a tenth."""
    assert 0 == run(folder, write_table(30), "--gate")

    assert "30 rows are too few to tell" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("columns", "message"),
    [({"income": None}, "has no column 'income'"), ({"amount": ["much"] * 300}, "is 'much' in line 2")],
)
def test_a_table_that_cant_be_compared_is_one_sentence(
    columns: dict[str, object], message: str, folder: Path, write_table: WriteTable, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and no page."""
    table = write_table(**columns)

    assert 2 == run(folder, table)

    assert message in capsys.readouterr().err
    assert not (table.parent / "drift.html").exists()


def test_a_model_without_bins_or_without_a_file_says_what_to_do(
    folder: Path, root: Path, write_table: WriteTable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong path, a file that is no model."""
    table = write_table()
    (tmp_path / "model.onnx").write_bytes(b"nothing")

    assert 2 == run(tmp_path, table)
    assert 2 == run(tmp_path / "nowhere", table)

    error = capsys.readouterr().err
    assert "ends without its checksum" in error
    assert "can't read the model file" in error
