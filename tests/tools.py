"""The programs that some tests need beside Python: a missing one skips the test, and fails it where CI=true."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import NoReturn

import pytest


def require(name: str) -> str:
    """The path of a program, "curl", "java" or "node"; skips the test where the machine lacks it."""
    path = shutil.which(name)
    if path is None:
        skip_without(name)
    if name == "curl" and "HTTP2" not in _ask_version(path, "--version"):
        skip_without("curl with HTTP/2")
    if name == "java" and int((re.search(r'version "(\d+)', _ask_version(path, "-version")) or [0, 0])[1]) < 17:
        skip_without("Java 17")
    return path


def require_playwright() -> None:
    """Skip the test where Playwright's driver doesn't start: it needs libatomic of the system."""
    if "Version" not in _ask_version(sys.executable, "-m", "playwright", "--version"):
        skip_without("libatomic (Debian's libatomic1)")


def skip_without(name: str) -> NoReturn:
    """Skip the test, or fail it where CI=true: there the machine must have everything."""
    message = f"no {name} on this machine: run `make tools`"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def _ask_version(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
