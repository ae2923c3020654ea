"""python -m serve, as a real process over a real socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from deploy.slug import free_port, wait_until_ready
from serve.model import Model

SETTINGS = (
    "API_KEYS",
    "BODY_TIMEOUT",
    "CORS_ORIGINS",
    "CREDIT_COUNTERS",
    "HOST",
    "LOG_LEVEL",
    "MAX_BODY_BYTES",
    "MAX_ROWS",
    "MODEL_PATH",
    "PORT",
    "QUEUE_BODIES",
    "QUEUE_MS",
    "WEB_CONCURRENCY",
)
COMMAND = (sys.executable, "-m", "serve")
END_SECONDS = 10.0
"""A process without requests in flight ends well within this."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service."""

    process: subprocess.Popen[bytes]
    client: httpx.Client
    log: Path


StartService = Callable[[str], AbstractContextManager[Service]]


def environment_with(**settings: str) -> dict[str, str]:
    """This process' environment with these settings of the service and no others."""
    return {name: value for name, value in os.environ.items() if name not in SETTINGS} | settings


@pytest.fixture
def start_service(content: bytes, root: Path, tmp_path: Path) -> StartService:
    """Start the service with so many workers, wait until it is ready; whatever is left of it in the end is killed."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)

    @contextmanager
    def start(workers: str) -> Iterator[Service]:
        port = free_port()
        environment = environment_with(PORT=str(port), WEB_CONCURRENCY=workers, MODEL_PATH=str(path))
        base = f"http://127.0.0.1:{port}"
        with (
            (tmp_path / "log").open("wb") as log,
            subprocess.Popen(COMMAND, cwd=root, env=environment, stderr=log, start_new_session=True) as process,
            httpx.Client(base_url=base, trust_env=False) as client,
        ):
            try:
                wait_until_ready(base, process, time.monotonic())
                yield Service(process, client, tmp_path / "log")
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    return start


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_started_service_is_ready_and_answers(
    start_service: StartService, model: Model, vector: list[Any], workers: str
) -> None:
    """It serves the file that MODEL_PATH names, on PORT, with as many workers as WEB_CONCURRENCY says."""
    expected = model.score(np.array([vector], dtype=np.float64)).probability.tolist()

    with start_service(workers) as service:
        ready = service.client.get("/readyz").json()
        answers = [service.client.post("/predict", json={"data": [vector]}).json() for _ in range(5)]
        has_parent = "Started parent process" in service.log.read_text()

    assert model.sha256 == ready["model"]["sha256"]
    assert [expected] * 5 == answers
    assert (workers == "2") == has_parent


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_ends_the_service_within_seconds(start_service: StartService, workers: str) -> None:
    """Also while a client keeps its connection open; the end is its own, not a kill."""
    with start_service(workers) as service:
        service.client.get("/livez")

        service.process.terminate()

        assert service.process.wait(END_SECONDS) in (0, -signal.SIGTERM)


def test_a_client_that_hangs_up_in_its_body_leaves_no_error_in_the_log(start_service: StartService) -> None:
    """Nothing of ours failed, and the service goes on answering."""
    with start_service("1") as service:
        host, port = service.client.base_url.host, service.client.base_url.port
        with socket.create_connection((host, port)) as connection:
            connection.sendall(b'POST /predict HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n{"data": [[')
        status = service.client.get("/livez").status_code
        service.process.terminate()
        service.process.wait(END_SECONDS)
        log = service.log.read_text()

    assert 200 == status
    assert "Finished server process" in log
    for word in ("ERROR", "Traceback", "Exception"):
        assert word not in log


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"PORT": "http"}, "PORT is 'http', expected a whole number from 0 to 65535"),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY is '0', expected a whole number from 1 to 1000"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is 'loud', expected one of: critical, error, warning, info, debug"),
        ({"MODEL_PATH": "nowhere.onnx"}, "can't read the model file nowhere.onnx: No such file or directory; make"),
        ({"MODEL_PATH": "a/b.onnx", "WEB_CONCURRENCY": "2"}, "can't read the model file a/b.onnx: No such file"),
    ],
    ids=["PORT", "WEB_CONCURRENCY", "LOG_LEVEL", "MODEL_PATH", "MODEL_PATH, two workers"],
)
def test_a_service_that_cant_start_says_why_in_one_line(root: Path, settings: dict[str, str], message: str) -> None:
    """Exit code 1 and one line on stderr with the variable or file, its value and what was expected."""
    environment = environment_with(**{"PORT": "0", **settings})

    done = subprocess.run(COMMAND, cwd=root, env=environment, capture_output=True, text=True, timeout=END_SECONDS)

    assert 1 == done.returncode
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"can't serve: {message}")


def test_a_broken_model_is_said_in_one_line(root: Path, tmp_path: Path) -> None:
    """No traceback for a file that isn't a model."""
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"garbage")

    done = subprocess.run(
        COMMAND,
        cwd=root,
        env=environment_with(PORT="0", MODEL_PATH=str(path)),
        capture_output=True,
        text=True,
        timeout=END_SECONDS,
    )

    assert 1 == done.returncode
    (line,) = done.stderr.splitlines()
    assert line.startswith("can't serve: the model file ends without a seal")
