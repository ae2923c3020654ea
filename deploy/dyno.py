"""Run a slug's Procfile on this machine as Heroku runs it in a dyno.

The release command runs once. The web command gets a $PORT and must listen on it within MAX_BOOT_SECONDS; SIGTERM
ends it, and SIGKILL after MAX_STOP_SECONDS.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
from honcho.environ import parse_procfile

from deploy.buildpack import make_environment, run
from deploy.errors import DeployError

MAX_BOOT_SECONDS = 60.0
"""Heroku's limit (error R10)."""
MAX_STOP_SECONDS = 30.0
"""Heroku's limit (error R12)."""


@dataclass(frozen=True, slots=True)
class Dyno:
    """A running web process and the port it was given."""

    process: subprocess.Popen[bytes]
    port: int
    started: float

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def wait_until_bound(self) -> bool:
        """Wait until something listens on the port; False if the process ended or took too long."""
        while time.monotonic() - self.started < MAX_BOOT_SECONDS and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return True
            time.sleep(0.005)
        return False

    def stop(self) -> None:
        """Stop the process and all its children."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(MAX_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def read_command(slug: Path, name: str) -> str | None:
    """The Procfile's command of that name, or None."""
    commands: dict[str, str] = parse_procfile((slug / "Procfile").read_text()).processes
    return commands.get(name)


def run_release(slug: Path, **variables: str) -> str:
    """Run the release command; returns what it printed, raises DeployError if it fails.

    `variables`: the app's config vars.
    """
    command = read_command(slug, "release")
    if command is None:
        return ""
    return run("the release command", ["bash", "-c", command], slug, DYNO="release.1", **variables)


def start_web(slug: Path, *, log: Path | None = None, **variables: str) -> Dyno:
    """Start the web command on a free port; its output goes to `log`, `variables` are the app's config vars."""
    command = read_command(slug, "web")
    if command is None:
        raise DeployError("the Procfile has no web command; add a line web: COMMAND")
    port = free_port()
    environment = make_environment(slug, DYNO="web.1", PORT=str(port), **variables)
    started = time.monotonic()
    with open(log or os.devnull, "ab") as output:
        process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=slug,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Dyno(process, port, started)


def wait_until_ready(base: str, process: subprocess.Popen[bytes], started: float, path: str = "/readyz") -> None:
    """Poll a health check until it succeeds; raises DeployError if the process ends or takes too long."""
    # One client for all polls: making one loads all certificates, which would slow the start down.
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() - started < MAX_BOOT_SECONDS:
            if process.poll() is not None:
                raise DeployError(f"the web process ended with code {process.returncode} before it was ready")
            try:
                client.get(base + path).raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.01)
            else:
                return
    raise DeployError(f"the web process was not ready within {MAX_BOOT_SECONDS:g} s")


def free_port() -> int:
    """A TCP port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
