"""Where the deployed service is: DEPLOYED_URL, or a server of this checkout that is started for the tests.

`make smoke URL=…` runs these tests without tests/conftest.py, in an environment without anything of training.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from serve.model import Model, load_model

ROOT = Path(__file__).resolve().parent.parent.parent
LATENCIES = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The base URL of the service."""
    if given := os.environ.get("DEPLOYED_URL"):
        yield given.rstrip("/")
        return
    # This checkout's own server: the port it has chosen is in the line that uvicorn prints.
    command = [sys.executable, "-m", "serve"]
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": "0"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stderr is not None
            lines = iter(server.stderr.readline, "")
            found = next(match for line in lines if (match := re.search(r"running on (http://\S+)", line)))
            yield found[1]
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate()


@pytest.fixture(scope="session")
def client(url: str) -> Iterator[httpx.Client]:
    """One connection to it, as an app would keep one."""
    with httpx.Client(base_url=url, timeout=30.0) as client:
        yield client


@pytest.fixture(scope="session")
def model() -> Model:
    """The artifact of this checkout, which is expected to be the one that is served."""
    return load_model(ROOT / "artifacts" / "model.onnx")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the latency that test_latency measured."""
    if measured := config.stash.get(LATENCIES, None):
        terminalreporter.write_line(measured)
