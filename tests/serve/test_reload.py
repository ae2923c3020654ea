"""Model reload: a changed file is served once it is complete and valid; otherwise the current model stays."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette

from model.session import Model
from serve.app import create_app_for_model
from serve.reload import read_file_stamp, reload_model, watch_model_file
from serve.settings import Settings
from serve.state import AppState
from tests.serve.files import UNSERVABLE, with_contract
from tests.serve.running import SERVE, UVICORN, Service, running, wait_until

OTHER = "2026.02.03-12345678"

KEPT = "kept model 2026.01.02-abcdef01: "

SERVERS = [(SERVE, "1"), (SERVE, "2"), (UVICORN, "1")]
IDS = ["python -m serve", "two workers", "uvicorn"]


@pytest.fixture(scope="session")
def other_content(content: bytes) -> bytes:
    """The same model with another version."""
    return with_contract(content, version=OTHER)


@pytest.fixture
def path(content: bytes, tmp_path: Path) -> Path:
    """The model file."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    return path


@pytest.fixture
def app(model: Model, path: Path) -> Starlette:
    """An application that serves this file."""
    return create_app_for_model(model, Settings(model_path=path))


@contextmanager
def log_messages(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Collects the log messages of all levels."""
    with caplog.at_level(logging.INFO, "credit"):
        caplog.clear()
        messages: list[str] = []
        yield messages
        messages += caplog.messages


def version_of(app: Starlette) -> str:
    """The version of the model in service."""
    state: AppState = app.state.service
    return state.runtime.identity.version


def test_a_reload_is_logged(app: Starlette, path: Path, other_content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """With version and sha256."""
    path.write_bytes(other_content)

    with log_messages(caplog) as messages:
        asyncio.run(reload_model(app.state.service))

    assert version_of(app) == OTHER
    assert messages == [f"model {OTHER} is in service, sha256 {app.state.service.runtime.identity.sha256}"]


def test_a_file_with_the_same_hash_is_not_reloaded(app: Starlette, caplog: pytest.LogCaptureFixture) -> None:
    """And nothing is logged."""
    before = app.state.service.runtime

    with log_messages(caplog) as messages:
        asyncio.run(reload_model(app.state.service))

    assert app.state.service.runtime is before
    assert messages == []


@pytest.mark.parametrize("fault", ["garbage", "absent", *UNSERVABLE])
def test_an_invalid_file_is_logged_and_the_model_stays(
    app: Starlette, path: Path, content: bytes, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One line with the reason, without a trace."""
    before = app.state.service.runtime
    message = {"garbage": "the model file ends without its checksum", "absent": f"can't read the model file {path}"}
    if fault in UNSERVABLE:
        make, message[fault] = UNSERVABLE[fault]
        path.write_bytes(make(content))
    elif fault == "garbage":
        path.write_bytes(b"garbage")
    else:
        path.unlink()

    with log_messages(caplog) as messages:
        asyncio.run(reload_model(app.state.service))

    (line,) = messages
    assert app.state.service.runtime is before
    assert line.startswith(KEPT + message[fault])
    assert [record.exc_info for record in caplog.records] == [None]


def test_a_stamp_changes_with_the_file(path: Path, other_content: bytes) -> None:
    """When replaced with the same time, rewritten with the same size, or deleted."""
    stamps = [read_file_stamp(path)]
    status = path.stat()
    new = path.with_suffix(".new")
    new.write_bytes(path.read_bytes())
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    new.replace(path)
    stamps.append(read_file_stamp(path))
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    stamps.append(read_file_stamp(path))
    path.unlink()
    stamps.append(read_file_stamp(path))

    assert len(set(stamps)) == 4
    assert stamps[-1] is None


class Timeline:
    """Replaces asyncio.sleep: each call makes the next change to the file, and after the last one cancels."""

    def __init__(self, *changes: Any) -> None:
        self._changes = list(changes)

    async def sleep(self, seconds: float) -> None:
        """Make the next change."""
        if not self._changes:
            raise asyncio.CancelledError
        change = self._changes.pop(0)
        if change:
            change()


def follow(app: Starlette, path: Path, monkeypatch: pytest.MonkeyPatch, *changes: Any) -> None:
    """Run watch_model_file over these changes, one between two checks; None is a check without a change."""
    timeline = Timeline(*changes)
    seen = read_file_stamp(path)
    monkeypatch.setattr("serve.reload.asyncio.sleep", timeline.sleep)

    async def run() -> None:
        with pytest.raises(asyncio.CancelledError):
            await watch_model_file(app.state.service, seen)

    asyncio.run(run())


def test_a_file_is_loaded_only_when_it_no_longer_changes(
    app: Starlette,
    path: Path,
    content: bytes,
    other_content: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not while it is being written, and then once."""
    parts = [len(other_content) * share // 4 for share in range(5)]

    def write(stop: int) -> None:
        path.write_bytes(other_content[:stop])

    with log_messages(caplog) as messages:
        follow(app, path, monkeypatch, *(lambda stop=stop: write(stop) for stop in parts), None, None, None)

    assert version_of(app) == OTHER
    assert [message.partition(",")[0] for message in messages] == [f"model {OTHER} is in service"]


def test_a_broken_file_is_logged_once(
    app: Starlette, path: Path, other_content: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Until it changes again."""
    with log_messages(caplog) as messages:
        follow(app, path, monkeypatch, lambda: path.write_bytes(b"garbage"), *[None] * 5)
        follow(app, path, monkeypatch, lambda: path.write_bytes(other_content), *[None] * 5)

    assert len(messages) == 2
    assert messages[0].startswith(f"{KEPT}the model file ends without its checksum")
    assert messages[1].startswith(f"model {OTHER} is in service")


def test_the_same_content_is_not_reloaded(
    app: Starlette, path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that is deleted and restored, touched, or replaced by a copy keeps the loaded model."""
    before = app.state.service.runtime

    def replace_by_copy() -> None:
        copy = path.with_suffix(".new")
        copy.write_bytes(content)
        copy.replace(path)

    changes = [path.unlink, lambda: path.write_bytes(content), path.touch, replace_by_copy]
    with log_messages(caplog) as messages:
        follow(app, path, monkeypatch, *(step for change in changes for step in (change, None, None)))

    assert app.state.service.runtime is before
    assert messages == []


def test_every_further_change_is_reloaded(
    app: Starlette, path: Path, content: bytes, other_content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From one model to another, back, and to the other one again."""
    versions = []
    for file in (other_content, content, other_content):
        follow(app, path, monkeypatch, lambda file=file: path.write_bytes(file), None, None)
        versions.append(version_of(app))

    assert versions == [OTHER, "2026.01.02-abcdef01", OTHER]


def test_a_file_that_is_deleted_and_recreated_is_reloaded(
    app: Starlette, path: Path, other_content: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    follow(app, path, monkeypatch, path.unlink, None, lambda: path.write_bytes(other_content), None)

    assert version_of(app) == OTHER


@pytest.fixture(params=SERVERS, ids=IDS)
def service(request: pytest.FixtureRequest, content: bytes, tmp_path: Path) -> Iterator[Service]:
    """A running service that checks its file every half second."""
    command, workers = request.param
    with running(tmp_path, content, command, WEB_CONCURRENCY=workers, RELOAD_SECONDS="1") as running_one:
        yield running_one


def is_everywhere(service: Service, version: str) -> bool:
    """Whether 12 new connections are all answered by this version."""
    return {service.version() for _ in range(12)} == {version}


def test_a_replaced_file_is_served_by_every_worker(
    service: Service, other_content: bytes, model: Model, vector: list[Any]
) -> None:
    """Within seconds, without a failed request or a new process."""
    expected = model.score(np.array([vector], dtype=np.float64)).probability.tolist()
    workers = service.workers()
    service.replace_model(other_content)

    while not is_everywhere(service, OTHER):
        assert service.ask("POST", "/predict", {"data": [vector]}).json() == expected

    assert service.workers() == workers
    assert service.ask("POST", "/score", {"applicants": [vector]}).json()["model"]["version"] == OTHER


def test_every_worker_rejects_a_broken_file_once_and_keeps_its_model(
    content: bytes, other_content: bytes, model: Model, vector: list[Any], tmp_path: Path
) -> None:
    """The service goes on answering with its model, and reloads the next valid file."""
    expected = model.score(np.array([vector], dtype=np.float64)).probability.tolist()
    with running(tmp_path, content, WEB_CONCURRENCY="2", RELOAD_SECONDS="1") as service:
        service.replace_model(b"garbage")
        wait_until(lambda: len(service.said(KEPT)) == 2)
        answers = [service.ask("POST", "/predict", {"data": [vector]}).json() for _ in range(6)]
        service.replace_model(other_content)
        wait_until(lambda: len(service.said(f"model {OTHER} is in service")) == 2)

        assert answers == [expected] * 6
        assert len(service.said(KEPT)) == 2
        assert service.said("Traceback") == []


def test_a_restarted_worker_serves_the_current_file(content: bytes, other_content: bytes, tmp_path: Path) -> None:
    """Not the file with which the service was started."""
    with running(tmp_path, content, WEB_CONCURRENCY="2", RELOAD_SECONDS="1") as service:
        service.replace_model(other_content)
        wait_until(lambda: len(service.said("is in service")) == 2)
        os.kill(service.workers()[0], 9)
        wait_until(lambda: len(service.said("Application startup complete")) == 3)

        assert is_everywhere(service, OTHER)
