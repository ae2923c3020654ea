"""python -m train evaluate: what is measured, on which rows, and the exit code."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.conftest import small_table
from tests.train.conftest import NEW_ROWS as ROWS
from tests.train.conftest import Evaluate
from tests.train.models import export_kind
from tests.train.records import add_outcomes, fill_record
from train.__main__ import main

DATA = Path(__file__).parents[2] / "data"
ARTIFACTS = Path(__file__).parents[2] / "artifacts"


def results(figures: dict[str, Any]) -> dict[str, str]:
    """Title of each check → its result."""
    return {check["title"]: check["result"] for check in figures["verdict"]["checks"]}


def test_new_rows_of_the_same_population_pass(
    evaluate: Evaluate, write_new: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One population, measured by the model itself, with page, figures and verdict."""
    figures = evaluate("--data", str(write_new()), "--target", "outcome")

    (sample,) = figures["samples"]
    assert (sample["title"], figures["data"]["evaluated"]) == ("New applications", ROWS)
    assert not {"y", "probability", "weight"} & set(sample)
    assert sample["auc"]["low"] > 0.7
    assert sample["calibration"]["ratio"]["low"] < 1 < sample["calibration"]["ratio"]["high"]
    assert results(figures)["Calibration"] == "pass"
    assert "Stability" in results(figures)
    (fairness,) = (check for check in figures["verdict"]["checks"] if check["title"] == "Fairness")
    assert "no card was given" in fairness["text"]
    assert set(figures["importance"]) == {"income", "amount", "home", "is_client"}
    page = (tmp_path / "out" / "evaluation.html").read_text()
    assert "evaluation report" in page
    assert ">None<" not in page
    assert "On 2,000 rows that the model wasn't trained on" in capsys.readouterr().out


def test_changed_outcomes_fail_the_gate(evaluate: Evaluate, write_new: Callable[..., Path]) -> None:
    """Half of the goods defaulted instead: exit code 1, and the check of calibration says so."""
    outcome = small_table(ROWS).outcome.to_numpy()
    worse = np.where(np.arange(ROWS) % 2 == 0, 1, outcome)

    figures = evaluate("--data", str(write_new(outcome=worse)), "--target", "outcome", code=1)

    assert results(figures)["Calibration"] == "fail"
    assert figures["samples"][0]["calibration"]["ratio"]["high"] < 0.8


def test_training_rows_are_left_out(evaluate: Evaluate, loans: Path) -> None:
    """Of the table that the model was trained on only its hold-out is measured."""
    figures = evaluate("--data", str(loans / "loans.toml"))

    assert (figures["data"]["rows"], figures["data"]["evaluated"]) == (1500, 300)


def test_decisions_on_record_are_evaluated(tmp_path: Path) -> None:
    """Outcomes of a record, with its times."""
    content = export_kind("logistic")
    model, url = tmp_path / "model.onnx", f"sqlite:///{tmp_path}/decisions.db"
    model.write_bytes(content)
    fill_record(url, content, 1_000)
    add_outcomes(url, seed=1)

    assert main(["evaluate", str(model), "--decisions", url, "--out", str(tmp_path)]) == 0

    figures = json.loads((tmp_path / "evaluation.json").read_bytes())
    assert figures["data"]["evaluated"] == 1000
    assert [one["count"] for one in figures["periods"]] == [1000]
    ratio = figures["samples"][0]["calibration"]["ratio"]
    assert ratio["low"] < 1 < ratio["high"]


def test_the_same_rows_give_the_same_bytes(evaluate: Evaluate, write_new: Callable[..., Path], tmp_path: Path) -> None:
    """Page and figures."""
    table, contents = write_new(), []
    for _ in range(2):
        evaluate("--data", str(table), "--target", "outcome")
        contents.append([(tmp_path / "out" / f"evaluation.{kind}").read_bytes() for kind in ("html", "json")])

    assert contents[0] == contents[1]


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ({}, ("--target", "nothing"), "has no column 'nothing'"),
        ({"outcome": 0}, ("--target", "outcome"), "outcome"),
        ({}, ("--target", "outcome", "--segment", "nothing"), "has no column 'nothing' (named by --segment)"),
        ({"one": 1}, ("--target", "outcome", "--segment", "one"), "--segment one: the column"),
        ({}, ("--target", "outcome", "--weight", "nothing"), "has no column 'nothing' (the weight)"),
        ({}, ("--target", "outcome", "--time", "nothing"), "has no column 'nothing' (the time)"),
        ({"income": "much"}, ("--target", "outcome"), "field 'income' in line 2"),
    ],
)
def test_what_cant_be_measured_is_told(
    columns: dict[str, Any],
    options: tuple[str, ...],
    message: str,
    evaluate: Evaluate,
    write_new: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 2 and a sentence; nothing is written."""
    assert evaluate("--data", str(write_new(**columns)), *options, code=2) == {}

    assert message in capsys.readouterr().err


def test_too_few_rows_are_told(
    evaluate: Evaluate, write_new: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """20 defaults and 20 goods are needed."""
    evaluate("--data", str(write_new(30)), "--target", "outcome", code=2)

    assert "15 defaults in 30 rows" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--data", "new.csv"),
        ("--data", "new.csv", "--card", "card.toml", "--target", "outcome"),
        ("--data", "card.toml", "--card", "card.toml"),
        (),
    ],
)
def test_the_source_of_outcomes_must_be_told_once(arguments: tuple[str, ...]) -> None:
    """A usage error otherwise."""
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", "model.onnx", *arguments])


def test_the_bundled_model_is_calibrated_on_its_holdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table of its hold-out, with the card of its training, as in the documentation."""
    command = ["evaluate", str(ARTIFACTS / "model.onnx"), "--data", str(DATA / "credit_data_holdout.csv")]

    assert main([*command, "--card", str(DATA / "credit_data.toml"), "--out", str(tmp_path), "--gate"]) == 0

    figures = json.loads((tmp_path / "evaluation.json").read_bytes())
    assert figures["data"]["evaluated"] == len(pd.read_csv(DATA / "credit_data_holdout.csv"))
    assert {field["label"] for field in figures["fairness"]} == {"Age", "Marital status"}
    assert "fail" not in results(figures).values()
    assert "Wrote" in capsys.readouterr().out


def test_an_imported_model_without_bins_is_evaluated(tmp_path: Path) -> None:
    """It has no training rows to compare with: no shifts, and everything else."""
    random = np.random.default_rng(0)
    table = pd.DataFrame(random.normal(size=(600, 2)), columns=["a", "b"])
    table["bad"] = (random.random(600) < 1 / (1 + np.exp(-table.a))).astype(int)
    table.to_csv(tmp_path / "new.csv", index=False)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(table[["a", "b"]], table.bad)
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(pipeline))
    imported = ["--model", str(tmp_path / "model.pkl"), "--threshold", "0.5", "--trust", "--out", str(tmp_path)]
    assert main(["import", *imported]) == 0

    data = ["--data", str(tmp_path / "new.csv"), "--target", "bad", "--out", str(tmp_path)]
    assert main(["evaluate", str(tmp_path / "model.onnx"), *data]) == 0

    figures = json.loads((tmp_path / "evaluation.json").read_bytes())
    assert figures["shifts"] == []
    assert figures["samples"][0]["auc"]["value"] > 0.7
    assert set(figures["importance"]) == {"a", "b"}
