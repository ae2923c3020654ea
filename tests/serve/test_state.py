"""AppState: the model in service, the thread for large bodies, and late bodies."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from model.session import Matrix, Model, Scores
from serve.app import create_app_for_model
from serve.loading import make_runtime
from serve.metrics.recorder import Metrics
from serve.runtime import Runtime
from serve.schemas.problems import HTTPProblem
from serve.settings import Settings
from serve.state import AppState
from tests.serve.conversation import Conversation, Stalled

WAIT_SECONDS = 10.0
"""Timeout of waits that take milliseconds normally."""

LATER = "2026.02.03-12345678"


class WaitingModel(Model, frozen=True):
    """A model that signals when it is called and returns when it is told to."""

    is_asked: threading.Event
    may_answer: threading.Event

    def score(self, applicants: Matrix, *, explain: bool = False) -> Scores:
        """Wait, then return the scores."""
        self.is_asked.set()
        assert self.may_answer.wait(WAIT_SECONDS)
        return Model.score(self, applicants, explain=explain)


@dataclass
class Clock:
    """A clock that the test advances."""

    now: float = 1000.0

    def perf_counter(self) -> float:
        """The time in seconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which bodies are late."""
    clock = Clock()
    for module in ("serve.state", "serve.api.body"):
        monkeypatch.setattr(f"{module}.perf_counter", clock.perf_counter)
    return clock


@pytest.fixture
def runtime(model: Model) -> Runtime:
    """The runtime of the model."""
    return make_runtime(model, Settings())


@pytest.fixture
def later(model: Model) -> Runtime:
    """The runtime of a later version of the model."""
    contract = structs.replace(model.contract, version=LATER)
    return make_runtime(Model(contract, "1" * 64, model.session), Settings())


def make_state(runtime: Runtime, **settings: int) -> AppState:
    """The state of an application."""
    return AppState(runtime, Settings(**settings), Metrics())  # type: ignore[arg-type]


def test_large_calls_run_in_one_thread(runtime: Runtime) -> None:
    """One after another, outside of the event loop."""
    state = make_state(runtime)

    async def ask() -> list[threading.Thread]:
        return await asyncio.gather(*(state.run_offloaded(threading.current_thread) for _ in range(4)))

    threads = set(asyncio.run(ask()))

    assert len(threads) == 1
    assert threading.current_thread() not in threads


def test_large_calls_beyond_the_limit_are_503(runtime: Runtime) -> None:
    """QUEUE_BODIES includes the one in progress; a finished one makes room."""
    state, may_end = make_state(runtime, queue_bodies=2), threading.Event()

    async def ask() -> list[Any]:
        first = [asyncio.create_task(state.run_offloaded(lambda: may_end.wait(WAIT_SECONDS))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(HTTPProblem, match="2 large bodies are in progress already; try again in a second") as said:
            await state.run_offloaded(lambda: True)
        assert (said.value.status, said.value.headers) == (503, [(b"retry-after", b"1")])
        may_end.set()
        return [*await asyncio.gather(*first), await state.run_offloaded(lambda: "later")]

    assert asyncio.run(ask()) == [True, True, "later"]


def test_a_large_call_that_fails_makes_room_for_the_next(runtime: Runtime) -> None:
    """The exception reaches its caller."""
    state = make_state(runtime, queue_bodies=1)

    def fail() -> None:
        raise ValueError("of this call")

    async def ask() -> str:
        for _ in range(2):
            with pytest.raises(ValueError, match="of this call"):
                await state.run_offloaded(fail)
        return await state.run_offloaded(lambda: "done")

    assert asyncio.run(ask()) == "done"


def test_blocking_calls_do_not_wait_for_large_bodies(runtime: Runtime) -> None:
    """Metrics and reload use other threads."""
    state, may_end = make_state(runtime), threading.Event()

    async def ask() -> str:
        large = asyncio.create_task(state.run_offloaded(lambda: may_end.wait(WAIT_SECONDS)))
        found = await state.run_blocking(lambda: "read")
        may_end.set()
        assert await large
        return found

    assert asyncio.run(ask()) == "read"


def test_a_large_body_leaves_the_event_loop_free_for_others(model: Model, vector: list[Any]) -> None:
    """Health checks and small requests are answered meanwhile."""
    waiting = WaitingModel(model.contract, model.sha256, model.session, threading.Event(), threading.Event())
    app = create_app_for_model(model, Settings(queue_bodies=1))
    app.state.service.runtime.model = waiting
    large, small = ([json.dumps({"data": [vector] * rows}).encode()] for rows in (2000, 1))

    async def ask() -> list[Conversation]:
        first, second = Conversation("POST", "/predict", large), Conversation("POST", "/predict", large)
        quick, health = Conversation("POST", "/predict", small), Conversation("GET", "/livez")
        task = asyncio.create_task(first.run(app))
        assert await asyncio.to_thread(waiting.is_asked.wait, WAIT_SECONDS)
        for one in (second, quick, health):
            await one.run(app)
        waiting.may_answer.set()
        await task
        third = Conversation("POST", "/predict", large)
        await third.run(app)
        return [first, second, quick, health, third]

    answers = asyncio.run(ask())

    assert [one.status for one in answers] == [200, 503, 200, 200, 200]
    assert answers[1].headers["retry-after"] == "1"
    assert answers[1].json["error"] == "1 large bodies are in progress already; try again in a second"


def test_requests_at_the_same_time_get_each_their_own_answer(model: Model, applicants: Matrix) -> None:
    """Concurrent small and large bodies are never mixed up."""
    sizes = [1, 2, 1000, 5, 2000] * 5
    batches = [np.nan_to_num(np.resize(np.roll(applicants, k, axis=0), (size, 5))) for k, size in enumerate(sizes)]
    app = create_app_for_model(model, Settings(queue_bodies=len(sizes)))
    exchanges = [Conversation("POST", "/predict", [json.dumps({"data": rows.tolist()}).encode()]) for rows in batches]

    async def ask() -> None:
        await asyncio.gather(*(one.run(app) for one in exchanges))

    asyncio.run(ask())

    assert [one.json for one in exchanges] == [model.score(batch).probability.tolist() for batch in batches]


def test_a_model_that_is_put_in_service_answers_and_is_counted(runtime: Runtime, later: Runtime) -> None:
    """Its counters start at zero."""
    state = make_state(runtime)

    state.put_in_service(later)
    state.metrics.flush(0)

    assert state.runtime is later
    assert state.metrics.collectors.registry.get_sample_value("credit_applicants_total", {"version": LATER}) == 0


def test_a_model_put_in_service_while_a_body_arrives_answers_it(
    model: Model, later: Runtime, vector: list[Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """Answer, log and metrics name the new model."""
    app = create_app_for_model(model)
    state: AppState = app.state.service
    body = json.dumps({"applicants": [vector]}).encode()

    async def ask() -> Stalled:
        exchange = Stalled("POST", "/score", [body[:9], body[9:]])
        task = asyncio.create_task(exchange.run(app))
        await asyncio.sleep(0)
        state.put_in_service(later)
        exchange.may_go_on.set()
        await task
        return exchange

    exchange = asyncio.run(ask())
    state.metrics.flush(0)

    counted = state.metrics.collectors.registry.get_sample_value
    assert exchange.json["model"] == {"name": "test", "version": LATER, "sha256": "1" * 64}
    assert json.loads(capfd.readouterr().out)["model"] == LATER
    assert [counted("credit_applicants_total", {"version": one}) for one in (model.contract.version, LATER)] == [0, 1]


def test_a_large_body_keeps_its_model_during_a_reload(model: Model, later: Runtime) -> None:
    """It is counted for the old model."""
    waiting = WaitingModel(model.contract, model.sha256, model.session, threading.Event(), threading.Event())
    app = create_app_for_model(model)
    state: AppState = app.state.service
    state.runtime.model = waiting
    exchange = Conversation("POST", "/predict", [json.dumps({"data": [[1, 1, 1, 1, 1]] * 2000}).encode()])

    async def ask() -> None:
        task = asyncio.create_task(exchange.run(app))
        assert await asyncio.to_thread(waiting.is_asked.wait, WAIT_SECONDS)
        state.put_in_service(later)
        waiting.may_answer.set()
        await task

    asyncio.run(ask())
    state.metrics.flush(0)

    counted = state.metrics.collectors.registry.get_sample_value
    assert exchange.status == 200
    assert [counted("credit_applicants_total", {"version": one}) for one in (model.contract.version, LATER)] == [
        2000,
        0,
    ]


def test_a_body_that_takes_too_long_is_408(model: Model, clock: Clock) -> None:
    """The connection is closed; bodies that began later go on."""
    app = create_app_for_model(model, Settings(body_timeout=10))
    state: AppState = app.state.service

    async def ask() -> list[Stalled]:
        late, young = (Stalled("POST", "/predict", [b'{"data"', b": []}"]) for _ in range(2))
        first = asyncio.create_task(late.run(app))
        await asyncio.sleep(0)
        clock.now += 5
        second = asyncio.create_task(young.run(app))
        await asyncio.sleep(0)
        clock.now += 6
        state.cancel_late_bodies()
        await first
        assert set(state.reading) == {second}
        young.may_go_on.set()
        await second
        return [late, young]

    late, young = asyncio.run(ask())

    assert (late.status, late.headers["connection"]) == (408, "close")
    assert late.json["error"] == "the body did not arrive within 10 s; send it without pauses"
    assert young.status == 400
    assert (state.reading, state.requests, state.body_bytes) == ({}, 0, 0)


def test_only_late_bodies_are_cancelled(runtime: Runtime, clock: Clock) -> None:
    """Each once."""
    state = make_state(runtime, body_timeout=10)

    async def ask() -> list[bool]:
        tasks = [asyncio.create_task(asyncio.sleep(WAIT_SECONDS)) for _ in range(3)]
        for task, age in zip(tasks, (0, 9, 11), strict=True):
            state.reading[task] = clock.now - age
        state.cancel_late_bodies()
        await asyncio.wait([tasks[2]])
        cancelled = [task.cancelled() for task in tasks]
        for task in tasks:
            task.cancel()
        return cancelled

    assert asyncio.run(ask()) == [False, False, True]


def test_metrics_that_cannot_be_written_fail_no_request(
    model: Model, named: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As on a full disk; the error is logged."""
    app = create_app_for_model(model)

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("serve.metrics.collectors.Collectors.count_request", fail)
    monkeypatch.setattr("serve.metrics.collectors.ModelCollectors.count", fail)
    exchanges = [Conversation("POST", "/score", [json.dumps({"applicants": [named]}).encode()], {}) for _ in range(300)]

    async def ask() -> None:
        for one in exchanges:
            await one.run(app)

    with caplog.at_level(logging.ERROR, "credit"):
        asyncio.run(ask())
        app.state.service.metrics.flush(0)

    assert {one.status for one in exchanges} == {200}
    assert "metrics are lost" in {record.getMessage() for record in caplog.records}
