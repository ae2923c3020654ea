"""python -m serve, as a real process over a real socket."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
from msgspec import structs
from onnx import ModelProto, helper
from prometheus_client.parser import text_string_to_metric_families

from deploy.dyno import free_port, wait_until_ready
from serve.contract import write_contract
from serve.model import Model
from tests.soak.service import SETTINGS

COMMAND = (sys.executable, "-m", "serve")
END_SECONDS = 15.0
"""Whatever a process does here, on a busy machine too, it does well within this."""

OTHER_VERSION = "2026.02.03-12345678"

ALONE = """
import ctypes, os, platform, sys

class Step(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("k", ctypes.c_uint32)]

class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("steps", ctypes.POINTER(Step))]

connect = {"x86_64": 42, "aarch64": 203}[platform.machine()]
# Load the number of the system call; if it is connect's: kill the process, else: let it through.
steps = (Step * 4)(
    Step(0x20, 0, 0, 0), Step(0x15, 0, 1, connect), Step(0x06, 0, 0, 0x80000000), Step(0x06, 0, 0, 0x7FFF0000)
)
prctl = ctypes.CDLL(None, use_errno=True).prctl
assert prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
assert prctl(22, 2, ctypes.byref(Filter(4, steps)), 0, 0) == 0  # PR_SET_SECCOMP, a filter
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Run a command of which the kernel ends every process and thread that tries to connect to anything."""

BARE_RUNTIME = "import sys, onnxruntime; onnxruntime.InferenceSession(sys.argv[1])"
"""What the service runs on, with its own defaults."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: its model file, and all that it says."""

    process: subprocess.Popen[bytes]
    client: httpx.Client
    log: Path
    model: Path

    def ask_anew(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """Ask on a connection of its own, which any of the workers may accept."""
        return httpx.request(method, f"{self.client.base_url}{path}", json=body, trust_env=False)

    def lines(self) -> list[dict[str, Any]]:
        """The log so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def said(self, words: str) -> list[str]:
        """The lines of the log that hold these words."""
        return [line["message"] for line in self.lines() if words in line["message"]]

    def replace_model(self, content: bytes) -> None:
        """Put another file in the place of the model, as a whole, and say so."""
        new = self.model.with_suffix(".new")
        new.write_bytes(content)
        new.replace(self.model)
        self.process.send_signal(signal.SIGHUP)

    def metrics(self) -> dict[str, float]:
        """The sums of all samples of a name."""
        total: dict[str, float] = defaultdict(float)
        for family in text_string_to_metric_families(self.ask_anew("GET", "/metrics").text):
            for sample in family.samples:
                total[sample.name] += sample.value
        return dict(total)


StartService = Callable[..., AbstractContextManager[Service]]


def environment_with(**settings: str) -> dict[str, str]:
    """This process' environment with these settings of the service and no others."""
    return {name: value for name, value in os.environ.items() if name not in SETTINGS} | settings


def until(is_so: Callable[[], bool]) -> None:
    """Ask again until it is so; fails if that takes too long."""
    ends = time.monotonic() + END_SECONDS
    while not is_so():
        assert time.monotonic() < ends, "it never was"


@pytest.fixture
def start_service(content: bytes, root: Path, tmp_path: Path) -> StartService:
    """Start the service with so many workers, wait until it is ready; whatever is left of it in the end is killed."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)

    @contextmanager
    def start(workers: str, command: tuple[str, ...] = COMMAND, **settings: str) -> Iterator[Service]:
        port = free_port()
        settings = {"PORT": str(port), "WEB_CONCURRENCY": workers, "MODEL_PATH": str(path), **settings}
        base = f"http://127.0.0.1:{port}"
        with (
            (tmp_path / "log").open("wb") as log,
            subprocess.Popen(
                command,
                cwd=root,
                env=environment_with(**settings),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            ) as process,
            httpx.Client(base_url=base, trust_env=False) as client,
        ):
            try:
                wait_until_ready(base, process, time.monotonic())
                yield Service(process, client, tmp_path / "log", path)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    return start


@pytest.fixture(scope="session")
def other_content(content: bytes, model: Model, reseal: Callable[[ModelProto], bytes]) -> bytes:
    """The same model in a later version."""
    graph = onnx.load_from_string(content)
    helper.set_model_props(graph, write_contract(structs.replace(model.contract, version=OTHER_VERSION)))
    return reseal(graph)


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
def test_sigterm_ends_the_service_within_seconds(start_service: StartService, workers: str, tmp_path: Path) -> None:
    """Also while a client keeps its connection open; the end is its own, and no file that workers share is left."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    with start_service(workers, TMPDIR=str(folder)) as service:
        service.client.get("/livez")
        before = [path.name for path in folder.glob("credit-*")]

        service.process.terminate()

        assert service.process.wait(END_SECONDS) in (0, -signal.SIGTERM)
    assert int(workers) - 1 == len(before)
    assert [] == list(folder.glob("credit-*"))


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_under_load_loses_no_answer(
    start_service: StartService, model: Model, vector: list[Any], workers: str
) -> None:
    """Each client is answered on its connection until an answer says that it was the last; large bodies too."""
    expected = model.score(np.array([vector], dtype=np.float64)).probability.tolist()

    with start_service(workers, QUEUE_MS="60000", QUEUE_BODIES="100") as service:

        def ask_until_told_to_leave(rows: int) -> int:
            with httpx.Client(base_url=service.client.base_url, trust_env=False, timeout=END_SECONDS) as client:
                for count in range(10**6):
                    response = client.post("/predict", json={"data": [vector] * rows})
                    assert expected * rows == response.raise_for_status().json()
                    if response.headers.get("connection") == "close":
                        return count
                    if count == 10 and rows == 1:
                        busy.append(rows)
            raise AssertionError("the service never said that it stops")

        busy: list[int] = []
        with ThreadPoolExecutor(5) as clients:
            asked = [clients.submit(ask_until_told_to_leave, rows) for rows in (1, 1, 1, 1, 3000)]
            until(lambda: len(busy) == 4)
            service.process.terminate()
            counts = [one.result(END_SECONDS) for one in asked]
        code = service.process.wait(END_SECONDS)

    assert code in (0, -signal.SIGTERM)
    assert all(count >= 10 for count in counts[:4])
    assert [] == service.said("Cancel")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sighup_puts_the_file_as_it_is_now_in_service(
    start_service: StartService, other_content: bytes, workers: str
) -> None:
    """In each worker, none of which is replaced: every new connection is answered by the other version."""
    with start_service(workers) as service:
        until(lambda: len(service.said("startup complete")) == int(workers))
        process_ids = set(re.findall(r"process \[(\d+)\]", service.log.read_text()))

        service.replace_model(other_content)
        until(lambda: len(service.said(f"model {OTHER_VERSION} is in service")) == int(workers))

        versions = {service.ask_anew("GET", "/readyz").json()["model"]["version"] for _ in range(10)}
        assert process_ids == set(re.findall(r"process \[(\d+)\]", service.log.read_text()))
    assert {OTHER_VERSION} == versions


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sighup_with_a_broken_file_keeps_the_model(
    start_service: StartService, model: Model, other_content: bytes, vector: list[Any], workers: str
) -> None:
    """Each worker says why in one line and answers as before; then a right file is taken."""
    expected = model.score(np.array([vector], dtype=np.float64)).probability.tolist()

    with start_service(workers) as service:
        # A worker that starts only now would find no model at all, and be started again until it does.
        until(lambda: len(service.said("Application startup complete")) == int(workers))
        service.replace_model(b"garbage")
        until(lambda: len(service.said("kept model")) == int(workers))

        answers = [service.ask_anew("POST", "/predict", {"data": [vector]}).json() for _ in range(5)]
        ready = service.ask_anew("GET", "/readyz").json()["model"]["sha256"]
        reasons = set(service.said("kept model"))
        service.replace_model(other_content)
        until(lambda: len(service.said("is in service")) == int(workers))

    assert [expected] * 5 == answers
    assert model.sha256 == ready
    (reason,) = reasons
    assert reason.startswith(f"kept model {model.contract.version}: the model file ends without a seal")
    assert not [line for line in service.lines() if "trace" in line]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_metrics_of_all_workers_add_up(
    start_service: StartService, other_content: bytes, vector: list[Any], workers: str
) -> None:
    """Whichever is asked; nothing is lost at a reload."""
    with start_service(workers) as service:
        for _ in range(15):
            service.ask_anew("POST", "/predict", {"data": [vector]})
        service.replace_model(other_content)
        until(lambda: len(service.said(f"model {OTHER_VERSION} is in service")) == int(workers))
        for _ in range(15):
            service.ask_anew("POST", "/score", {"applicants": [vector] * 2})

        until(lambda: service.metrics()["credit_applicants_total"] == 15 + 30)
        metrics = service.metrics()
        labels = service.ask_anew("GET", "/metrics").text

    assert 45 == metrics["credit_decisions_total"] == metrics["credit_probability_count"]
    assert 1 == metrics["http_requests_in_flight"]
    for path in ("/predict", "/score"):
        assert f'http_requests_total{{path="{path}",status="200"}} 15.0' in labels
    assert f'credit_applicants_total{{version="{OTHER_VERSION}"}} 30.0' in labels


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_line_of_the_log_is_one_json_object(start_service: StartService, vector: list[Any], workers: str) -> None:
    """From the start to the end, those of the server included; one line a request, with its id."""
    ids = [f"request-{number}" for number in range(10)]
    with start_service(workers) as service:
        for id in ids:
            service.client.post("/predict", json={"data": [vector]}, headers={"x-request-id": id})
        service.process.terminate()
        service.process.wait(END_SECONDS)
        lines = service.lines()

    assert ids == [line["request_id"] for line in lines if line.get("path") == "/predict"]
    assert {"time", "level", "message"} == set.intersection(*(set(line) for line in lines))
    assert [line for line in lines if line["message"].startswith("Finished server process")]


def test_the_service_is_what_its_settings_say(start_service: StartService, vector: list[Any]) -> None:
    """Keys and limits reach the running service from the environment."""
    key = "a-key-for-this-test"
    settings = {"API_KEYS": key, "MAX_ROWS": "2", "MAX_BODY_BYTES": "2000", "CORS_ORIGINS": "https://app.test"}
    with start_service("1", **settings) as service:
        keyless = service.client.post("/predict", json={"data": [vector]}).status_code
        service.client.headers = httpx.Headers({"Authorization": f"Bearer {key}", "Origin": "https://app.test"})
        rows = [service.client.post("/predict", json={"data": [vector] * count}) for count in (2, 3)]
        large = service.client.post("/predict", content=b" " * 2001).status_code
        log = service.log.read_text()

    assert (401, [200, 413], 413) == (keyless, [response.status_code for response in rows], large)
    assert "https://app.test" == rows[0].headers["access-control-allow-origin"]
    assert key not in log


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.skipif(platform.system() != "Linux", reason="only Linux can forbid a process to connect")
def test_nothing_leaves_the_service(
    start_service: StartService, other_content: bytes, vector: list[Any], tmp_path: Path, workers: str
) -> None:
    """It starts, scores, loads another model and stops without an attempt to connect, and keeps nothing to send.

    The kernel would have killed it at the first attempt, and onnxruntime keeps the events that it will send in a file.
    """
    home = tmp_path / "home"
    home.mkdir()
    command = (sys.executable, "-c", ALONE, *COMMAND)

    with start_service(workers, command, HOME=str(home), ORT_DISABLE_TELEMETRY="0") as service:
        for path, key in (("/predict", "data"), ("/score", "applicants")):
            for rows in (1, 1000):
                service.ask_anew("POST", path, {key: [vector] * rows}).raise_for_status()
        service.replace_model(other_content)
        until(lambda: len(service.said("is in service")) == int(workers))
        service.process.terminate()
        code = service.process.wait(END_SECONDS)

    assert code in (0, -signal.SIGTERM)
    assert [] == service.said("died")
    assert [] == list(home.rglob("*"))


@pytest.mark.skipif(platform.system() != "Linux", reason="only Linux can forbid a process to connect")
def test_what_would_leave_is_noticed(content: bytes, tmp_path: Path) -> None:
    """A process that connects is killed, and onnxruntime by itself keeps events to send: the test above can fail."""
    connecting = "import socket; socket.socket().connect(('127.0.0.1', 9))"
    (tmp_path / "model.onnx").write_bytes(content)
    bare = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}

    killed = subprocess.run([sys.executable, "-c", ALONE, sys.executable, "-c", connecting], timeout=END_SECONDS)
    subprocess.run(
        [sys.executable, "-c", BARE_RUNTIME, str(tmp_path / "model.onnx")],
        env=bare,
        capture_output=True,
        check=True,
        timeout=END_SECONDS,
    )

    assert -signal.SIGSYS == killed.returncode
    assert list(tmp_path.rglob("onnxruntime.db"))


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
    for word in ('"error"', "Traceback", "Exception", "trace"):
        assert word not in log


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"PORT": "http"}, "PORT is 'http', expected a whole number from 0 to 65535"),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY is '0', expected a whole number from 1 to 1000"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is 'loud', expected one of: critical, error, warning, info, debug"),
        ({"API_KEYS": "secret"}, "API_KEYS: key 1 of 1 has 6 characters, expected at least 16"),
        ({"CORS_ORIGINS": "app"}, "CORS_ORIGINS holds 'app', expected origins such as https://app.example.com"),
        ({"MAX_ROWS": "0"}, "MAX_ROWS is '0', expected a whole number from 1 to 10000000"),
        ({"MODEL_PATH": "nowhere.onnx"}, "can't read the model file nowhere.onnx: No such file or directory; make"),
        ({"MODEL_PATH": "a/b.onnx", "WEB_CONCURRENCY": "2"}, "can't read the model file a/b.onnx: No such file"),
    ],
    ids=lambda given: ",".join(given) if isinstance(given, dict) else "",
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
