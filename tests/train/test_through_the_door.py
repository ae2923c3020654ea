"""Every command on a table of accepted and rejected applicants: only the accepted count, and the report says so."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.loading import load_model
from tests.conftest import small_table
from tests.train.conftest import train_without_report
from train.__main__ import main

ROLES = ("--target", "outcome", "--id", "number", "--model", "logistic")

N_ROWS = 1_500


def make_door() -> pd.DataFrame:
    """Nobody with an income below 30 was accepted, nor everybody else; the rejected have no outcome."""
    table, random = small_table(N_ROWS), np.random.default_rng(3)
    is_accepted = ~(table["income"] < 30) & (random.random(N_ROWS) < 0.9)
    table["approved"] = np.where(is_accepted, "yes", "no")
    table["outcome"] = np.where(is_accepted, table["outcome"].map({0: "good", 1: "bad"}), "")
    table["month"] = [str(np.datetime64("2015-01") + place % 48) for place in range(N_ROWS)]
    table["person"] = random.integers(0, 4_000, N_ROWS)
    table["stands_for"] = random.integers(1, 4, N_ROWS)
    return table


OTHERS = ("--ignore", "month", "--ignore", "person", "--ignore", "stands_for")


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with door.csv, accepted.csv of its accepted rows, and a model of each: in all/ and in accepted/."""
    folder = tmp_path_factory.mktemp("door")
    table = make_door()
    table.to_csv(folder / "door.csv", index=False)
    table[table["approved"] == "yes"].drop(columns="approved").to_csv(folder / "accepted.csv", index=False)
    data = ("--data", str(folder / "door.csv"), *ROLES, *OTHERS, "--accepted", "approved")
    assert main([*data, "--out", str(folder / "all")]) == 0
    alone = ("--data", str(folder / "accepted.csv"), *ROLES, *OTHERS)
    assert main([*alone, "--out", str(folder / "accepted")]) == 0
    return folder


def test_the_model_is_that_of_the_accepted_alone(door: Path) -> None:
    """The rejected change nothing of it; its file says which column told."""
    model, other = (load_model(door / name / "model.onnx") for name in ("all", "accepted"))
    rows = np.array([[50.0, 20.0, 1.0, 0.0], [np.nan, 3.0, 2.0, 1.0], [12.0, 44.0, 0.0, 1.0]])

    np.testing.assert_array_equal(model.score(rows).probability, other.score(rows).probability)
    training = model.contract.training
    assert (training.accepted, training.accepted_value) == ("approved", "yes")
    assert (training.rows, training.holdout_rows) == (
        other.contract.training.rows,
        other.contract.training.holdout_rows,
    )


def test_the_documents_say_what_the_rejected_leave_open(door: Path) -> None:
    """Extrapolation, bounds and sensitivity, with a check to be reviewed; the column is told as what it is."""
    page, card = ((door / "all" / name).read_text() for name in ("report.html", "MODEL_CARD.md"))

    assert re.search(r'<li class="review"><span class="result">Review</span><b>Rejected applicants</b>', page)
    for title in ("Extrapolation", "Bounds", "Sensitivity"):
        assert f"<h3>{title}</h3>" in page
    assert re.search(r"<td>income</td><td>\d+\.\d%</td><td>≤ ", page)
    assert "Who was accepted: only they are fitted and measured on." in page
    assert re.search(r"The table has \d+ rejected applicants too", card)


def test_a_report_without_rejected_applicants_says_how_to_have_them(door: Path) -> None:
    """And has no check of them."""
    page = (door / "accepted" / "report.html").read_text()

    assert "Not assessed: the table has no rejected applicants" in page
    assert "<b>Rejected applicants</b>" not in page


def test_later_commands_find_the_accepted_again(door: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The model's file tells them, so that its hold-out is found, and a comparison needs no option."""
    one, other, data = str(door / "all" / "model.onnx"), str(door / "accepted" / "model.onnx"), str(door / "door.csv")
    held = load_model(Path(one)).contract.training.holdout_rows
    table = ("--data", data, "--target", "outcome")

    assert main(["evaluate", one, *table, "--out", str(tmp_path)]) == 0
    assert main(["compare", one, other, *table]) == 0
    assert main(["drift", data, "--model", one, "--out", str(tmp_path)]) == 0

    output = capsys.readouterr().out
    assert output.count("Accepted: ") == 3
    assert output.count(f"On {held:,} ") == 2


def test_it_works_with_times_weights_groups_and_segments(door: Path, tmp_path: Path) -> None:
    """All of them at once."""
    roles = ("--time", "month", "--weight", "stands_for", "--group", "person", "--segment", "home")
    train_without_report(
        "--data", str(door / "door.csv"), *ROLES, *roles, "--accepted", "approved", "--out", str(tmp_path)
    )

    training = load_model(tmp_path / "model.onnx").contract.training
    assert (training.time, training.group, training.accepted) == ("month", "person", "approved")


def test_a_cell_of_a_rejected_applicant_that_is_no_number_ends_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is fitted, with exit code 2."""
    table = make_door().astype({"amount": str})
    row = int((table["approved"] == "no").to_numpy().argmax())
    table.loc[row, "amount"] = "many"
    table.to_csv(tmp_path / "door.csv", index=False)
    data = ("--data", str(tmp_path / "door.csv"), *ROLES, *OTHERS, "--accepted", "approved")

    assert main([*data, "--out", str(tmp_path)]) == 2

    assert f"'amount' has 1 cell that isn't a number, in line {row + 2}" in capsys.readouterr().err
