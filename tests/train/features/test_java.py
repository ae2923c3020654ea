"""Java for Spark is found, or asked for in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from train.errors import TrainingError
from train.features.engines import Spark


def make_java(home: Path, version: str) -> None:
    """A `java` that says it is of a version."""
    java = home / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2020-01-01' >&2\n")
    java.chmod(0o755)


@pytest.mark.parametrize(("version", "found"), [("11.0.2", "found Java 11"), ("1.8.0_292", "found Java 8")])
def test_a_java_too_old_is_named(version: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its version, its path, and the way to a newer one."""
    make_java(tmp_path, version)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    with pytest.raises(TrainingError, match=found) as caught:
        Spark("local[1]", "1GB")

    assert str(tmp_path / "bin" / "java") in str(caught.value)


@pytest.mark.parametrize("home", ["", "/nowhere"])
def test_no_java_at_all_is_said_with_what_to_install(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in JAVA_HOME nor on the path."""
    monkeypatch.setenv("JAVA_HOME", home)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(TrainingError, match=r"found none; install one .*openjdk-17-jre-headless"):
        Spark("local[1]", "1GB")
