"""The deployed service at DEPLOYED_URL, or a server of this checkout that is started for the tests.

`make smoke URL=…` runs these tests without tests/conftest.py, in an environment without the training packages.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.dyno import free_port, wait_until_ready
from model.loading import load_model
from model.session import Model

ROOT = Path(__file__).resolve().parent.parent.parent
ARTIFACT = ROOT / "artifacts" / "model.onnx"
LATENCIES = pytest.StashKey[str]()


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The base URL of the service."""
    if given := os.environ.get("DEPLOYED_URL"):
        yield given.rstrip("/")
        return
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port), "MODEL_PATH": str(ARTIFACT)}
    command = [sys.executable, "-m", "serve"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            wait_until_ready(base, server, time.monotonic())
            yield base
        finally:
            server.terminate()


@pytest.fixture(scope="session")
def client(url: str) -> Iterator[httpx.Client]:
    """A client with one persistent connection."""
    with httpx.Client(base_url=url, timeout=30.0) as client:
        yield client


@pytest.fixture(scope="session")
def model() -> Model:
    """The model of this checkout, which the service is expected to serve."""
    return load_model(ARTIFACT)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the latency that test_latency measured."""
    if measured := config.stash.get(LATENCIES, None):
        terminalreporter.write_line(measured)
