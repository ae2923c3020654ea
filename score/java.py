"""Checks for the Java that Spark needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from score.errors import ScoringError

MIN_JAVA = 17
"""Oldest version that Spark 4 supports."""


def check_java(environment: Mapping[str, str] = os.environ) -> int:
    """The version of the Java that Spark will find, in JAVA_HOME or else on the PATH.

    Raises ScoringError if there is none, or it is older than MIN_JAVA.
    """
    home = environment.get("JAVA_HOME")
    java = Path(home, "bin", "java") if home else shutil.which("java", path=environment.get("PATH", ""))
    found = f"{java} is Java {version}" if java and (version := _version(Path(java))) else f"found {java or 'none'}"
    if not java or not version or version < MIN_JAVA:
        raise ScoringError(
            f"the Spark engine needs Java {MIN_JAVA} or newer, {found}: install it "
            f"(Debian: apt-get install openjdk-{MIN_JAVA}-jre-headless) or set JAVA_HOME"
        )
    return version


def _version(java: Path) -> int | None:
    try:
        output = subprocess.run([java, "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return None
    match = re.search(r'version "(?:1\.)?(\d+)', output)
    return int(match[1]) if match else None
