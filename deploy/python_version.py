"""Read runtime.txt, which names the Python version of the platform, and find that Python on this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.errors import DeployError

PATTERN = re.compile(r"\s*python-((?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))?)\s*", re.ASCII)
"""As the buildpack reads it (lib/python_version.sh: python_version::parse_runtime_txt)."""


def read_runtime(root: Path) -> str:
    """The version in root/runtime.txt, such as 3.13; raises DeployError if the platform would reject the file."""
    try:
        content = (root / "runtime.txt").read_text()
    except OSError as error:
        raise DeployError(f"can't read {root / 'runtime.txt'}: {error.strerror}; write python-3.13 into it") from error
    found = PATTERN.fullmatch(content)
    if not found:
        raise DeployError(f"runtime.txt says {content[:40]!r}, expected python-MAJOR.MINOR; write python-3.13 into it")
    return found[1]


def find_python(version: str) -> Path:
    """Find an interpreter of that version on PATH, in pyenv or in uv; else warn and return the running one."""
    minor = minor_version(version)
    finders = (
        ["pyenv", "prefix", minor],
        [sys.executable, "-m", "uv", "python", "find", "--no-python-downloads", minor],
    )
    for candidate in (shutil.which(f"python{minor}"), *(_run_finder(command) for command in finders)):
        if candidate and is_version(Path(candidate), minor):
            return Path(candidate)
    used = sys.version.split()[0]
    print(f"warning: Python {version} of runtime.txt is not on this machine; using {used} instead", file=sys.stderr)
    return Path(sys.executable)


def minor_version(version: str) -> str:
    """Major and minor version: 3.13 for 3.13.4."""
    return ".".join(version.split(".")[:2])


def is_version(python: Path, version: str) -> bool:
    """Whether an interpreter runs and has that minor version; the shim of a version manager may do neither."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip() == version
    except OSError:
        return False


def _run_finder(command: list[str]) -> str | None:
    """The interpreter that a version manager prints, or that is in the folder that it prints; None if not installed."""
    try:
        found = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:
        return None
    return f"{found}/bin/python" if found and Path(found).is_dir() else found
