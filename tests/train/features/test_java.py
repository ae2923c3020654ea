"""The check for Java."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.errors import TrainingError
from train.features.engines import Spark


def make_java(home: Path, version: str) -> None:
    """Write a `java` that reports a version."""
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2020-01-01' >&2\n")
    java.chmod(0o755)


@pytest.mark.parametrize(("version", "found"), [("11.0.2", "found Java 11"), ("1.8.0_292", "found Java 8")])
def test_an_old_java_is_refused(version: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message gives version and path."""
    make_java(tmp_path, version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    with pytest.raises(TrainingError, match=found) as caught:
        Spark("local[1]", "1GB")

    assert str(tmp_path / "bin" / "java") in str(caught.value)


@pytest.mark.parametrize("home", ["", "/nowhere"])
def test_a_missing_java_is_reported(home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the package to install."""
    monkeypatch.setenv("JAVA_HOME", home)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(TrainingError, match=r"found none; install one .*openjdk-17-jre-headless"):
        Spark("local[1]", "1GB")
