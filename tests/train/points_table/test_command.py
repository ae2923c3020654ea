"""`python -m train scorecard`: the files of a points table from a model file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from train import __main__ as command
from train.card import read_card
from train.points_table.files import NAMES
from train.report.recalibrated import NO_TABLE


def test_the_files_are_written_beside_the_model(tmp_path: Path, scorecard_content: bytes) -> None:
    """And to another folder, for another table."""
    path = tmp_path / "model.onnx"
    path.write_bytes(scorecard_content)

    assert command.main(["scorecard", str(path)]) == 0
    assert command.main(["scorecard", str(path), "--out", str(tmp_path / "there"), "--table", "loans"]) == 0

    for folder in (tmp_path, tmp_path / "there"):
        assert {name for name in NAMES if (folder / name).stat().st_size} == set(NAMES)
    assert 'FROM "applicants" AS a' in (tmp_path / "scorecard.sql").read_text()
    assert 'FROM "loans" AS a' in (tmp_path / "there" / "scorecard.sql").read_text()


def test_another_model_has_no_points_table(loans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The error says what it is, and what has one."""
    assert command.main(["scorecard", str(loans / "model.onnx")]) == 2

    told = capsys.readouterr().err
    assert "model.onnx is no scorecard but a logistic; expected a model trained with" in " ".join(told.split())
    assert not (loans / "scorecard.csv").exists()


def test_a_recalibrated_scorecard_has_no_points_table(
    tmp_path: Path, credit_card: Path, scorecard_content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of the parent in its folder are removed, which is told; `train scorecard` says why it writes none."""
    path = tmp_path / "model.onnx"
    path.write_bytes(scorecard_content)
    assert command.main(["scorecard", str(path)]) == 0
    card = read_card(credit_card)
    later = pd.read_csv(credit_card.parent / card.dataset.path).iloc[1_500:]
    later.loc[later.index % 4 == 0, card.dataset.target] = "bad"
    later.to_csv(tmp_path / "later.csv", index=False)
    outcomes = ("--data", f"{tmp_path}/later.csv", "--target", card.dataset.target, "--default", "bad")

    assert command.main(["recalibrate", "--model", str(path), *outcomes, "--out", str(tmp_path)]) == 0

    told = " ".join(capsys.readouterr().out.split())
    assert f"note: {NO_TABLE}" in told
    assert "note: removed scorecard.html, scorecard.csv, scorecard.sql, scorecard.xlsx of an earlier scorecard" in told
    assert [name for name in NAMES if (tmp_path / name).exists()] == []
    assert command.main(["scorecard", str(path)]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "was a scorecard before its recalibration, which isn't in whole points; expected a model trained" in told


def test_a_file_that_is_no_model_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As everywhere."""
    (tmp_path / "model.onnx").write_bytes(b"")

    assert command.main(["scorecard", str(tmp_path / "model.onnx")]) == 2
    assert "can't be read" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", " ", "main.", "a..b", "scorecard_bins", "SCORECARD_points"])
def test_a_table_that_the_sql_cannot_read_is_refused(
    tmp_path: Path, scorecard_content: bytes, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """No name, or the name of one of the file's own queries."""
    (tmp_path / "model.onnx").write_bytes(scorecard_content)

    assert command.main(["scorecard", str(tmp_path / "model.onnx"), "--table", name]) == 2
    assert f"--table is {name!r}" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "scorecard.sql").exists()
