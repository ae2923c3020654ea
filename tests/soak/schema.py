"""Runs schemathesis against a service, with requests generated from /openapi.json."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.serve.running import ROOT
from tests.soak.media import URL

CONFIG = Path(__file__).with_name("schemathesis.toml")

SETTINGS = {"MAX_ROWS": "100", "QUEUE_BODIES": "100"}
"""Settings of the service: small bodies can exceed MAX_ROWS, and no request gets 503."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Numbers of requests and failures, and the output of schemathesis."""

    requests: int
    failures: int
    text: str


class Explorer:
    """A running schemathesis process."""

    def __init__(self, base: str, seed: int, *arguments: str) -> None:
        # schemathesis leaves files in its working directory.
        self._folder = TemporaryDirectory(prefix="schemathesis-")
        program = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)]
        order = ["run", f"{base}/openapi.json", "--checks", "all", "--seed", str(seed), "--no-shrink", *arguments]
        self._process = subprocess.Popen(
            [*program, *order],
            cwd=self._folder.name,
            env=os.environ | {URL: base, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def finish(self) -> Verdict:
        """Wait for its end."""
        text, _ = self._process.communicate()
        self._folder.cleanup()
        made = re.search(r"(\d+) generated", text)
        failed = re.search(r"(\d+) (?:unique )?failures?", text)
        errors = re.search(r"(\d+) errors?", text)
        failures = sum(int(found.group(1)) for found in (failed, errors) if found)
        if made is None or (self._process.returncode and not failures):
            failures = max(failures, 1)
        return Verdict(int(made.group(1)) if made else 0, failures, text)
