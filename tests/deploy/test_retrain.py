"""`make retrain`: a model that differs passes or fails the comparison; an identical one is not proposed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy import retrain as module
from deploy.errors import DeployError
from deploy.retrain import compare_command, main, retrain, train_command
from model.loading import load_model
from train.card import format_card
from train.card_inference import infer_card
from train.table import read_table


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card whose table is not needed."""
    path = tmp_path / "loans.toml"
    path.write_text('[dataset]\npath = "tables/loans.csv"\n')
    return path


@pytest.fixture
def champion(tmp_path: Path) -> Path:
    """The file of the model in service."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"champion")
    return path


def python(code: str) -> list[str]:
    """A command that runs the code."""
    return [sys.executable, "-c", code]


def replace_commands(monkeypatch: pytest.MonkeyPatch, out: Path, *, content: str, code: int) -> None:
    """Let the training write that content as the model, and the comparison end with that exit code."""
    train = f"import pathlib; p = pathlib.Path({str(out)!r}); p.mkdir(); (p / 'model.onnx').write_text({content!r})"
    monkeypatch.setattr(module, "train_command", lambda card, out: python(train))
    monkeypatch.setattr(
        module, "compare_command", lambda card, champion, challenger: python(f"raise SystemExit({code})")
    )


def test_a_different_model_that_passes_is_a_change(
    card: Path, champion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of an earlier run are removed from the folder."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").touch()
    replace_commands(monkeypatch, out, content="challenger", code=0)

    assert retrain(card, champion, out)
    assert [path.name for path in out.iterdir()] == ["model.onnx"]


def test_an_identical_model_is_no_change(
    card: Path, champion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not compared: the comparison would fail here."""
    replace_commands(monkeypatch, tmp_path / "out", content="champion", code=1)

    assert not retrain(card, champion, tmp_path / "out")


def test_a_model_that_fails_the_comparison_is_an_error(
    card: Path, champion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows the exit code; model and report stay in the folder."""
    replace_commands(monkeypatch, tmp_path / "out", content="challenger", code=3)

    with pytest.raises(DeployError, match="the comparison failed with code 3"):
        retrain(card, champion, tmp_path / "out")

    assert (tmp_path / "out" / "model.onnx").exists()


def test_the_commands_train_on_the_card_and_compare_on_its_table(card: Path, tmp_path: Path) -> None:
    """With the options that the documentation names."""
    assert train_command(card, Path("out"))[1:] == ["-m", "train", str(card), "--out", "out"]
    data = str(tmp_path / "tables" / "loans.csv")
    expected = ["-m", "train", "compare", "old.onnx", "new.onnx", "--data", data, "--gate"]
    assert compare_command(card, Path("old.onnx"), Path("new.onnx"))[1:] == expected


def test_the_step_output_says_whether_the_model_changed(
    write_table: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a real training, of one candidate on a small table."""
    table = read_table(write_table(120))
    (tmp_path / "loans.toml").write_bytes(format_card(infer_card(table, "outcome", "number", None)))
    outputs = tmp_path / "outputs"
    monkeypatch.setenv("GITHUB_OUTPUT", str(outputs))
    monkeypatch.setattr(module, "OUT", tmp_path / "retrain")
    monkeypatch.setattr(module, "train_command", lambda card, out: [*train_command(card, out), "--model", "logistic"])
    monkeypatch.setattr(module, "compare_command", lambda card, champion, challenger: python("pass"))

    assert main([str(tmp_path / "loans.toml")]) == 0

    assert load_model(tmp_path / "retrain" / "model.onnx").contract.name == "loans"
    assert outputs.read_text() == "changed=true\n"


def test_a_failed_training_is_an_error(
    card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 1 and without a step output."""
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    monkeypatch.setattr(module, "OUT", tmp_path / "retrain")
    monkeypatch.setattr(module, "train_command", lambda card, out: python("raise SystemExit(2)"))

    assert main([str(card)]) == 1

    assert "training failed with code 2" in capsys.readouterr().err
    assert not (tmp_path / "outputs").exists()
