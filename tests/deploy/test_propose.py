"""`make propose`: a branch, a changelog entry and a pull request, with real repositories and a fake gh."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from deploy.errors import DeployError
from deploy.propose import CHANGELOG, add_entry, propose, write_entry
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
    """A clone with a model file, its origin, and a fake gh on PATH that writes its arguments to a file."""
    origin, folder = tmp_path / "origin", tmp_path / "checkout"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(origin)], check=True)
    subprocess.run(["git", "clone", "--quiet", str(origin), str(folder)], check=True, capture_output=True)
    (folder / "artifacts").mkdir()
    shutil.copy(root / "artifacts" / "model.onnx", folder / "artifacts")
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
def retrained(root: Path, tmp_path: Path) -> Path:
    """The output of `make retrain`: a model and a report."""
    folder = tmp_path / "retrained"
    folder.mkdir()
    shutil.copy(root / "artifacts" / "model.onnx", folder)
    (folder / "report.html").write_text("<p>Report</p>")
    return folder


def test_a_model_is_proposed_with_its_entry(checkout: Path, retrained: Path, tmp_path: Path) -> None:
    """On its own branch, committed as github-actions[bot]; main is unchanged."""
    model = load_model(retrained / "model.onnx")
    branch = f"retrain/{model.contract.version}"

    url = propose(checkout, retrained)

    assert url == "https://example.org/pull/1"
    files = git(checkout, "ls-tree", "-r", "--name-only", f"origin/{branch}").splitlines()
    assert files == ["artifacts/CHANGELOG.md", "artifacts/model.onnx", "artifacts/report.html"]
    assert git(checkout, "log", "-1", "--format=%an", f"origin/{branch}") == "github-actions[bot]"
    assert write_entry(model) in git(checkout, "show", f"origin/{branch}:artifacts/CHANGELOG.md") + "\n"
    assert git(checkout, "log", "-1", "--format=%s", "origin/main") == "Begin"
    arguments = (tmp_path / "arguments").read_text()
    assert arguments.startswith(
        f"pr\ncreate\n--head\n{branch}\n--title\nRetrain credit_data: {model.contract.version}\n"
    )
    assert model.sha256 in arguments


def test_a_model_is_proposed_once(checkout: Path, retrained: Path) -> None:
    """A second run finds the branch."""
    propose(checkout, retrained)
    git(checkout, "switch", "--quiet", "main")

    assert propose(checkout, retrained).endswith("exists already; nothing to do")


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


def test_a_new_entry_is_inserted_above_the_others() -> None:
    """Below the introduction; the rest of the file is unchanged."""
    one = add_entry(CHANGELOG, "## [1] - today\n\n### Changed\n\n- One.\n")
    two = add_entry(one, "## [2] - today\n\n### Changed\n\n- Two.\n")

    assert one.startswith(CHANGELOG.rstrip())
    assert [int(line[4]) for line in two.splitlines() if line.startswith("## [")] == [2, 1]
    assert two.endswith("\n\n## [1] - today\n\n### Changed\n\n- One.\n")
