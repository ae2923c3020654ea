"""`make retrain`: another model passes the gate or is stopped by it; the same model is nothing to propose."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy import retrain as module
from deploy.errors import DeployError
from deploy.retrain import gate_command, main, retrain, train_command
from model.loading import load_model
from train.card import format_card
from train.infer import infer_card
from train.table import read_table


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card beside which its table would be."""
    path = tmp_path / "loans.toml"
    path.write_text('[dataset]\npath = "tables/loans.csv"\n')
    return path


@pytest.fixture
def champion(tmp_path: Path) -> Path:
    """The model in service."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"champion")
    return path


def python(code: str) -> list[str]:
    """A command that runs some code."""
    return [sys.executable, "-c", code]


def pretend(monkeypatch: pytest.MonkeyPatch, out: Path, *, content: str, gate: int) -> None:
    """Let training write such a file, and the gate end with such a code."""
    train = f"import pathlib; p = pathlib.Path({str(out)!r}); p.mkdir(); (p / 'model.onnx').write_text({content!r})"
    monkeypatch.setattr(module, "train_command", lambda card, out: python(train))
    monkeypatch.setattr(module, "gate_command", lambda card, champion, challenger: python(f"raise SystemExit({gate})"))


def test_another_model_that_passes_is_a_change(
    card: Path, champion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies in the folder, which held nothing else before."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").touch()
    pretend(monkeypatch, out, content="challenger", gate=0)

    assert retrain(card, champion, out)
    assert ["model.onnx"] == [path.name for path in out.iterdir()]


def test_the_same_bytes_are_no_change(
    card: Path, champion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate isn't even asked."""
    pretend(monkeypatch, tmp_path / "out", content="champion", gate=1)

    assert not retrain(card, champion, tmp_path / "out")


def test_a_worse_model_is_stopped(card: Path, champion: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the gate's code; model and report stay in the folder to be looked at."""
    pretend(monkeypatch, tmp_path / "out", content="challenger", gate=3)

    with pytest.raises(DeployError, match="the gate failed with code 3"):
        retrain(card, champion, tmp_path / "out")

    assert (tmp_path / "out" / "model.onnx").exists()


def test_the_commands_are_those_of_the_readme(card: Path, tmp_path: Path) -> None:
    """Train on the card, compare on its table."""
    assert ["-m", "train", str(card), "--out", "out"] == train_command(card, Path("out"))[1:]
    data = str(tmp_path / "tables" / "loans.csv")
    expected = ["-m", "train", "compare", "old.onnx", "new.onnx", "--data", data, "--gate"]
    assert expected == gate_command(card, Path("old.onnx"), Path("new.onnx"))[1:]


def test_the_workflow_is_told_whether_the_model_changed(
    write_table: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained for real on a small table; the output of the step says that another model passed."""
    table = read_table(write_table(120))
    (tmp_path / "loans.toml").write_bytes(format_card(infer_card(table, "outcome", "number", None)))
    outputs = tmp_path / "outputs"
    monkeypatch.setenv("GITHUB_OUTPUT", str(outputs))
    monkeypatch.setattr(module, "OUT", tmp_path / "retrain")
    monkeypatch.setattr(module, "gate_command", lambda card, champion, challenger: python("pass"))

    assert 0 == main([str(tmp_path / "loans.toml")])

    assert "loans" == load_model(tmp_path / "retrain" / "model.onnx").contract.name
    assert "changed=true\n" == outputs.read_text()


def test_a_training_that_fails_is_told(
    card: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, and no output for the workflow."""
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    monkeypatch.setattr(module, "OUT", tmp_path / "retrain")
    monkeypatch.setattr(module, "train_command", lambda card, out: python("raise SystemExit(2)"))

    assert 1 == main([str(card)])

    assert "training failed with code 2" in capsys.readouterr().err
    assert not (tmp_path / "outputs").exists()
