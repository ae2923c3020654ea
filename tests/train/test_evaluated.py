"""What python -m train evaluate measures: columns, times, weights, segments, and what a card adds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.conftest import small_table
from tests.train.conftest import NEW_ROWS as ROWS
from tests.train.conftest import Evaluate
from train.__main__ import main


def results(figures: dict[str, Any]) -> dict[str, str]:
    """Title of each check → its result."""
    return {check["title"]: check["result"] for check in figures["verdict"]["checks"]}


def test_a_column_that_is_no_input_is_a_segment(evaluate: Evaluate, write_new: Callable[..., Path]) -> None:
    """A category that only the new table has, and an input; groups add up to the rows."""
    region = np.random.default_rng(0).choice(["north", "south"], ROWS)

    table = write_new(region=region)
    figures = evaluate("--data", str(table), "--target", "outcome", "--segment", "region", "--segment", "income")

    segments = {one["name"]: one for one in figures["segments"]}
    assert [group["name"] for group in segments["region"]["groups"]] == ["north", "south"]
    assert sum(group["figures"][0]["count"] for group in segments["region"]["groups"]) == ROWS
    assert [group["name"] for group in segments["income"]["groups"]][-1] == "missing"
    assert len(segments["income"]["groups"]) == 5


def test_weights_are_repeated_rows(
    evaluate: Evaluate, write_new: Callable[..., Path], tmp_path: Path, loans: Path
) -> None:
    """Rows of weight 2 are measured as rows that are there twice."""
    weight = np.random.default_rng(0).integers(1, 3, ROWS)
    weighted = evaluate("--data", str(write_new(weight=weight)), "--target", "outcome", "--weight", "weight")
    frame = small_table(ROWS)
    frame.loc[np.repeat(frame.index, weight)].to_csv(tmp_path / "repeated.csv", index=False)

    repeated = evaluate("--data", str(tmp_path / "repeated.csv"), "--target", "outcome")

    (one,), (other,) = weighted["samples"], repeated["samples"]
    assert one["quality"]["log_loss"] == pytest.approx(other["quality"]["log_loss"], rel=1e-9)
    assert one["quality"]["auc"] == pytest.approx(other["quality"]["auc"], rel=1e-9)
    assert one["calibration"]["ratio"]["value"] == pytest.approx(other["calibration"]["ratio"]["value"], rel=1e-9)
    assert weighted["data"]["default_rate"] == pytest.approx(repeated["data"]["default_rate"], rel=1e-9)


def test_times_give_periods(evaluate: Evaluate, write_new: Callable[..., Path]) -> None:
    """Of two years."""
    year = np.sort(np.random.default_rng(0).choice([2024, 2025], ROWS))

    figures = evaluate("--data", str(write_new(year=year)), "--target", "outcome", "--time", "year")

    assert [(one["title"], one["is_held_out"]) for one in figures["periods"]] == [("2024", True), ("2025", True)]
    assert sum(one["count"] for one in figures["periods"]) == ROWS


def test_a_card_names_directions_and_protected_fields(
    evaluate: Evaluate, write_new: Callable[..., Path], loans: Path, tmp_path: Path
) -> None:
    """Its target is taken, its own table isn't; an input that is protected in the card is measured too."""
    card = (loans / "loans.toml").read_text()
    card = card.replace("[fields.home]\n", "[fields.home]\nuse = false\n")
    card = card.replace("[fields.income]\n", '[fields.income]\nrisk = "decreases"\n')
    path = tmp_path / "card.toml"
    path.write_text(card + '\n[fields.sex]\nlabel = "Sex"\nkind = "category"\nlevels = ["f", "m"]\nuse = false\n')
    sex = np.random.default_rng(0).choice(["f", "m"], ROWS)

    figures = evaluate("--data", str(write_new(sex=sex)), "--card", str(path))

    assert {field["name"] for field in figures["fairness"]} == {"home", "sex"}
    assert [one["risk"] for one in figures["directions"]] == ["decreases"]
    assert results(figures)["Monotonicity"] == "pass"


def test_a_protected_field_that_the_table_lacks_is_told(
    evaluate: Evaluate,
    write_new: Callable[..., Path],
    loans: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The rest is measured."""
    path = tmp_path / "card.toml"
    extra = '\n[fields.sex]\nlabel = "Sex"\nkind = "category"\nlevels = ["f", "m"]\nuse = false\n'
    path.write_text((loans / "loans.toml").read_text() + extra)

    figures = evaluate("--data", str(write_new()), "--card", str(path))

    assert figures["fairness"] == []
    assert "Without Sex: " in capsys.readouterr().out


def test_unknown_levels_are_told(
    evaluate: Evaluate, write_new: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """They count as none of the levels, as at the service."""
    home = small_table(ROWS).home.where(np.arange(ROWS) % 10 > 0, "castle")

    evaluate("--data", str(write_new(home=home)), "--target", "outcome")

    assert "home: 200 rows have a level that the model doesn't know" in capsys.readouterr().out


def test_an_empty_column_is_measured(
    evaluate: Evaluate, write_new: Callable[..., Path], loans: Path, tmp_path: Path
) -> None:
    """Missing in every row, and a direction that can't be tried on any value."""
    path = tmp_path / "card.toml"
    card = (loans / "loans.toml").read_text()
    path.write_text(card.replace("[fields.income]\n", '[fields.income]\nrisk = "decreases"\n'))

    command = ["--data", str(write_new(income="")), "--card", str(path), "--segment", "income"]
    command += ["--out", str(tmp_path / "empty")]
    assert main(["evaluate", str(loans / "model.onnx"), *command]) == 0

    figures = json.loads((tmp_path / "empty" / "evaluation.json").read_bytes())
    assert figures["directions"] == []
    assert [group["name"] for group in figures["segments"][0]["groups"]] == ["missing"]


def test_a_duration_of_the_card_is_a_segment(
    evaluate: Evaluate, write_new: Callable[..., Path], loans: Path, tmp_path: Path
) -> None:
    """Days between two columns of the new table."""
    opened = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.random.default_rng(0).integers(0, 300, ROWS), unit="D")
    path = tmp_path / "card.toml"
    extra = '\n[fields.held]\nlabel = "Held"\nkind = "number"\nuse = false\nsegment = true\nfrom = "a"\nto = "b"\n'
    path.write_text((loans / "loans.toml").read_text() + extra)
    table = write_new(a=opened.strftime("%Y-%m-%d"), b="2025-01-01")

    figures = evaluate("--data", str(table), "--card", str(path))

    (segment,) = figures["segments"]
    assert (segment["name"], len(segment["groups"])) == ("held", 4)
