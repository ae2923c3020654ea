"""`python -m serve` as a real process; where it matters, stock uvicorn too."""

from __future__ import annotations

import os
import platform
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from model.session import Model
from tests.serve.files import UNSERVABLE, with_contract
from tests.serve.running import (
    NO_CERTIFICATES,
    ROOT,
    SERVE,
    UVICORN,
    WAIT_SECONDS,
    Connection,
    Service,
    environment,
    request,
    running,
    wait_until,
)

OTHER = "2026.02.03-12345678"

KEY = "a-key-of-24-characters--"

WITHOUT_CONNECT = """
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
"""Runs a command under a seccomp filter that kills any of its processes at a connect()."""

BARE_RUNTIME = "import sys, onnxruntime; onnxruntime.InferenceSession(sys.argv[1])"
"""onnxruntime alone, with its defaults."""

WORKERS = pytest.mark.parametrize("workers", ["1", "2"])


def expected_of(model: Model, vector: list[Any]) -> list[float]:
    """The answer of POST /predict to one applicant."""
    return model.score(np.array([vector], dtype=np.float64)).probability.tolist()  # type: ignore[no-any-return]


@WORKERS
def test_a_started_service_is_ready_and_answers(
    content: bytes, tmp_path: Path, model: Model, vector: list[Any], workers: str
) -> None:
    """It serves MODEL_PATH on PORT with WEB_CONCURRENCY workers."""
    with running(tmp_path, content, WEB_CONCURRENCY=workers) as service:
        ready = service.ask("GET", "/readyz")
        answers = [service.ask("POST", "/predict", {"data": [vector]}).json() for _ in range(5)]
        has_parent = bool(service.said("Started parent process"))
        started = service.workers()

    assert ready.json()["model"]["sha256"] == model.sha256
    assert "server" not in ready.headers
    assert answers == [expected_of(model, vector)] * 5
    assert (has_parent, len(started)) == (workers == "2", int(workers))


@WORKERS
def test_sigterm_ends_the_service_within_seconds(content: bytes, tmp_path: Path, workers: str) -> None:
    """With exit code 0, despite an idle connection, and without temporary files left."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    with (
        running(tmp_path, content, WEB_CONCURRENCY=workers, TMPDIR=str(folder)) as service,
        Connection(service.port) as idle,
    ):
        idle.send(request("GET", "/livez"))
        assert idle.read().status == 200
        before = [path.name for path in folder.iterdir()]
        started = time.monotonic()

        code = service.stop()

        seconds = time.monotonic() - started
        assert idle.rest() == b""
    assert code == 0
    assert seconds < 10
    assert len([name for name in before if name.startswith("credit-metrics-")]) == int(workers) - 1
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("command", "workers"), [(SERVE, "1"), (SERVE, "2"), (UVICORN, "1")])
def test_a_request_whose_head_was_read_is_answered_after_sigterm(
    content: bytes, tmp_path: Path, vector: list[Any], model: Model, command: tuple[str, ...], workers: str
) -> None:
    """Its body may arrive after the signal; the answer closes the connection."""
    head, _, body = request("POST", "/predict", {"data": [vector]}).partition(b"\r\n\r\n")
    folder = tmp_path / "metrics"
    folder.mkdir()
    settings = {"WEB_CONCURRENCY": workers, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    with running(tmp_path, content, command, **settings) as service:
        connections = [Connection(service.port) for _ in range(4)]
        for connection in connections:
            connection.send(head + b"\r\n\r\n" + body[:5])
        wait_until(lambda: in_flight(service) == len(connections) + 1)

        service.process.terminate()
        wait_until(lambda: len(service.said("Shutting down")) == int(workers))
        for connection in connections:
            connection.send(body[5:])
        answers = [connection.read() for connection in connections]
        code = service.process.wait(WAIT_SECONDS)
        for connection in connections:
            connection.close()

    assert [answer.status for answer in answers] == [200] * len(connections)
    assert [answer.json for answer in answers] == [expected_of(model, vector)] * len(connections)
    assert {answer.headers["connection"] for answer in answers} == {"close"}
    # Stock uvicorn raises the signal again after its shutdown.
    assert code in ((0,) if command == SERVE else (0, -signal.SIGTERM))


def in_flight(service: Service) -> float:
    """The gauge of requests in progress, over all workers."""
    return service.metrics()["http_requests_in_flight"]


@WORKERS
def test_sigterm_under_load_completes_every_answer(
    content: bytes, tmp_path: Path, model: Model, vector: list[Any], workers: str
) -> None:
    """Connections end between two answers, for small and large bodies."""
    expected = expected_of(model, vector)

    with running(tmp_path, content, WEB_CONCURRENCY=workers, QUEUE_BODIES="100") as service:
        counts, is_busy = [0] * 5, threading.Event()

        def ask_until_the_end(client: int, rows: int) -> bytes:
            told = request("POST", "/predict", {"data": [vector] * rows})
            with Connection(service.port) as connection:
                while True:
                    connection.send_if_open(told)
                    if not (head := connection.peek()):
                        return head
                    answer = connection.read()
                    assert (answer.status, answer.json) == (200, expected * rows)
                    counts[client] += 1
                    if min(counts[:4]) >= 10:
                        is_busy.set()

        with ThreadPoolExecutor(5) as clients:
            futures = [clients.submit(ask_until_the_end, n, rows) for n, rows in enumerate((1, 1, 1, 1, 3000))]
            assert is_busy.wait(WAIT_SECONDS)
            service.process.terminate()
            ends = [one.result(WAIT_SECONDS) for one in futures]
        code = service.process.wait(WAIT_SECONDS)

    assert ends == [b""] * 5
    assert code == 0
    assert service.said("Cancel") == []


def test_the_metrics_of_all_workers_add_up(content: bytes, tmp_path: Path, vector: list[Any]) -> None:
    """Whichever worker answers GET /metrics, and across a reload."""
    other = with_contract(content, version=OTHER)
    with running(tmp_path, content, WEB_CONCURRENCY="2") as service:
        for _ in range(15):
            service.ask("POST", "/predict", {"data": [vector]})
        service.replace_model(other)
        wait_until(lambda: len(service.said(f"model {OTHER} is in service")) == 2)
        for _ in range(15):
            service.ask("POST", "/score", {"applicants": [vector] * 2})

        wait_until(lambda: service.metrics()["credit_applicants_total"] == 15 + 30)
        wait_until(lambda: service.metrics()["http_requests_in_flight"] == 1)
        metrics, text = service.metrics(), service.ask("GET", "/metrics").text

    assert metrics["credit_decisions_total"] == metrics["credit_probability_count"] == 45
    for path in ("/predict", "/score"):
        assert f'http_requests_total{{path="{path}",status="200"}} 15.0' in text
    assert f'credit_applicants_total{{version="{OTHER}"}} 30.0' in text


def test_metrics_of_stock_uvicorn_workers_add_up(content: bytes, tmp_path: Path, vector: list[Any]) -> None:
    """With PROMETHEUS_MULTIPROC_DIR."""
    folder = tmp_path / "metrics"
    folder.mkdir()
    with running(tmp_path, content, UVICORN, WEB_CONCURRENCY="2", PROMETHEUS_MULTIPROC_DIR=str(folder)) as service:
        for _ in range(20):
            service.ask("POST", "/predict", {"data": [vector]})

        wait_until(lambda: service.metrics()["credit_applicants_total"] == 20)


def test_a_worker_that_is_killed_is_replaced_and_its_counters_stay(
    content: bytes, tmp_path: Path, vector: list[Any]
) -> None:
    """Its requests in progress are no longer in the gauge."""
    with running(tmp_path, content, WEB_CONCURRENCY="2") as service:
        for _ in range(20):
            service.ask("POST", "/predict", {"data": [vector]})
        wait_until(lambda: service.metrics()["credit_applicants_total"] == 20)
        stuck = [Connection(service.port) for _ in range(8)]
        for connection in stuck:
            connection.send(b'POST /predict HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n{"data": ')
        # Both workers have written their gauges.
        wait_until(lambda: in_flight(service) == 9)
        first, second = service.workers()
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: len(service.said("Application startup complete")) == 3)
        os.kill(second, signal.SIGKILL)
        wait_until(lambda: len(service.said("Application startup complete")) == 4)
        for connection in stuck:
            connection.close()

        wait_until(lambda: in_flight(service) == 1)
        metrics = service.metrics()
        status = service.ask("POST", "/predict", {"data": [vector]}).status_code

    assert metrics["credit_applicants_total"] == metrics["credit_probability_count"] == 20
    assert status == 200


def test_every_line_of_the_log_is_one_json_object(content: bytes, tmp_path: Path, vector: list[Any]) -> None:
    """From start to shutdown, including uvicorn's own lines."""
    ids = [f"request-{number}" for number in range(10)]
    with running(tmp_path, content, WEB_CONCURRENCY="2") as service:
        for id in ids:
            service.ask("POST", "/predict", {"data": [vector]}, x_request_id=id)
        service.stop()
        lines = service.lines()

    # Two workers may write the lines of successive requests in either order.
    assert sorted(line["request_id"] for line in lines if line.get("path") == "/predict") == ids
    assert set.intersection(*(set(line) for line in lines)) == {"time", "level", "message"}
    assert [line for line in lines if line["message"].startswith("Finished server process")]


def test_the_service_has_its_settings(content: bytes, tmp_path: Path, vector: list[Any]) -> None:
    """API keys, CORS and limits reach the running service."""
    settings = {"API_KEYS": KEY, "MAX_ROWS": "2", "MAX_BODY_BYTES": "2000", "CORS_ORIGINS": "https://app.test"}
    with running(tmp_path, content, SERVE, **settings) as service:
        known = {"authorization": f"Bearer {KEY}", "origin": "https://app.test"}
        keyless = service.ask("POST", "/predict", {"data": [vector]}, origin="https://app.test")
        rows = [service.ask("POST", "/predict", {"data": [vector] * count}, **known) for count in (2, 3)]
        large = service.ask("POST", "/predict", " " * 2001, **known).status_code
        preflight = service.ask("OPTIONS", "/predict", origin="https://app.test", access_control_request_method="POST")

    assert [keyless.status_code, *(response.status_code for response in rows), large] == [401, 200, 413, 413]
    assert preflight.status_code == 200
    for response in (keyless, *rows, preflight):
        assert response.headers["access-control-allow-origin"] == "https://app.test"
    assert service.said(KEY) == []


@pytest.mark.parametrize(("workers", "host"), [("1", "127.0.0.1"), ("1", "::"), ("2", "::")])
def test_an_interrupt_ends_the_service_without_a_trace(content: bytes, tmp_path: Path, workers: str, host: str) -> None:
    """Ctrl+C sends SIGINT to all processes; HOST=:: listens on IPv6 and IPv4, for one worker and for several."""
    with running(tmp_path, content, WEB_CONCURRENCY=workers, HOST=host) as service:
        addresses = ("127.0.0.1", "[::1]") if host == "::" else ("127.0.0.1",)
        statuses = [
            httpx.get(f"http://{address}:{service.port}/livez", trust_env=False, verify=NO_CERTIFICATES).status_code
            for address in addresses
        ]
        os.killpg(service.process.pid, signal.SIGINT)

        assert service.process.wait(WAIT_SECONDS) == 0
    assert statuses == [200] * len(addresses)
    assert service.said("Traceback") == []


@pytest.mark.parametrize("command", [SERVE, UVICORN], ids=["python -m serve", "uvicorn"])
def test_more_requests_than_allowed_are_503_while_health_answers(
    content: bytes, tmp_path: Path, vector: list[Any], command: tuple[str, ...]
) -> None:
    """At once, with Retry-After; the requests in progress are still answered."""
    head, _, body = request("POST", "/predict", {"data": [vector]}).partition(b"\r\n\r\n")
    with running(tmp_path, content, command, MAX_CONCURRENT_REQUESTS="3") as service:
        connections = [Connection(service.port) for _ in range(3)]
        for connection in connections:
            connection.send(head + b"\r\n\r\n" + body[:5])
        wait_until(lambda: service.ask("GET", "/model").status_code == 503)
        started = time.monotonic()
        refused = [
            service.ask("POST", "/predict", {"data": [vector]}),
            service.ask("POST", "/score", {"applicants": [vector] * 3000}),
            service.ask("GET", "/metrics"),
        ]
        seconds = time.monotonic() - started
        health = [service.ask("GET", path).status_code for path in ("/livez", "/readyz", "/v2/health/ready")]
        for connection in connections:
            connection.send(body[5:])
        answers = [connection.read().status for connection in connections]
        after = service.ask("POST", "/predict", {"data": [vector]}).status_code
        for connection in connections:
            connection.close()

    assert [(one.status_code, one.headers["retry-after"]) for one in refused] == [(503, "1")] * 3
    assert {one.json()["type"] for one in refused} == {"urn:problem:too-busy"}
    assert seconds < 2
    assert (health, answers, after) == ([200] * 3, [200] * 3, 200)


def test_excess_large_bodies_are_503(content: bytes, tmp_path: Path, vector: list[Any]) -> None:
    """Beyond QUEUE_BODIES; metrics and log count every answer."""
    told = request("POST", "/predict", {"data": [vector] * 3000})
    with running(tmp_path, content, QUEUE_BODIES="2") as service:

        def ask(_: int) -> int:
            with Connection(service.port) as connection:
                connection.send(told)
                return connection.read().status

        with ThreadPoolExecutor(30) as clients:
            statuses = Counter(clients.map(ask, range(120)))
        text = service.ask("GET", "/metrics").text
        logged = Counter(line["status"] for line in service.lines() if line.get("path") == "/predict")

    assert set(statuses) == {200, 503}
    assert statuses.total() == 120
    assert logged == statuses
    for status, count in statuses.items():
        assert f'http_requests_total{{path="/predict",status="{status}"}} {count}.0' in text


def test_sighup_is_not_handled(content: bytes, tmp_path: Path) -> None:
    """It ends the process: a new model file is found without a signal."""
    # Under nohup SIGHUP is ignored, which a child process inherits.
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with running(tmp_path, content) as service:
            service.process.send_signal(signal.SIGHUP)

            assert service.process.wait(WAIT_SECONDS) == -signal.SIGHUP
        assert service.said("in service") == []
    finally:
        signal.signal(signal.SIGHUP, before)


@WORKERS
def test_the_service_listens_on_a_unix_socket(content: bytes, tmp_path: Path, vector: list[Any], workers: str) -> None:
    """HOST=unix:PATH, also over a stale socket file; the file is removed at the end."""
    path = tmp_path / "service.sock"
    (tmp_path / "model.onnx").write_bytes(content)
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    settings = {"HOST": f"unix:{path}", "WEB_CONCURRENCY": workers, "MODEL_PATH": str(tmp_path / "model.onnx")}

    with (
        started(**settings) as process,
        httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://service") as client,
    ):
        wait_until(lambda: is_listened_on(path))
        statuses = [client.post("/predict", json={"data": [vector]}).status_code for _ in range(5)]
        process.terminate()
        code = process.wait(WAIT_SECONDS)

    assert (statuses, code) == ([200] * 5, 0)
    assert not path.exists()


def test_a_port_that_is_taken_ends_the_start(content: bytes, tmp_path: Path) -> None:
    """With an exit code other than 0 and the reason."""
    (tmp_path / "model.onnx").write_bytes(content)
    for host, family in (("127.0.0.1", socket.AF_INET), ("::", socket.AF_INET6)):
        with socket.create_server((host, 0), family=family, dualstack_ipv6=host == "::") as taken:
            settings = {"HOST": host, "PORT": str(taken.getsockname()[1]), "MODEL_PATH": str(tmp_path / "model.onnx")}
            done = run(SERVE, **settings)

        assert done.returncode not in (0, None)
        assert "ddress already in use" in done.stdout + done.stderr


@contextmanager
def started(**settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of `python -m serve`, killed at the end."""
    with subprocess.Popen(
        SERVE, cwd=ROOT, env=environment(**settings), stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def is_listened_on(path: Path) -> bool:
    """Whether a process listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


@pytest.mark.skipif(platform.system() != "Linux", reason="only Linux can forbid a process to connect")
def test_the_service_opens_no_connection(content: bytes, tmp_path: Path, vector: list[Any]) -> None:
    """From start to shutdown, scoring and reload included; onnxruntime also stores no telemetry events.

    The kernel would kill the process at its first connect, and onnxruntime stores unsent events in its home folder.
    """
    home = tmp_path / "home"
    home.mkdir()
    command = (sys.executable, "-c", WITHOUT_CONNECT, *SERVE)
    settings = {"WEB_CONCURRENCY": "2", "HOME": str(home), "ORT_DISABLE_TELEMETRY": "0"}

    with running(tmp_path, content, command, **settings) as service:
        for path, key in (("/predict", "data"), ("/score", "applicants")):
            for rows in (1, 1000):
                service.ask("POST", path, {key: [vector] * rows}).raise_for_status()
        service.replace_model(with_contract(content, version=OTHER))
        wait_until(lambda: len(service.said("is in service")) == 2)
        code = service.stop()

    assert code == 0
    assert service.said("died") == []
    assert list(home.rglob("*")) == []


@pytest.mark.skipif(platform.system() != "Linux", reason="only Linux can forbid a process to connect")
def test_a_connection_or_telemetry_would_be_noticed(content: bytes, tmp_path: Path) -> None:
    """The test above can fail."""
    connecting = "import socket; socket.socket().connect(('127.0.0.1', 9))"
    (tmp_path / "model.onnx").write_bytes(content)
    bare = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}

    command = [sys.executable, "-c", WITHOUT_CONNECT, sys.executable, "-c", connecting]
    killed = subprocess.run(command, timeout=WAIT_SECONDS)
    subprocess.run(
        [sys.executable, "-c", BARE_RUNTIME, str(tmp_path / "model.onnx")],
        env=bare,
        capture_output=True,
        check=True,
        timeout=WAIT_SECONDS,
    )

    assert killed.returncode == -signal.SIGSYS
    assert list(tmp_path.rglob("onnxruntime.db"))


def run(command: tuple[str, ...], **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command that is expected to end by itself."""
    given = environment(**{"PORT": "0", **settings})
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, timeout=WAIT_SECONDS)


@pytest.mark.parametrize("command", [SERVE, UVICORN], ids=["python -m serve", "uvicorn"])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"PORT": "http"}, "PORT is 'http', expected a whole number from 0 to 65535"),
        ({"API_KEYS": ","}, "API_KEYS is ',', expected keys, separated by commas; unset it for a service without keys"),
        ({"MODEL_PATH": "nowhere.onnx"}, "can't read the model file nowhere.onnx: No such file or directory; make"),
    ],
    ids=lambda given: str(given) if isinstance(given, dict) else "",
)
def test_a_service_that_cant_start_says_why_in_one_line(
    command: tuple[str, ...], settings: dict[str, str], message: str
) -> None:
    """Exit code 1 and one line on stderr: variable or file, value, and what was expected; test_settings.py has all."""
    done = run(command, **settings)

    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith(f"can't serve: {message}")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY is '0', expected a whole number from 1 to 1000"),
        ({"MODEL_PATH": "a/b.onnx", "WEB_CONCURRENCY": "2"}, "can't read the model file a/b.onnx: No such file"),
        ({"API_KEYS": ",", "WEB_CONCURRENCY": "2"}, "API_KEYS is ',', expected keys, separated by commas"),
    ],
    ids=lambda given: str(given) if isinstance(given, dict) else "",
)
def test_several_workers_that_cant_start_say_so_once(settings: dict[str, str], message: str) -> None:
    """Checked before the workers are started."""
    done = run(SERVE, **settings)

    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith(f"can't serve: {message}")


@pytest.mark.parametrize(
    ("fault", "command"), [*((fault, SERVE) for fault in ("garbage", *UNSERVABLE)), ("points", UVICORN)]
)
def test_an_invalid_model_is_reported_in_one_line(
    content: bytes, tmp_path: Path, fault: str, command: tuple[str, ...]
) -> None:
    """Without a traceback, whether the file is no model or fails its self-test."""
    make, message = UNSERVABLE.get(fault, (lambda _: b"garbage", "the model file ends without its checksum"))
    (tmp_path / "model.onnx").write_bytes(make(content))

    done = run(command, MODEL_PATH=str(tmp_path / "model.onnx"))

    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert re.match(f"can't serve: {message}", line)


@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("--port=9000", 2)])
def test_an_argument_is_answered_with_the_usage(argument: str, code: int) -> None:
    """The service has settings, no options; none is ignored in silence."""
    done = subprocess.run([sys.executable, "-m", "serve", argument], capture_output=True, text=True, timeout=60)

    assert done.returncode == code
    assert "usage: python -m serve" in done.stdout
