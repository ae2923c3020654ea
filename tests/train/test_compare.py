"""python -m train compare: what a user types, sees and gets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import small_table
from train.__main__ import main

ROWS = 1500
Compare = Callable[..., int]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, a model of all its fields, a model of one that says nothing, and one of another seed."""
    folder = tmp_path_factory.mktemp("compare")
    frame = small_table(ROWS)
    frame.to_csv(folder / "loans.csv", index=False)
    data = ["--data", str(folder / "loans.csv"), "--target", "outcome", "--id", "number", "--model", "logistic"]
    assert 0 == main([*data, "--out", str(folder / "good")])
    card = (folder / "good" / "loans.toml").read_text()
    poor = card.replace("[fields.income]\n", "[fields.income]\nuse = false\n")
    (folder / "poor.toml").write_text(poor.replace("[fields.amount]\n", "[fields.amount]\nuse = false\n"))
    assert 0 == main([str(folder / "poor.toml"), "--model", "logistic", "--out", str(folder / "poor")])
    assert 0 == main([*data, "--out", str(folder / "seed"), "--seed", "1"])
    return folder


@pytest.fixture
def compare(folder: Path) -> Compare:
    """Compare two models of the folder; the exit code."""

    def run(champion: str, challenger: str, *options: str) -> int:
        data = options or ("--data", str(folder / "loans.csv"), "--target", "outcome")
        paths = [str(folder / name / "model.onnx") for name in (champion, challenger)]
        return main(["compare", *paths, *data, "--gate"])

    return run


def test_a_worse_challenger_fails_the_gate_on_rows_nobody_learnt_from(
    compare: Compare, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1; the held-out fifth of the table they share; metrics and swap set."""
    assert 1 == compare("good", "poor")

    told = capsys.readouterr().out
    assert "On 300 of 1,500 rows" in told
    for word in ("AUC", "log loss", "cost per applicant", "newly accepted", "no longer accepted", "Stability index"):
        assert word in told
    assert "keep the champion" in told


def test_a_better_challenger_and_the_same_model_pass(compare: Compare, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0."""
    assert 0 == compare("poor", "good")
    assert 0 == compare("good", "good")

    assert 2 == capsys.readouterr().out.count("it may replace the champion")


def test_a_card_says_where_the_outcomes_are(compare: Compare, folder: Path) -> None:
    """--data CARD.toml needs no --target."""
    assert 1 == compare("good", "poor", "--data", str(folder / "poor.toml"))


def test_rows_that_either_has_learnt_from_are_left_out(compare: Compare, capsys: pytest.CaptureFixture[str]) -> None:
    """Two seeds: only what both held out, and a sentence if that is too little."""
    code = compare("good", "seed")

    told = capsys.readouterr()
    assert (2 == code and "bring newer applications" in told.err) or "rows, which neither" in told.out
    assert "On 300 of" not in told.out


def test_a_table_of_newer_applications_is_compared_whole(
    compare: Compare, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another file: nobody learnt from it."""
    small_table(ROWS).tail(700).to_csv(tmp_path / "newer.csv", index=False)

    assert 1 == compare("good", "poor", "--data", str(tmp_path / "newer.csv"), "--target", "outcome")

    assert "On 700 of 700 rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "nowhere.csv", "--target", "y"], "can't read the table nowhere.csv"),
        (["--data", "nowhere.toml"], "can't read the card nowhere.toml"),
    ],
)
def test_what_cant_be_compared_is_one_sentence(
    options: list[str], message: str, compare: Compare, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2."""
    assert 2 == compare("good", "poor", *options)

    assert message in capsys.readouterr().err


def test_a_csv_without_a_target_is_refused_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """argparse's own exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        main(["compare", "a.onnx", "b.onnx", "--data", "c.csv"])

    assert "--target COLUMN" in capsys.readouterr().err
