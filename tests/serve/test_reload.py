"""Another file at MODEL_PATH is put in service once it is whole and proven; any other leaves the present model."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.applications import Starlette

from model.session import Model
from serve.app import make_app
from serve.reload import follow_file, read_stamp, take_file
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
    """The same model in a later version."""
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
    return make_app(model, Settings(model_path=path))


@contextmanager
def told(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """What is logged from now on, whatever the level."""
    with caplog.at_level(logging.INFO, "credit"):
        caplog.clear()
        messages: list[str] = []
        yield messages
        messages += caplog.messages


def version_of(app: Starlette) -> str:
    """Of the model in service."""
    state: AppState = app.state.service
    return state.runtime.name.version


def test_a_file_is_put_in_service_and_told(
    app: Starlette, path: Path, other_content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Version and sha256 in one line."""
    path.write_bytes(other_content)

    with told(caplog) as messages:
        asyncio.run(take_file(app.state.service))

    assert version_of(app) == OTHER
    assert messages == [f"model {OTHER} is in service, sha256 {app.state.service.runtime.name.sha256}"]


def test_the_file_that_is_served_already_is_no_news(app: Starlette, caplog: pytest.LogCaptureFixture) -> None:
    """The same bytes, copied over themselves: the model stays as it is, and nothing is told."""
    before = app.state.service.runtime

    with told(caplog) as messages:
        asyncio.run(take_file(app.state.service))

    assert app.state.service.runtime is before
    assert messages == []


@pytest.mark.parametrize("fault", ["garbage", "absent", *UNSERVABLE])
def test_a_file_that_cannot_be_served_is_told_and_the_model_stays(
    app: Starlette, path: Path, content: bytes, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One line that says why, without a trace."""
    before = app.state.service.runtime
    message = {"garbage": "the model file ends without its checksum", "absent": f"can't read the model file {path}"}
    if fault in UNSERVABLE:
        make, message[fault] = UNSERVABLE[fault]
        path.write_bytes(make(content))
    elif fault == "garbage":
        path.write_bytes(b"garbage")
    else:
        path.unlink()

    with told(caplog) as messages:
        asyncio.run(take_file(app.state.service))

    (line,) = messages
    assert app.state.service.runtime is before
    assert line.startswith(KEPT + message[fault])
    assert [record.exc_info for record in caplog.records] == [None]


def test_a_stamp_changes_with_the_file(path: Path, other_content: bytes) -> None:
    """Replaced by one of the same time, written in place with the same size, or gone."""
    stamps = [read_stamp(path)]
    status = path.stat()
    new = path.with_suffix(".new")
    new.write_bytes(path.read_bytes())
    os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
    new.replace(path)
    stamps.append(read_stamp(path))
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    stamps.append(read_stamp(path))
    path.unlink()
    stamps.append(read_stamp(path))

    assert len(set(stamps)) == 4
    assert stamps[-1] is None


class Timeline:
    """What happens to a file between two looks at it, in the place of asyncio.sleep."""

    def __init__(self, *changes: Any) -> None:
        self._changes = list(changes)

    async def sleep(self, seconds: float) -> None:
        """Let the next thing happen; after the last one the service ends."""
        if not self._changes:
            raise asyncio.CancelledError
        change = self._changes.pop(0)
        if change:
            change()


def follow(app: Starlette, path: Path, monkeypatch: pytest.MonkeyPatch, *changes: Any) -> None:
    """Follow the file while these things happen to it, one between two looks; None is a look without a change."""
    timeline = Timeline(*changes)
    seen = read_stamp(path)
    monkeypatch.setattr("serve.reload.asyncio.sleep", timeline.sleep)

    async def run() -> None:
        with pytest.raises(asyncio.CancelledError):
            await follow_file(app.state.service, seen)

    asyncio.run(run())


def test_a_file_is_taken_when_it_stays_as_it_is(
    app: Starlette,
    path: Path,
    content: bytes,
    other_content: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While it is written it is left alone, whatever it is; then it is taken once."""
    parts = [len(other_content) * share // 4 for share in range(5)]

    def write(stop: int) -> None:
        path.write_bytes(other_content[:stop])

    with told(caplog) as messages:
        follow(app, path, monkeypatch, *(lambda stop=stop: write(stop) for stop in parts), None, None, None)

    assert version_of(app) == OTHER
    assert [message.partition(",")[0] for message in messages] == [f"model {OTHER} is in service"]


def test_a_broken_file_is_told_once(
    app: Starlette, path: Path, other_content: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However often it is looked at; a whole one is taken afterwards."""
    with told(caplog) as messages:
        follow(app, path, monkeypatch, lambda: path.write_bytes(b"garbage"), *[None] * 5)
        follow(app, path, monkeypatch, lambda: path.write_bytes(other_content), *[None] * 5)

    assert len(messages) == 2
    assert messages[0].startswith(f"{KEPT}the model file ends without its checksum")
    assert messages[1].startswith(f"model {OTHER} is in service")


def test_a_file_that_goes_and_comes_back_is_no_news(
    app: Starlette, path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The model stays while it is away; the same bytes change nothing."""
    before = app.state.service.runtime

    with told(caplog) as messages:
        follow(app, path, monkeypatch, path.unlink, None, None, lambda: path.write_bytes(content), None, None)

    assert app.state.service.runtime is before
    assert messages == []


def test_a_file_that_comes_back_as_another_is_taken(
    app: Starlette, path: Path, other_content: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As some tools replace a file: they delete it first."""
    follow(app, path, monkeypatch, path.unlink, None, lambda: path.write_bytes(other_content), None)

    assert version_of(app) == OTHER


@pytest.fixture(params=SERVERS, ids=IDS)
def service(request: pytest.FixtureRequest, content: bytes, tmp_path: Path) -> Iterator[Service]:
    """A running service that looks at its file every half a second."""
    command, workers = request.param
    with running(tmp_path, content, command, WEB_CONCURRENCY=workers, RELOAD_SECONDS="1") as running_one:
        yield running_one


def is_everywhere(service: Service, version: str) -> bool:
    """Whether each of many new connections is answered by this version."""
    return {service.version() for _ in range(12)} == {version}


def test_a_replaced_file_is_served_by_every_worker(
    service: Service, other_content: bytes, model: Model, vector: list[Any]
) -> None:
    """Within seconds of `mv`, without a request that fails and without a new process."""
    expected = model.score(np.array([vector], dtype=np.float64)).probability.tolist()
    workers = service.workers()
    service.replace_model(other_content)

    while not is_everywhere(service, OTHER):
        assert service.ask("POST", "/predict", {"data": [vector]}).json() == expected

    assert service.workers() == workers
    assert service.ask("POST", "/score", {"applicants": [vector]}).json()["model"]["version"] == OTHER


@pytest.mark.parametrize(("command", "workers"), SERVERS[1:], ids=IDS[1:])
def test_a_file_that_is_written_slowly_in_place_is_served_when_it_is_whole(
    content: bytes, other_content: bytes, model: Model, tmp_path: Path, command: tuple[str, ...], workers: str
) -> None:
    """Not a word of its parts, although it takes longer than the time between several looks."""
    with running(tmp_path, content, command, WEB_CONCURRENCY=workers, RELOAD_SECONDS="2") as service:
        with service.model.open("wb") as file:
            for start in range(0, len(other_content), len(other_content) // 20):
                file.write(other_content[start : start + len(other_content) // 20])
                file.flush()
                time.sleep(0.15)
                assert service.version() == model.contract.version
        wait_until(lambda: is_everywhere(service, OTHER))

        assert service.said("kept model") == []


def test_a_broken_file_is_told_once_by_each_worker_and_the_model_stays(
    service: Service, content: bytes, other_content: bytes, model: Model, vector: list[Any]
) -> None:
    """Then one that would fail for applicants, then a sound one: that is taken."""
    expected = model.score(np.array([vector], dtype=np.float64)).probability.tolist()
    workers = len(service.workers())
    for number, broken in enumerate([b"garbage", *(make(content) for make, _ in UNSERVABLE.values())], 1):
        service.replace_model(broken)
        wait_until(lambda number=number: len(service.said(KEPT)) == number * workers)  # type: ignore[misc]
    time.sleep(1.5)

    assert len(service.said(KEPT)) == 3 * workers
    assert service.said("Traceback") == []
    assert [service.ask("POST", "/predict", {"data": [vector]}).json() for _ in range(6)] == [expected] * 6
    service.replace_model(other_content)
    wait_until(lambda: is_everywhere(service, OTHER))


def test_the_same_bytes_again_are_no_news(content: bytes, other_content: bytes, tmp_path: Path) -> None:
    """Deleted and put back, touched, copied over themselves; then another file is taken all the same."""
    with running(tmp_path, content, RELOAD_SECONDS="1") as service:
        service.model.unlink()
        time.sleep(1.2)
        service.model.write_bytes(content)
        time.sleep(1.2)
        service.replace_model(content)
        time.sleep(1.2)
        quiet = [*service.said("is in service"), *service.said("kept model")]
        service.replace_model(other_content)
        wait_until(lambda: len(service.said("is in service")) == 1)

        assert service.version() == OTHER

    assert quiet == []


def test_a_file_that_changes_again_is_taken_again(content: bytes, other_content: bytes, tmp_path: Path) -> None:
    """And back."""
    with running(tmp_path, content, RELOAD_SECONDS="1") as service:
        first = service.version()
        for number, (version, file) in enumerate([(OTHER, other_content), (first, content), (OTHER, other_content)], 1):
            service.replace_model(file)
            wait_until(lambda number=number: len(service.said("is in service")) == number)  # type: ignore[misc]
            assert service.version() == version


def test_a_worker_that_is_started_anew_serves_the_file_as_it_is_now(
    content: bytes, other_content: bytes, tmp_path: Path
) -> None:
    """Not the one that the service was started with."""
    with running(tmp_path, content, WEB_CONCURRENCY="2", RELOAD_SECONDS="1") as service:
        service.replace_model(other_content)
        wait_until(lambda: len(service.said("is in service")) == 2)
        os.kill(service.workers()[0], 9)
        wait_until(lambda: len(service.said("Application startup complete")) == 3)

        assert is_everywhere(service, OTHER)
