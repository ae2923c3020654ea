"""Check that Spark finds Java."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from train.errors import TrainingError

MIN_VERSION = 17


def require_java() -> None:
    """Raise TrainingError unless Java 17 or newer is where Spark looks for it: JAVA_HOME, then PATH."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    found = _version(java) if java else None
    if found is None or found < MIN_VERSION:
        what = "found none" if found is None else f"found Java {found} ({java})"
        raise TrainingError(
            f"Spark needs Java {MIN_VERSION} or newer, {what}; install one (Debian: apt-get install "
            f"openjdk-{MIN_VERSION}-jre-headless), set JAVA_HOME, or use --engine duckdb"
        )


def _version(java: str) -> int | None:
    """The major version that `java -version` reports, None if it fails."""
    try:
        output = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=True).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', output)
    return int(match[1]) if match else None
