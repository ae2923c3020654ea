"""`make propose`: a branch and a pull request, with real repositories and a fake gh."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.errors import DeployError
from deploy.propose import PROPOSED, propose
from model.contract import ContractError
from model.loading import load_model

GH = """#!/bin/sh
[ "$1" = auth ] && exit 0
printf '%s\\n' "$@" > "$GH_ARGUMENTS"
echo https://example.org/pull/1
"""


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return what it prints."""
    author = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    command = ["git", "-C", str(folder), *author, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with the committed model and changelog, its origin, and a fake gh on PATH that records its arguments."""
    origin, folder = tmp_path / "origin", tmp_path / "checkout"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(origin)], check=True)
    subprocess.run(["git", "clone", "--quiet", str(origin), str(folder)], check=True, capture_output=True)
    (folder / "artifacts").mkdir()
    for name in ("model.onnx", "CHANGELOG.md"):
        shutil.copy(root / "artifacts" / name, folder / "artifacts")
    git(folder, "switch", "--quiet", "--create", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Begin")
    git(folder, "push", "--quiet", "origin", "main")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(GH)
    (tmp_path / "bin" / "gh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("GH_ARGUMENTS", str(tmp_path / "arguments"))
    return folder


@pytest.fixture
def retrained(root: Path, content: bytes, tmp_path: Path) -> Path:
    """The output of `make retrain`: another model, documents, and the runs of the training."""
    folder = tmp_path / "retrained"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(content)
    introduction, heading, entries = (root / "artifacts" / "CHANGELOG.md").read_text().partition("\n## ")
    (folder / "CHANGELOG.md").write_text(f"{introduction}\n## The new model\n{heading}{entries}")
    for name in ("MODEL_CARD.md", "report.html", "runs.jsonl"):
        (folder / name).write_text(name)
    return folder


def test_a_model_is_proposed_with_its_documents(checkout: Path, retrained: Path, tmp_path: Path) -> None:
    """Unchanged, on its own branch, committed as github-actions[bot]; main is unchanged."""
    model = load_model(retrained / "model.onnx")
    branch = f"retrain/{model.contract.version}"

    url = propose(checkout, retrained)

    assert url == "https://example.org/pull/1"
    files = git(checkout, "ls-tree", "-r", "--name-only", f"origin/{branch}").splitlines()
    assert files == sorted(f"artifacts/{name}" for name in PROPOSED)
    for name in PROPOSED:
        assert (checkout / "artifacts" / name).read_bytes() == (retrained / name).read_bytes()
    assert git(checkout, "log", "-1", "--format=%an", f"origin/{branch}") == "github-actions[bot]"
    assert git(checkout, "log", "-1", "--format=%s", "origin/main") == "Begin"
    arguments = (tmp_path / "arguments").read_text()
    assert arguments.startswith(f"pr\ncreate\n--head\n{branch}\n--title\nRetrain test: {model.contract.version}\n")
    assert f"New model: {model.contract.version}, logistic on 400 rows; auc 0.875, brier 0.125; sha256" in arguments
    assert model.sha256 in arguments


def test_a_points_table_is_proposed_with_its_scorecard(checkout: Path, retrained: Path) -> None:
    """One of an earlier scorecard doesn't stay."""
    (retrained / "scorecard.csv").write_text("points")
    (checkout / "artifacts" / "scorecard.sql").write_text("SELECT of an earlier scorecard")

    propose(checkout, retrained)

    files = git(checkout, "ls-tree", "-r", "--name-only", "HEAD").splitlines()
    assert files == sorted(f"artifacts/{name}" for name in (*PROPOSED, "scorecard.csv"))
    assert not (checkout / "artifacts" / "scorecard.sql").exists()


def test_a_model_is_proposed_once(checkout: Path, retrained: Path) -> None:
    """A second run finds the branch."""
    propose(checkout, retrained)
    git(checkout, "switch", "--quiet", "main")

    assert propose(checkout, retrained).endswith("exists already; nothing to do")


def test_the_current_model_is_not_proposed(checkout: Path, retrained: Path) -> None:
    """It is what build/retrain holds after a training that failed."""
    shutil.copy(checkout / "artifacts" / "model.onnx", retrained)

    assert propose(checkout, retrained).endswith("is identical to the current model; nothing to do")
    assert git(checkout, "branch", "--show-current") == "main"


def test_an_invalid_model_is_not_proposed(checkout: Path, retrained: Path) -> None:
    """The file is loaded first, which checks its checksum and its golden rows."""
    content = (retrained / "model.onnx").read_bytes()
    (retrained / "model.onnx").write_bytes(content[:-1])

    with pytest.raises(ContractError):
        propose(checkout, retrained)

    assert git(checkout, "branch", "--show-current") == "main"


def test_a_missing_gh_is_an_error(
    checkout: Path, retrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the program."""
    (tmp_path / "bin" / "gh").unlink()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")

    with pytest.raises(DeployError, match="gh is not installed"):
        propose(checkout, retrained)
