"""The service, the officer's page and a browser, started on this machine for tests and screenshots."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser, sync_playwright

from deploy.dyno import BOOT_SECONDS, free_port, wait_until_ready
from deploy.slug import ROOT

CHROMIUM_FLAGS = (
    "--no-sandbox",  # a build machine is root, where Chromium's sandbox can't work
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

_SETTINGS = ("HOST", "PORT", "WEB_CONCURRENCY", "MODEL_PATH", "API_KEYS", "LOG_LEVEL")
_CLIENT_SETTINGS = ("CREDIT_API_URL", "CREDIT_API_KEY", "CREDIT_TABLE")


class LocalError(Exception):
    """Something didn't start; the message says what, and what to do."""


@contextmanager
def running_service() -> Iterator[str]:
    """The service around the artifact of the checkout, without keys; yields its address."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    with _running([sys.executable, "-m", "serve"], {"PORT": str(port), "LOG_LEVEL": "warning"}) as process:
        wait_until_ready(base, process, time.monotonic())
        yield base


@contextmanager
def running_page(api_url: str) -> Iterator[str]:
    """The officer's page in front of a service; yields its address."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "streamlit", "run", "client/app.py", "--server.port", str(port)]
    with _running(command, {"CREDIT_API_URL": api_url}) as process:
        _wait_until_healthy(base, process)
        yield base


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Headless Chromium; raises LocalError where it isn't installed."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        raise LocalError("no Chromium on this machine; install it: apt-get install chromium (.ci/chromium does it)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def _running(command: list[str], settings: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process with these settings of ours and no others; ended with all its children."""
    inherited = {name: value for name, value in os.environ.items() if name not in _SETTINGS + _CLIENT_SETTINGS}
    with subprocess.Popen(
        command, cwd=Path(ROOT), env=inherited | settings, stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _wait_until_healthy(base: str, process: subprocess.Popen[bytes]) -> None:
    started = time.monotonic()
    while time.monotonic() - started < BOOT_SECONDS:
        if process.poll() is not None:
            raise LocalError(f"the officer's page ended with code {process.returncode}; try: make client")
        try:
            httpx.get(f"{base}/_stcore/health", trust_env=False).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.02)
        else:
            return
    raise LocalError(f"the officer's page didn't get ready within {BOOT_SECONDS:g} s; try: make client")
