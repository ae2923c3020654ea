"""python -m train compare: output and exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import small_table
from tests.train.conftest import train_without_report
from train.__main__ import main

Compare = Callable[..., int]


@pytest.fixture(scope="module")
def models(loans: Path) -> dict[str, str]:
    """A good model, a poor one without the informative fields, and a good one with another seed."""
    card = (loans / "loans.toml").read_text()
    for field in ("income", "amount"):
        card = card.replace(f"[fields.{field}]\n", f"[fields.{field}]\nuse = false\n")
    (loans / "poor.toml").write_text(card)
    train_without_report(f"{loans}/poor.toml", "--model", "logistic", "--out", f"{loans}/poor")
    train_without_report(f"{loans}/loans.toml", "--model", "logistic", "--out", f"{loans}/seed", "--seed", "1")
    priced = (loans / "loans.toml").read_text().replace("[policy]\n", "[policy]\ncost_review = 0.3\n")
    (loans / "reviewing.toml").write_text(priced)
    train_without_report(f"{loans}/reviewing.toml", "--model", "logistic", "--out", f"{loans}/reviewing")
    folders = {"reviewing": loans / "reviewing", "good": loans, "poor": loans / "poor", "seed": loans / "seed"}
    return {name: str(folder / "model.onnx") for name, folder in folders.items()}


@pytest.fixture
def compare(loans: Path, models: dict[str, str]) -> Compare:
    """Compare two of the models with --gate; the exit code."""

    def run(champion: str, challenger: str, *options: str) -> int:
        data = options or ("--data", str(loans / "loans.csv"), "--target", "outcome")
        return main(["compare", models[champion], models[challenger], *data, "--gate"])

    return run


def test_a_worse_challenger_fails_the_gate(compare: Compare, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, measured on the hold-out that both models share, with metrics, swap set and stability."""
    assert compare("good", "poor") == 1

    printed = capsys.readouterr().out
    assert "On 300 of 1,500 rows" in printed
    for word in ("AUC", "log loss", "cost per applicant", "newly accepted", "no longer accepted", "stability index"):
        assert word in printed
    assert "keep the champion" in printed


def test_a_better_challenger_and_the_same_model_pass(compare: Compare, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, and the sentence that the challenger may replace the champion."""
    assert compare("poor", "good") == 0
    assert compare("good", "good") == 0

    assert capsys.readouterr().out.count("it may replace the champion") == 2


def test_reviews_without_a_price_fail_the_gate(
    compare: Compare, loans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until --cost-review gives one; shares of decisions stand beside."""
    data = ("--data", str(loans / "loans.csv"), "--target", "outcome")

    assert compare("good", "reviewing", *data) == 1
    unknown = capsys.readouterr().out
    assert compare("good", "reviewing", *data, "--cost-review", "0.3") == 0
    priced = capsys.readouterr().out

    assert "Give the price of a review: --cost-review PRICE" in unknown
    assert "share of review" in unknown
    assert "it may replace the champion" not in unknown
    assert "it may replace the champion" in priced


def test_a_card_names_table_and_target(compare: Compare, loans: Path) -> None:
    """--data CARD.toml needs no --target."""
    assert compare("good", "poor", "--data", str(loans / "poor.toml")) == 1


def test_training_rows_of_either_model_are_left_out(compare: Compare, capsys: pytest.CaptureFixture[str]) -> None:
    """Two seeds share 53 rows of their hold-outs, which are too few."""
    assert compare("good", "seed") == 2

    error = capsys.readouterr().err
    assert "53 rows of" in error
    assert "use newer applications" in error


def test_another_table_is_compared_entirely(
    compare: Compare, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No model was trained on it."""
    small_table(1_500).tail(700).to_csv(tmp_path / "newer.csv", index=False)

    assert compare("good", "poor", "--data", str(tmp_path / "newer.csv"), "--target", "outcome") == 1

    assert "On 700 of 700 rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "nowhere.csv", "--target", "y"], "can't read the table nowhere.csv"),
        (["--data", "nowhere.toml"], "can't read the card nowhere.toml"),
    ],
)
def test_a_missing_file_is_refused(
    options: list[str], message: str, compare: Compare, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2."""
    assert compare("good", "poor", *options) == 2

    assert message in capsys.readouterr().err


def test_a_csv_without_a_target_is_refused_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names --target; exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        main(["compare", "a.onnx", "b.onnx", "--data", "c.csv"])

    assert "--target COLUMN" in capsys.readouterr().err


def test_weights_count(compare: Compare, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whole weights give the figures of a table that repeats its rows; a card names them as the option does."""
    frame = small_table(600)
    weight = np.random.default_rng(0).integers(1, 4, len(frame))
    frame.loc[np.repeat(frame.index, weight)].to_csv(tmp_path / "repeated.csv", index=False)
    frame.assign(w=weight).to_csv(tmp_path / "weighted.csv", index=False)
    data = ("--target", "outcome", "--data")
    printed = []
    for options in ((*data, f"{tmp_path}/repeated.csv"), (*data, f"{tmp_path}/weighted.csv", "--weight", "w")):
        assert compare("good", "poor", *options) == 1
        printed.append(capsys.readouterr().out)

    repeated, weighted = ([line.split()[:8] for line in out.splitlines() if "AUC" in line] for out in printed)

    assert repeated == weighted
    assert "Weighted by 'w'." in printed[1]
