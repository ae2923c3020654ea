"""runtime.txt is read as the buildpack reads it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deploy.errors import DeployError
from deploy.python_version import find_python, is_version, read_runtime

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize(
    ("content", "version"),
    [("python-3.13", "3.13"), ("python-3.13\n", "3.13"), (" \tpython-3.12.7 \n\n", "3.12.7"), ("python-3.0", "3.0")],
)
def test_a_version_is_read(tmp_path: Path, content: str, version: str) -> None:
    """With or without a patch version and white space around it."""
    (tmp_path / "runtime.txt").write_text(content)

    assert read_runtime(tmp_path) == version


@pytest.mark.parametrize(
    "content",
    ["", "3.13", "python-3", "python-3.13 # newest", "Python-3.13", "python-3.013", "python-3.13.x", "pypy-7"],
)
def test_what_the_platform_rejects_is_an_error(tmp_path: Path, content: str) -> None:
    """It shows the expected form."""
    (tmp_path / "runtime.txt").write_text(content)

    with pytest.raises(DeployError, match=r"expected python-MAJOR\.MINOR"):
        read_runtime(tmp_path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    """It says what to write; the platform would choose any version."""
    with pytest.raises(DeployError, match=r"write python-3\.13 into it"):
        read_runtime(tmp_path)


def test_the_committed_file_names_a_tested_version(root: Path) -> None:
    """One of those in the CI matrix."""
    assert read_runtime(root) in {"3.11", "3.12", "3.13"}


def test_an_interpreter_of_a_version_is_found() -> None:
    """The patch version may differ."""
    assert is_version(find_python(f"{THIS}.0"), THIS)


def test_the_running_interpreter_replaces_a_missing_one(capsys: pytest.CaptureFixture[str]) -> None:
    """With a warning."""
    assert find_python("3.99") == Path(sys.executable)
    assert "Python 3.99 of runtime.txt is not on this machine" in capsys.readouterr().err


def test_a_shim_that_fails_is_no_interpreter(tmp_path: Path) -> None:
    """Version managers put such programs on PATH for versions that are not installed."""
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)

    assert not is_version(shim, "3.13")
    assert not is_version(tmp_path / "none", "3.13")
