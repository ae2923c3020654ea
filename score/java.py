"""Finding the Java that Spark runs on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from score.errors import ScoringError

OLDEST = 17
"""Spark 4 runs on nothing older."""


def check_java(environment: Mapping[str, str] = os.environ) -> None:
    """Raise ScoringError, in one sentence, unless Spark will find Java 17 or newer (JAVA_HOME, else the PATH)."""
    home = environment.get("JAVA_HOME")
    java = Path(home, "bin", "java") if home else shutil.which("java", path=environment.get("PATH", ""))
    found = f"{java} is Java {version}" if java and (version := _version(Path(java))) else f"found {java or 'none'}"
    if not java or not version or version < OLDEST:
        raise ScoringError(
            f"the Spark engine needs Java {OLDEST} or newer, {found}: install it "
            f"(Debian: apt-get install openjdk-{OLDEST}-jre-headless) or set JAVA_HOME"
        )


def _version(java: Path) -> int | None:
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', told)
    return int(match[1]) if match else None
