"""The service as a real process, and a raw HTTP connection to it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from deploy.dyno import free_port, wait_until_ready

ROOT = Path(__file__).resolve().parent.parent.parent

SERVE = (sys.executable, "-m", "serve")
UVICORN = (sys.executable, "-m", "uvicorn", "serve.app:create_app", "--factory")
"""The command of this project, and stock uvicorn with its defaults."""

SERVERS = {"python -m serve": SERVE, "uvicorn": UVICORN}

SETTINGS = (
    "API_KEYS",
    "BODY_TIMEOUT",
    "CHALLENGER_PATH",
    "CORS_ORIGINS",
    "DECISIONS",
    "DECISIONS_KEYS",
    "DECISIONS_SPOOL",
    "DECISIONS_URL",
    "HOST",
    "LOG_LEVEL",
    "MAX_ALL_BODY_BYTES",
    "MAX_BODY_BYTES",
    "MAX_CONCURRENT_REQUESTS",
    "MAX_ROWS",
    "MODEL_PATH",
    "PORT",
    "PROMETHEUS_MULTIPROC_DIR",
    "QUEUE_BODIES",
    "RELOAD_SECONDS",
    "UNKNOWN_FIELDS",
    "WEB_CONCURRENCY",
)

NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For requests without TLS: httpx would load all certificates for each of them, which takes 25 ms."""

WAIT_SECONDS = 15.0
"""Timeout of every wait, generous for a busy machine."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service with its model file and its log file."""

    process: subprocess.Popen[bytes]
    port: int
    model: Path
    log: Path

    @property
    def base(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Send a request on a new connection, which any worker may accept."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"{self.base}{path}"
        return httpx.request(method, url, json=body, headers=given, trust_env=False, verify=NO_CERTIFICATES)

    def version(self) -> str:
        """The version of the model that answers."""
        version: str = self.ask("GET", "/readyz").json()["model"]["version"]
        return version

    def lines(self) -> list[dict[str, Any]]:
        """The log lines so far, parsed; of `python -m serve` only."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def said(self, words: str) -> list[str]:
        """The log lines that contain a text."""
        return [line for line in self.log.read_text().splitlines() if words in line]

    def workers(self) -> list[int]:
        """The process ids of all workers ever started."""
        return [int(found) for found in re.findall(r"Started server process \[(\d+)\]", self.log.read_text())]

    def replace_model(self, content: bytes) -> None:
        """Replace the model file atomically."""
        new = self.model.with_suffix(".new")
        new.write_bytes(content)
        new.replace(self.model)

    def metrics(self, **headers: str) -> dict[str, float]:
        """Metric name → sum of its samples."""
        total: dict[str, float] = defaultdict(float)
        for family in text_string_to_metric_families(self.ask("GET", "/metrics", **headers).text):
            for sample in family.samples:
                total[sample.name] += sample.value
        return dict(total)

    def stop(self) -> int:
        """Send SIGTERM; returns the exit code."""
        self.process.terminate()
        return self.process.wait(WAIT_SECONDS)


@contextmanager
def running(
    folder: Path, content: bytes, command: tuple[str, ...] = SERVE, *, health: str = "/readyz", **settings: str
) -> Iterator[Service]:
    """Run the service with these settings and no others until it is ready; kill it at the end.

    `folder` receives its model file and its log. `health`: the path that says when it is ready.
    """
    model, log, port = folder / "model.onnx", folder / "log", free_port()
    model.write_bytes(content)
    given = {"MODEL_PATH": str(model), "PORT": str(port), "UVICORN_PORT": str(port), "RELOAD_SECONDS": "1"}
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(**given | settings),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        service = Service(process, port, model, log)
        try:
            wait_until_ready(service.base, process, time.monotonic(), health)
            wait_until(lambda: len(service.said("Application startup complete")) == workers_of(settings))
            yield service
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def workers_of(settings: dict[str, str]) -> int:
    """The number of workers whose start is logged; 0 if LOG_LEVEL hides it."""
    return 0 if settings.get("LOG_LEVEL", "info") != "info" else int(settings.get("WEB_CONCURRENCY", "1"))


def environment(**settings: str) -> dict[str, str]:
    """The environment of this process, with these settings and no others of the service."""
    return {name: value for name, value in os.environ.items() if name not in SETTINGS} | settings


def wait_until(is_so: Callable[[], bool]) -> None:
    """Poll a condition; fails after WAIT_SECONDS."""
    ends = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < ends, "it never was"
        time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)


class Connection:
    """A raw connection to a service."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._file.close()
        self._socket.close()

    def send(self, content: bytes) -> None:
        """Send bytes."""
        self._socket.sendall(content)

    def send_if_open(self, content: bytes) -> None:
        """Send bytes, unless the service has closed the connection."""
        with suppress(ConnectionError):
            self.send(content)

    def read(self, method: str = "POST") -> Answer:
        """The next answer; `method` is that of its request."""
        head = self._file.readline()
        assert head, "the connection ended without an answer"
        headers = {}
        while (line := self._file.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = 0 if method == "HEAD" else int(headers.get("content-length", "0"))
        return Answer(int(head.split()[1]), headers, self._file.read(length))

    def peek(self) -> bytes:
        """The next bytes; empty if the service has closed the connection."""
        try:
            return self._file.peek(1)
        except ConnectionError:
            return b""

    def rest(self) -> bytes:
        """All further bytes until the service closes the connection."""
        try:
            return self._file.read()
        except ConnectionError:
            return b""


def request(method: str, path: str, body: Any = None, *more: str) -> bytes:
    """A request, with a JSON body if given, and further header lines."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: test", *more]
    if body is not None:
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join([*lines, "", ""]).encode() + content
