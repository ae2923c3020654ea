"""`make retrain`: a model that differs passes or fails the comparison; an identical one is not proposed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy import ROOT
from deploy import retrain as module
from deploy.errors import DeployError
from deploy.retrain import compare_command, main, retrain, train_command
from model.loading import load_model

CARD = Path("loans.toml")
"""A card that is not read, since the commands are replaced."""


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """The folder of the model in service, with files that are not read."""
    folder = tmp_path / "artifacts"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"champion")
    (folder / "CHANGELOG.md").write_text("# Models\n")
    return folder


def python(code: str) -> list[str]:
    """A command that runs the code."""
    return [sys.executable, "-c", code]


def replace_commands(monkeypatch: pytest.MonkeyPatch, out: Path, *, content: str, code: int) -> None:
    """Let the training write that content as the model, and the comparison end with that exit code."""
    train = f"import pathlib; pathlib.Path({str(out)!r}, 'model.onnx').write_text({content!r})"
    monkeypatch.setattr(module, "train_command", lambda *_: python(train))
    monkeypatch.setattr(module, "compare_command", lambda *_: python(f"raise SystemExit({code})"))


def test_a_different_model_that_passes_is_a_change(
    artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of an earlier run are removed from the folder."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").touch()
    replace_commands(monkeypatch, out, content="challenger", code=0)

    assert retrain(CARD, artifacts, out)
    assert {path.name for path in out.iterdir()} == {"CHANGELOG.md", "model.onnx"}


def test_an_identical_model_is_no_change(artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not compared: the comparison would fail here."""
    replace_commands(monkeypatch, tmp_path / "out", content="champion", code=1)

    assert not retrain(CARD, artifacts, tmp_path / "out")


def test_a_model_that_fails_the_comparison_is_an_error(
    artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows the exit code; model and report stay in the folder."""
    replace_commands(monkeypatch, tmp_path / "out", content="challenger", code=3)

    with pytest.raises(DeployError, match="the comparison failed with code 3"):
        retrain(CARD, artifacts, tmp_path / "out")

    assert (tmp_path / "out" / "model.onnx").exists()


def test_a_model_that_differs_is_compared_and_gets_its_changelog_entry(
    write_table: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real commands: the step output is `changed=true`, the champion's entry stays below the new one."""
    data = ["--data", str(write_table(400)), "--target", "outcome", "--id", "number", "--model", "logistic"]
    artifacts, outputs = tmp_path / "artifacts", tmp_path / "outputs"
    # An earlier version of the card: its labels are part of the model file.
    subprocess.run([sys.executable, "-m", "train", *data, "--out", str(artifacts)], cwd=ROOT, check=True)
    card = artifacts / "loans.toml"
    card.write_text(card.read_text().replace('"amount"', '"Amount of the loan"'))
    monkeypatch.setenv("GITHUB_OUTPUT", str(outputs))
    monkeypatch.setattr(module, "ARTIFACTS", artifacts)
    monkeypatch.setattr(module, "OUT", tmp_path / "retrain")
    monkeypatch.setattr(module, "train_command", lambda *given: [*train_command(*given), "--model", "logistic"])

    assert main([str(card)]) == 0

    champion, challenger = (load_model(folder / "model.onnx").contract for folder in (artifacts, tmp_path / "retrain"))
    assert champion.version != challenger.version
    changelog = (tmp_path / "retrain" / "CHANGELOG.md").read_text()
    introduction, _, entries = (artifacts / "CHANGELOG.md").read_text().partition("\n## ")
    assert changelog.startswith(f"{introduction}\n## {challenger.version}: loans")
    assert f"replaces {champion.version}" in changelog
    assert changelog.endswith(f"\n## {entries}")
    assert outputs.read_text() == "changed=true\n"


def test_both_steps_see_the_decisions_on_record_at_one_time(
    artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outcomes that arrive while the model is trained would change the rows of the comparison."""
    given: list[list[str]] = []
    monkeypatch.setattr(module, "run", lambda step, *command: given.append(list(command)))
    monkeypatch.setattr(module, "ARTIFACTS", artifacts)
    monkeypatch.setattr(module, "OUT", tmp_path / "retrain")

    assert not retrain(CARD, artifacts, tmp_path / "out", ["--decisions", "DECISIONS_URL", "--from", "2026-01"])

    (train,) = given
    record = train[train.index("--decisions") :]
    assert record[:5] == ["--decisions", "DECISIONS_URL", "--from", "2026-01", "--as-of"]
    compare = compare_command(CARD, Path("old"), Path("new"), record)
    assert compare[-len(record) :] == record
    assert "--data" not in compare


@pytest.mark.parametrize("arguments", [[], ["loans.toml", "--model", "boosting"]])
def test_other_arguments_are_answered_with_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With exit code 2."""
    assert main(arguments) == 2
    assert "expected a card and perhaps decisions on record: make retrain CARD=FILE" in capsys.readouterr().err


def test_a_failed_training_is_an_error(
    artifacts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 1 and without a step output."""
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    monkeypatch.setattr(module, "ARTIFACTS", artifacts)
    monkeypatch.setattr(module, "OUT", tmp_path / "retrain")
    monkeypatch.setattr(module, "train_command", lambda *_: python("raise SystemExit(2)"))

    assert main([str(CARD)]) == 1

    assert "training failed with code 2" in capsys.readouterr().err
    assert not (tmp_path / "outputs").exists()
