"""runtime.txt: which Python the platform installs, and where this machine has it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.errors import DeployError

FORM = re.compile(r"\s*python-((?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))?)\s*", re.ASCII)
"""The same form that the buildpack demands (lib/python_version.sh: python_version::parse_runtime_txt)."""


def read_runtime(root: Path) -> str:
    """The version that root/runtime.txt asks for, such as 3.13; raises DeployError for what the platform refuses."""
    try:
        content = (root / "runtime.txt").read_text()
    except OSError as error:
        raise DeployError(f"can't read {root / 'runtime.txt'}: {error.strerror}; write python-3.13 into it") from error
    found = FORM.fullmatch(content)
    if not found:
        raise DeployError(f"runtime.txt says {content[:40]!r}, expected python-MAJOR.MINOR; write python-3.13 into it")
    return found[1]


def find_python(version: str) -> Path:
    """An interpreter of that version: on PATH, of pyenv, or of uv; else the one that runs now, and a line says so."""
    for candidate in (shutil.which(f"python{minor(version)}"), *(_ask(command) for command in _finders(version))):
        if candidate and is_version(Path(candidate), minor(version)):
            return Path(candidate)
    print(f"Python {version} of runtime.txt isn't on this machine: {sys.version.split()[0]} stands in", file=sys.stderr)
    return Path(sys.executable)


def minor(version: str) -> str:
    """3.13 of 3.13.4."""
    return ".".join(version.split(".")[:2])


def is_version(python: Path, version: str) -> bool:
    """Whether an interpreter runs and is of that minor version; a shim of a version manager may do neither."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip() == version
    except OSError:
        return False


def _finders(version: str) -> list[list[str]]:
    return [
        ["pyenv", "prefix", minor(version)],
        [sys.executable, "-m", "uv", "python", "find", "--no-python-downloads", minor(version)],
    ]


def _ask(command: list[str]) -> str | None:
    try:
        found = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:
        return None
    return f"{found}/bin/python" if found and Path(found).is_dir() else found
