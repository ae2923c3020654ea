"""Spark's Java is found, or asked for in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from score.errors import ScoringError
from score.java import check_java


def java_home(folder: Path, told: str, code: int = 0) -> Path:
    """A JAVA_HOME whose Java tells this version."""
    java = folder / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho '{told}' >&2\nexit {code}\n")
    java.chmod(0o755)
    return folder


@pytest.mark.parametrize("told", ['openjdk version "17.0.15" 2025-04-15', 'java version "21" 2023-09-19'])
def test_java_17_and_newer_will_do(tmp_path: Path, told: str) -> None:
    """Whoever made it."""
    check_java({"JAVA_HOME": str(java_home(tmp_path, told))})


@pytest.mark.parametrize(
    ("told", "code", "found"),
    [
        ('java version "1.8.0_392"', 0, "is Java 8"),
        ('openjdk version "11.0.1"', 0, "is Java 11"),
        ("broken", 1, "found"),
    ],
)
def test_another_java_is_named(tmp_path: Path, told: str, code: int, found: str) -> None:
    """With how to get the right one."""
    with pytest.raises(ScoringError, match=rf"needs Java 17 or newer, .*{found}.*: install it \(Debian: apt-get"):
        check_java({"JAVA_HOME": str(java_home(tmp_path, told, code))})


def test_no_java_is_said(tmp_path: Path) -> None:
    """Nothing on the PATH."""
    with pytest.raises(ScoringError, match="needs Java 17 or newer, found none: install it"):
        check_java({"PATH": str(tmp_path)})
