"""Apply .slugignore as Heroku does: it removes the matching files after a push, before the buildpack runs."""

from __future__ import annotations

import subprocess
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath


def kept_files(root: Path) -> list[str]:
    """The files of a checkout, committed or not, that .slugignore does not exclude; paths relative to the root."""
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root, text=True
    ).split("\0")
    patterns = read_patterns(root)
    return [path for path in listed if (root / path).is_file() and not is_ignored(path, patterns)]


def remove_ignored(tree: Path) -> None:
    """Remove the files of a tree that its .slugignore excludes."""
    patterns = read_patterns(tree)
    for path in [path for path in tree.rglob("*") if path.is_symlink() or path.is_file()]:
        if is_ignored(path.relative_to(tree).as_posix(), patterns):
            path.unlink()


def read_patterns(root: Path) -> list[str]:
    """The patterns of root/.slugignore; empty if there is no such file."""
    path = root / ".slugignore"
    lines = [line.strip() for line in path.read_text().splitlines()] if path.exists() else []
    return [line for line in lines if line and not line.startswith("#")]


def is_ignored(path: str, patterns: list[str]) -> bool:
    """Whether a pattern excludes a path: `/name` and `a/b` match from the root, `name` and `*.ext` anywhere."""
    parts = PurePosixPath(path).parts
    for pattern in (pattern.rstrip("/") for pattern in patterns):
        if "/" in pattern:
            names = pattern.removeprefix("/")
            if fnmatch("/".join(parts[: names.count("/") + 1]), names):
                return True
        elif any(fnmatch(part, pattern) for part in parts):
            return True
    return False
