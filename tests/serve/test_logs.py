"""The log: one JSON object per line, one line per request, and never a value of an applicant."""

from __future__ import annotations

import asyncio
import json
import logging
import logging.config
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from starlette.types import ASGIApp

from model.session import Matrix, Model, Scores
from serve.app import create_app_for_model
from serve.logs import LOGGERS, uvicorn_log_config
from serve.middleware.request_middleware import AccessLog
from serve.settings import Settings

MARKERS = ("8765432109", "private-words")
"""Values of applicants in these tests."""


def fail_for(said: object) -> None:
    """Raise an exception that quotes a text, caused by another one."""
    try:
        float(f"{said!r}")
    except ValueError as error:
        raise RuntimeError(f"failed for {said}") from error


class TalkativeModel(Model, frozen=True):
    """A model whose exceptions quote its input."""

    def score(self, applicants: Matrix, *, explain: bool = False) -> Scores:
        """Raise two chained exceptions, as libraries do."""
        fail_for(applicants.tolist())
        return Model.score(self, applicants, explain=explain)


@pytest.fixture
def log_as_served() -> Iterator[Callable[[], None]]:
    """Configure logging as in the service, and restore it afterwards."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield lambda: logging.config.dictConfig(uvicorn_log_config("info"))
    for logger, handlers, level, propagate in before:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def lines_of(text: str) -> list[dict[str, Any]]:
    """The log lines, parsed."""
    return [json.loads(line) for line in text.splitlines()]


def test_a_request_is_one_line(client: httpx.Client, vector: list[Any], capfd: pytest.CaptureFixture[str]) -> None:
    """With time, id, route, status, duration, number of applicants and version of the model."""
    client.post("/score", json={"applicants": [vector] * 3}, headers={"x-request-id": "A-1"})

    out, err = capfd.readouterr()

    (line,) = lines_of(out)
    assert [*line] == [
        "time",
        "level",
        "message",
        "request_id",
        "method",
        "path",
        "status",
        "ms",
        "applicants",
        "model",
    ]
    expected = {
        "level": "info",
        "message": "request",
        "request_id": "A-1",
        "method": "POST",
        "path": "/score",
        "status": 200,
        "applicants": 3,
        "model": "2026.01.02-abcdef01",
    }
    assert {name: line[name] for name in expected} == expected
    assert line["ms"] > 0
    assert err == ""


def test_refused_requests_are_logged_too(client: httpx.Client, capfd: pytest.CaptureFixture[str]) -> None:
    client.post("/score", content="{")
    client.get("/nowhere?q=1")
    client.put("/score")
    client.get("/livez")

    lines = lines_of(capfd.readouterr().out)

    expected = [(400, "POST", "/score"), (404, "GET", "/nowhere"), (405, "PUT", "/score"), (200, "GET", "/livez")]
    assert [(line["status"], line["method"], line["path"]) for line in lines] == expected


@pytest.mark.parametrize("path", ["/a%0Ab", '/"},{"', "/%1B[31m", "/ü", "/" + "x" * 10_000])
def test_a_path_is_escaped_and_truncated(client: httpx.Client, capfd: pytest.CaptureFixture[str], path: str) -> None:
    """It can't end a line of the log or add one."""
    client.get(path)

    (line,) = lines_of(capfd.readouterr().out)

    assert line["path"] == unquote(path)[:200]


@pytest.mark.parametrize("level", ["warning", "error", "critical"])
def test_a_quiet_service_logs_no_requests(
    model: Model, make_client: Callable[..., httpx.Client], capfd: pytest.CaptureFixture[str], level: str
) -> None:
    """With LOG_LEVEL above info."""
    make_client(model, Settings(log_level=level)).get("/livez")

    assert capfd.readouterr().out == ""


def test_the_log_holds_no_value_of_an_applicant(
    model: Model,
    connect: Callable[[ASGIApp], httpx.Client],
    log_as_served: Callable[[], None],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Of valid, warned and refused requests in every format, and of exceptions."""
    log_as_served()
    number, words = MARKERS
    named = {"id": words, "Amount": int(number), "Client": True, "Debt/Income~12m": 1}
    tensor = {"name": "applicants", "shape": [2, 5], "datatype": "FP64", "data": [int(number), 1, 1, 1, 1] * 2}
    apps = [create_app_for_model(model), create_app_for_model(model)]
    apps[1].state.service.runtime.model = TalkativeModel(model.contract, model.sha256, model.session)
    for client in map(connect, apps):
        client.post("/score", json={"applicants": [named], "what_would_change": True})
        client.post("/score", json={"applicants": [named] * 2})
        client.post("/score", json={"applicants": [{**named, "Home": words, words: number}]})
        client.post("/score", content=f'{{"applicants": ["{words}", {number}'.encode())
        client.post("/predict", json={"data": [[int(number), None, 1, 1, 1]] * 2})
        client.post("/predict", json={"data": [[words] * 5]})
        client.get(f"/model?name={words}&amount={number}")
        client.post("/v2/models/test/infer", json={"inputs": [tensor], "id": words})
        client.post("/v2/models/test/infer", json={"inputs": [{**tensor, "data": [words]}]})
        for table in (
            f"Amount,Income,Home,Client,Debt/Income~12m\n{number},,,True,1\n{number},,,True,1\n",
            f"{words}\n{number}\n",
        ):
            client.post("/score", content=table, headers={"content-type": "text/csv"})

    out, err = capfd.readouterr()

    assert err == ""
    lines = lines_of(out)
    assert {line["status"] for line in lines if line["message"] == "request"} == {200, 400, 500}
    assert [line for line in lines if "trace" in line]
    for marker in MARKERS:
        assert marker not in out


def test_an_exception_is_one_line_with_its_frames(
    log_as_served: Callable[[], None], capfd: pytest.CaptureFixture[str]
) -> None:
    """Frames and types of the exception and its causes, without messages."""
    log_as_served()
    try:
        fail_for(MARKERS)
    except RuntimeError:
        logging.getLogger("credit").exception("request %s failed", "A-1")

    (line,) = lines_of(capfd.readouterr().out)

    assert (line["level"], line["message"]) == ("error", "request A-1 failed")
    kinds = [text for text in line["trace"].splitlines() if text.endswith("Error")]
    assert kinds == ["ValueError", "RuntimeError"]
    assert "test_logs.py" in line["trace"]
    assert not any(marker in line["trace"] for marker in MARKERS)


def write_lines(descriptor: int, count: int) -> int:
    """Log this many requests in one iteration of the event loop; returns how many lines are left in the buffer."""

    async def write() -> int:
        log = AccessLog(descriptor)
        for number in range(count):
            log.write(b"%d" % number, "GET", "/livez", 200, 0.0001, 0, "1")
        while log.waiting:
            await asyncio.sleep(0.001)
        return log.waiting

    return asyncio.run(write())


def test_a_closed_pipe_does_not_stop_the_service() -> None:
    """Writing to a pipe without a reader drops the lines and raises nothing."""
    reader, writer = os.pipe()
    os.close(reader)

    waiting = [write_lines(writer, 1) for _ in range(2)]

    os.close(writer)
    assert waiting == [0, 0]


def test_lines_of_an_iteration_are_written_together() -> None:
    """Completely, even if they exceed the capacity of the pipe."""
    reader, writer = os.pipe()
    found: list[str] = []

    def read() -> None:
        with os.fdopen(reader) as lines:
            found.extend(json.loads(line)["request_id"] for line in lines)

    reading = threading.Thread(target=read)
    reading.start()
    write_lines(writer, 2_000)
    os.close(writer)
    reading.join()

    assert found == [str(number) for number in range(2_000)]


@pytest.mark.parametrize("level", ["critical", "error", "warning", "info", "debug"])
def test_the_settings_of_logging_reach_every_worker(level: str) -> None:
    """The log_config can be pickled for worker processes."""
    assert pickle.loads(pickle.dumps(uvicorn_log_config(level))) == uvicorn_log_config(level)  # noqa: S301


def test_under_another_server_the_log_has_the_same_form() -> None:
    """Python's default traces would quote applicants' values."""
    code = """
import logging
from serve.logs import configure_own_logger

configure_own_logger("info")
try:
    raise ValueError("private-words")
except ValueError:
    logging.getLogger("credit").exception("request %s failed", "A-1")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    line = json.loads(done.stdout)

    assert (line["level"], line["message"], "private" in done.stdout + done.stderr) == (
        "error",
        "request A-1 failed",
        False,
    )


def test_a_full_pipe_does_not_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to MAX_LINES wait, and further ones are counted."""
    monkeypatch.setattr("serve.middleware.request_middleware.MAX_LINES", 2_000)
    reader, writer = os.pipe()

    async def write() -> int:
        log = AccessLog(writer)
        for number in range(3_000):
            log.write(b"%d" % number, "GET", "/livez", 200, 0.0001, 0, "1")
            if number % 100 == 0:
                await asyncio.sleep(0)
        waiting = log.waiting
        reading = asyncio.create_task(asyncio.to_thread(read))
        while log.waiting:
            await asyncio.sleep(0.001)
        os.close(writer)
        await reading
        return waiting

    found: list[Any] = []

    def read() -> None:
        with os.fdopen(reader) as lines:
            found.extend(json.loads(line) for line in lines)

    waiting = asyncio.run(write())

    told = [line["request_id"] for line in found if "request_id" in line]
    (lost,) = [int(line["message"].split()[3]) for line in found if "request_id" not in line]
    assert waiting == 2_000
    assert told == [str(number) for number in range(len(told))]
    assert lost == 3_000 - len(told)
