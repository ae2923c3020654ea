"""The check for Java that precedes Spark."""

from __future__ import annotations

from pathlib import Path

import pytest

from score.errors import ScoringError
from score.java import check_java


def java_home(folder: Path, output: str, code: int = 0) -> Path:
    """A JAVA_HOME whose java prints this version."""
    java = folder / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho '{output}' >&2\nexit {code}\n")
    java.chmod(0o755)
    return folder


@pytest.mark.parametrize("output", ['openjdk version "17.0.15" 2025-04-15', 'java version "21" 2023-09-19'])
def test_java_17_and_newer_are_accepted(tmp_path: Path, output: str) -> None:
    """OpenJDK and Oracle print the version in different forms."""
    assert check_java({"JAVA_HOME": str(java_home(tmp_path, output))}) >= 17


@pytest.mark.parametrize(
    ("output", "code", "found"),
    [
        ('java version "1.8.0_392"', 0, "is Java 8"),
        ('openjdk version "11.0.1"', 0, "is Java 11"),
        ("broken", 1, "found"),
    ],
)
def test_an_unsuitable_java_is_refused(tmp_path: Path, output: str, code: int, found: str) -> None:
    """The message has its version, if known, and how to install the right one."""
    with pytest.raises(ScoringError, match=rf"needs Java 17 or newer, .*{found}.*: install it \(Debian: apt-get"):
        check_java({"JAVA_HOME": str(java_home(tmp_path, output, code))})


def test_a_missing_java_is_refused(tmp_path: Path) -> None:
    """JAVA_HOME is not set and PATH has no java."""
    with pytest.raises(ScoringError, match="needs Java 17 or newer, found none: install it"):
        check_java({"PATH": str(tmp_path)})
