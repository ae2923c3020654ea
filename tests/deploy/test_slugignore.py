""".slugignore excludes everything that the service does not need, and is read as Heroku reads it."""

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
    "decisions/recorder.py",
    "decisions/schema/postgresql/1.sql",
    "decisions/schema/sqlite/1.sql",
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
        ("/requirements-*.txt", "requirements-train.txt"),
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
def test_a_pattern_excludes_a_path(pattern: str, path: str) -> None:
    """`/name` and `a/b` match from the root, `name` and `*.ext` anywhere; a last slash is ignored."""
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
def test_a_pattern_does_not_exclude_similar_paths(pattern: str, path: str) -> None:
    """The same name elsewhere, or a name that only starts with it."""
    assert not is_ignored(path, ["/other", pattern])


def test_nothing_is_excluded_without_patterns() -> None:
    """As without a .slugignore."""
    assert not is_ignored("train/graph.py", [])


def test_comments_and_empty_lines_are_no_patterns(tmp_path: Path) -> None:
    """Even if they are indented; an indented pattern is one."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    for name in ("a.txt", "b.txt", "# a.txt"):
        (tmp_path / name).touch()
    (tmp_path / ".slugignore").write_text("# a.txt\n\n  \n  # a.txt\n\t#*\n  b.txt\n/.slugignore\n")

    assert sorted(kept_files(tmp_path)) == ["# a.txt", "a.txt"]


@pytest.mark.parametrize("path", SERVED)
def test_a_file_of_the_service_is_kept(kept: list[str], path: str) -> None:
    """Also the model file, requirements.txt and the platform's own files."""
    assert path in kept


@pytest.mark.parametrize("folder", ["train", "tests", "data", "deploy", "docs", ".git", ".github", ".venv", "build"])
def test_no_file_of_other_folders_is_kept(kept: list[str], folder: str) -> None:
    """Training, tests and tools are not deployed."""
    assert [path for path in kept if PurePosixPath(path).parts[0] == folder] == []


def test_ignored_files_are_removed_from_a_pushed_tree(tmp_path: Path) -> None:
    """As the platform does before a build; without .slugignore nothing is removed."""
    for path in ("train/graph.py", "serve/app.py", "notes.md", ".hidden"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    remove_ignored(tmp_path)
    assert (tmp_path / "notes.md").exists()

    (tmp_path / ".slugignore").write_text("/train\n*.md\n")
    remove_ignored(tmp_path)

    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert left == [".hidden", ".slugignore", "serve/app.py"]
