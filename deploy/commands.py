"""Run a program such as git or gh."""

from __future__ import annotations

import subprocess
from pathlib import Path

from deploy.errors import DeployError

MAX_SHOWN = 100
"""Characters of a command that an error message repeats."""


def run(*command: str, cwd: Path) -> str:
    """Run a command and return what it prints; raises DeployError if it fails or isn't installed."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise DeployError(f"{command[0]} is not installed; install it and try again") from error
    if done.returncode != 0:
        raise DeployError(f"{' '.join(command)[:MAX_SHOWN]}: {done.stderr.strip()}")
    return done.stdout.strip()
