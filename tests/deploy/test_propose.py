"""`make propose`: a branch, a changelog entry and a pull request, in real repositories; gh is a program that notes."""

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
printf '%s\\n' "$@" > "$GH_NOTES"
echo https://example.org/pull/1
"""


def git(folder: Path, *arguments: str) -> str:
    """What a git command prints."""
    author = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    command = ["git", "-C", str(folder), *author, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with an artifact, its origin, and gh on the path."""
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
    monkeypatch.setenv("GH_NOTES", str(tmp_path / "notes"))
    return folder


@pytest.fixture
def retrained(root: Path, tmp_path: Path) -> Path:
    """What `make retrain` left: a model and a report."""
    folder = tmp_path / "retrained"
    folder.mkdir()
    shutil.copy(root / "artifacts" / "model.onnx", folder)
    (folder / "report.html").write_text("<p>well</p>")
    return folder


def test_a_model_is_proposed_with_its_entry(checkout: Path, retrained: Path, tmp_path: Path) -> None:
    """On a branch of its own, committed by the workflow's account; main stays as it is."""
    model = load_model(retrained / "model.onnx")
    branch = f"retrain/{model.contract.version}"

    answer = propose(checkout, retrained)

    assert "https://example.org/pull/1" == answer
    files = git(checkout, "ls-tree", "-r", "--name-only", f"origin/{branch}").splitlines()
    assert ["artifacts/CHANGELOG.md", "artifacts/model.onnx", "artifacts/report.html"] == files
    assert "github-actions[bot]" == git(checkout, "log", "-1", "--format=%an", f"origin/{branch}")
    assert write_entry(model) in git(checkout, "show", f"origin/{branch}:artifacts/CHANGELOG.md") + "\n"
    assert "Begin" == git(checkout, "log", "-1", "--format=%s", "origin/main")
    notes = (tmp_path / "notes").read_text()
    assert notes.startswith(f"pr\ncreate\n--head\n{branch}\n--title\nRetrain credit_data: {model.contract.version}\n")
    assert model.sha256 in notes


def test_a_model_is_proposed_once(checkout: Path, retrained: Path) -> None:
    """A second run of the month finds its branch."""
    propose(checkout, retrained)
    git(checkout, "switch", "--quiet", "main")

    assert propose(checkout, retrained).endswith("was proposed before")


def test_a_broken_model_is_never_proposed(checkout: Path, retrained: Path) -> None:
    """Its checksum is checked and its golden rows are replayed once more."""
    content = (retrained / "model.onnx").read_bytes()
    (retrained / "model.onnx").write_bytes(content[:-1])

    with pytest.raises(ContractError):
        propose(checkout, retrained)

    assert "main" == git(checkout, "branch", "--show-current")


def test_without_gh_it_says_what_is_missing(
    checkout: Path, retrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The branch is pushed by then."""
    (tmp_path / "bin" / "gh").unlink()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")

    with pytest.raises(DeployError, match="gh is not installed"):
        propose(checkout, retrained)


def test_entries_stand_newest_first() -> None:
    """Below the introduction, above the last one; nothing else of the file changes."""
    one = add_entry(CHANGELOG, "## [1] - today\n\n### Changed\n\n- One.\n")
    two = add_entry(one, "## [2] - today\n\n### Changed\n\n- Two.\n")

    assert one.startswith(CHANGELOG.rstrip())
    assert [2, 1] == [int(line[4]) for line in two.splitlines() if line.startswith("## [")]
    assert two.endswith("\n\n## [1] - today\n\n### Changed\n\n- One.\n")
