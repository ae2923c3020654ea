"""Which files the platform keeps: everything of the service, nothing of training."""

from __future__ import annotations

import subprocess
from pathlib import Path, PurePosixPath

import pytest

from deploy.slugignore import is_ignored, kept_files, remove_ignored

SERVED = (
    "Procfile",
    "requirements.txt",
    "runtime.txt",
    "artifacts/model.onnx",
    "model/contract.py",
    "model/session.py",
    "serve/__main__.py",
    "serve/app.py",
    "serve/api/routes.py",
    "serve/static/index.html",
    "bin/post_compile",
    "bin/prune.py",
)


@pytest.fixture(scope="module")
def kept(root: Path) -> list[str]:
    """The files of this checkout that are deployed."""
    return kept_files(root)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/train", "train/export/graph.py"),
        ("/train", "train"),
        ("/README.md", "README.md"),
        ("/requirements-*.txt", "requirements-dev.txt"),
        ("/data", "data/credit.csv"),
        ("/data/", "data/credit.csv"),
        ("/data/raw", "data/raw/credit.csv"),
        ("data/raw", "data/raw/credit.csv"),
        ("data/raw/", "data/raw/credit.csv"),
        ("/data/*.csv", "data/credit.csv"),
        ("__pycache__", "serve/__pycache__/app.pyc"),
        ("__pycache__/", "serve/__pycache__/app.pyc"),
        ("*.md", "README.md"),
        ("*.md", "serve/notes/NOTES.md"),
    ],
)
def test_a_pattern_leaves_out_what_it_names(pattern: str, path: str) -> None:
    """`/name` and `a/b` from the root with all that is in it, `name` and `*.ext` anywhere; a last slash is idle."""
    assert is_ignored(path, ["/other", pattern])


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/train", "serve/train/graph.py"),
        ("/train", "train.py"),
        ("/train", "training/graph.py"),
        ("/data/", "serve/data/credit.csv"),
        ("data/raw", "serve/data/raw/credit.csv"),
        ("data/raw", "raw/credit.csv"),
        ("/data/raw", "data/raw.csv"),
        ("/data/raw", "raw/credit.csv"),
        ("*.md", "README.md.txt"),
        ("data", "database/credit.csv"),
    ],
)
def test_a_pattern_keeps_what_it_does_not_name(pattern: str, path: str) -> None:
    """The same name elsewhere, or a name that only begins alike."""
    assert not is_ignored(path, ["/other", pattern])


def test_without_patterns_everything_is_kept() -> None:
    """Nothing is left out that nobody asked for."""
    assert not is_ignored("train/graph.py", [])


def test_comments_and_empty_lines_name_nothing(tmp_path: Path) -> None:
    """Also where they are indented; an indented pattern counts."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    for name in ("a.txt", "b.txt", "# a.txt"):
        (tmp_path / name).touch()
    (tmp_path / ".slugignore").write_text("# a.txt\n\n  \n  # a.txt\n\t#*\n  b.txt\n/.slugignore\n")

    assert ["# a.txt", "a.txt"] == sorted(kept_files(tmp_path))


@pytest.mark.parametrize("path", SERVED)
def test_all_that_the_service_needs_is_kept(kept: list[str], path: str) -> None:
    """The service, its model, its packages and the platform's own files."""
    assert path in kept


@pytest.mark.parametrize("folder", ["train", "tests", "data", "deploy", "docs", ".git", ".github", ".venv", "build"])
def test_nothing_of_training_or_its_tools_is_kept(kept: list[str], folder: str) -> None:
    """Not one file of these folders is deployed."""
    assert [] == [path for path in kept if PurePosixPath(path).parts[0] == folder]


def test_ignored_files_are_removed_from_a_pushed_tree(tmp_path: Path) -> None:
    """As the platform does before it builds; a tree without .slugignore stays whole."""
    for path in ("train/graph.py", "serve/app.py", "notes.md", ".hidden"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    remove_ignored(tmp_path)
    assert (tmp_path / "notes.md").exists()

    (tmp_path / ".slugignore").write_text("/train\n*.md\n")
    remove_ignored(tmp_path)

    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert [".hidden", ".slugignore", "serve/app.py"] == left
