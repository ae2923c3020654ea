"""Run the service and the loan officer's page on this machine, for tests and screenshots."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from deploy import ROOT
from deploy.dyno import free_port, wait_until_ready

# A developer's own settings, which must not reach the processes.
_SERVICE_SETTINGS = (
    *("HOST", "PORT", "WEB_CONCURRENCY", "MODEL_PATH", "LOG_LEVEL"),
    *("API_KEYS", "CHALLENGER_PATH", "DECISIONS", "DECISIONS_KEYS", "DECISIONS_SPOOL", "DECISIONS_URL"),
)
_CLIENT_SETTINGS = ("CREDIT_API_URL", "CREDIT_API_KEY", "CREDIT_TABLE")


@contextmanager
def run_local_service(**settings: str) -> Iterator[str]:
    """Serve the checkout's model file with these settings and no others; yields the base URL.

    Raises DeployError if it doesn't start.
    """
    port = free_port()
    with _run_module(["serve"], port, "/readyz", PORT=str(port), LOG_LEVEL="warning", **settings) as base:
        yield base


@contextmanager
def run_local_page(api_url: str, api_key: str = "") -> Iterator[str]:
    """Run the loan officer's page for a service; yields the base URL. Raises DeployError if it doesn't start."""
    port = free_port()
    command = ["streamlit", "run", "client/app.py", "--server.port", str(port)]
    with _run_module(command, port, "/_stcore/health", CREDIT_API_URL=api_url, CREDIT_API_KEY=api_key) as base:
        yield base


@contextmanager
def _run_module(module: list[str], port: int, health: str, **settings: str) -> Iterator[str]:
    """Run `python -m MODULE …` until the end of the block; `settings` replace those of the developer."""
    inherited = {name: value for name, value in os.environ.items() if name not in _SERVICE_SETTINGS + _CLIENT_SETTINGS}
    base, started = f"http://127.0.0.1:{port}", time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", *module],
        cwd=ROOT,
        env=inherited | settings,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            wait_until_ready(base, process, started, health)
            yield base
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
