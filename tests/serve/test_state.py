"""The state that all requests share: the model in service, the thread for large bodies, bodies that come too slowly."""

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
from serve.app import make_app
from serve.loading import prepare
from serve.metrics.recorder import Metrics
from serve.runtime import Runtime
from serve.schemas.problems import HTTPProblem
from serve.settings import Settings
from serve.state import AppState
from tests.serve.conversation import Conversation, Stalled

WAIT_SECONDS = 10.0
"""Longest wait for something that takes milliseconds unless it is broken."""

LATER = "2026.02.03-12345678"


class WaitingModel(Model, frozen=True):
    """A model that says when it is asked, and answers when it may."""

    is_asked: threading.Event
    may_answer: threading.Event

    def score(self, applicants: Matrix, *, explain: bool = False) -> Scores:
        """Wait, then answer."""
        self.is_asked.set()
        assert self.may_answer.wait(WAIT_SECONDS)
        return Model.score(self, applicants, explain=explain)


@dataclass
class Clock:
    """Time that passes when a test says so."""

    now: float = 1000.0

    def perf_counter(self) -> float:
        """Seconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time by which a body is late."""
    clock = Clock()
    for module in ("serve.state", "serve.api.body"):
        monkeypatch.setattr(f"{module}.perf_counter", clock.perf_counter)
    return clock


@pytest.fixture
def runtime(model: Model) -> Runtime:
    """The model as it is served."""
    return prepare(model, Settings())


@pytest.fixture
def later(model: Model) -> Runtime:
    """The same model in a later version."""
    contract = structs.replace(model.contract, version=LATER)
    return prepare(Model(contract, "1" * 64, model.session), Settings())


def make_state(runtime: Runtime, **settings: int) -> AppState:
    """The state of an application."""
    return AppState(runtime, Settings(**settings), Metrics())  # type: ignore[arg-type]


def test_a_large_call_runs_in_a_thread_of_its_own(runtime: Runtime) -> None:
    """One for all of them: they wait for each other, not the small requests for them."""
    state = make_state(runtime)

    async def ask() -> list[threading.Thread]:
        return await asyncio.gather(*(state.run_large(threading.current_thread) for _ in range(4)))

    threads = set(asyncio.run(ask()))

    assert len(threads) == 1
    assert threading.current_thread() not in threads


def test_large_calls_beyond_the_limit_are_503(runtime: Runtime) -> None:
    """QUEUE_BODIES may be there, the one in work included; when one is done the next is taken."""
    state, may_end = make_state(runtime, large_bodies=2), threading.Event()

    async def ask() -> list[Any]:
        first = [asyncio.create_task(state.run_large(lambda: may_end.wait(WAIT_SECONDS))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(HTTPProblem, match="2 large bodies are in progress already; try again in a second") as said:
            await state.run_large(lambda: True)
        assert (said.value.status, said.value.headers) == (503, [(b"retry-after", b"1")])
        may_end.set()
        return [*await asyncio.gather(*first), await state.run_large(lambda: "later")]

    assert asyncio.run(ask()) == [True, True, "later"]


def test_a_large_call_that_fails_makes_room_for_the_next(runtime: Runtime) -> None:
    """Its error goes to whoever asked."""
    state = make_state(runtime, large_bodies=1)

    def fail() -> None:
        raise ValueError("of this call")

    async def ask() -> str:
        for _ in range(2):
            with pytest.raises(ValueError, match="of this call"):
                await state.run_large(fail)
        return await state.run_large(lambda: "done")

    assert asyncio.run(ask()) == "done"


def test_what_waits_for_a_file_does_not_wait_for_large_bodies(runtime: Runtime) -> None:
    """Metrics and reload have threads of their own."""
    state, may_end = make_state(runtime), threading.Event()

    async def ask() -> str:
        large = asyncio.create_task(state.run_large(lambda: may_end.wait(WAIT_SECONDS)))
        found = await state.run_blocking(lambda: "read")
        may_end.set()
        assert await large
        return found

    assert asyncio.run(ask()) == "read"


def test_a_large_body_leaves_the_event_loop_free_for_others(model: Model, vector: list[Any]) -> None:
    """While it is scored health is answered, and small requests are; beyond QUEUE_BODIES a large one is 503."""
    waiting = WaitingModel(model.contract, model.sha256, model.session, threading.Event(), threading.Event())
    app = make_app(model, Settings(large_bodies=1))
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
    """Bodies for the event loop and for the thread, all at once: nobody gets another's rows."""
    sizes = [1, 2, 1000, 5, 2000] * 5
    batches = [np.nan_to_num(np.resize(np.roll(applicants, k, axis=0), (size, 5))) for k, size in enumerate(sizes)]
    app = make_app(model, Settings(large_bodies=len(sizes)))
    asked = [Conversation("POST", "/predict", [json.dumps({"data": rows.tolist()}).encode()]) for rows in batches]

    async def ask() -> None:
        await asyncio.gather(*(one.run(app) for one in asked))

    asyncio.run(ask())

    assert [one.json for one in asked] == [model.score(batch).probability.tolist() for batch in batches]


def test_a_model_that_is_put_in_service_answers_and_is_counted(runtime: Runtime, later: Runtime) -> None:
    """From then on; its counters are there at zero."""
    state = make_state(runtime)

    state.put_in_service(later)
    state.metrics.flush(0)

    assert state.runtime is later
    assert state.metrics.collectors.registry.get_sample_value("credit_applicants_total", {"version": LATER}) == 0


def test_a_model_put_in_service_while_a_body_arrives_answers_it(
    model: Model, later: Runtime, vector: list[Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """The one before isn't asked any more; answer, log and metrics name the one that decided."""
    app = make_app(model)
    state: AppState = app.state.service
    body = json.dumps({"applicants": [vector]}).encode()

    async def ask() -> Stalled:
        asked = Stalled("POST", "/score", [body[:9], body[9:]])
        task = asyncio.create_task(asked.run(app))
        await asyncio.sleep(0)
        state.put_in_service(later)
        asked.may_go_on.set()
        await task
        return asked

    asked = asyncio.run(ask())
    state.metrics.flush(0)

    counted = state.metrics.collectors.registry.get_sample_value
    assert asked.json["model"] == {"name": "test", "version": LATER, "sha256": "1" * 64}
    assert json.loads(capfd.readouterr().out)["model"] == LATER
    assert [counted("credit_applicants_total", {"version": one}) for one in (model.contract.version, LATER)] == [0, 1]


def test_a_model_put_in_service_while_another_scores_lets_it_answer(model: Model, later: Runtime) -> None:
    """A large body that is in the thread keeps the model it began with, and is counted for that one."""
    waiting = WaitingModel(model.contract, model.sha256, model.session, threading.Event(), threading.Event())
    app = make_app(model)
    state: AppState = app.state.service
    state.runtime.model = waiting
    asked = Conversation("POST", "/predict", [json.dumps({"data": [[1, 1, 1, 1, 1]] * 2000}).encode()])

    async def ask() -> None:
        task = asyncio.create_task(asked.run(app))
        assert await asyncio.to_thread(waiting.is_asked.wait, WAIT_SECONDS)
        state.put_in_service(later)
        waiting.may_answer.set()
        await task

    asyncio.run(ask())
    state.metrics.flush(0)

    counted = state.metrics.collectors.registry.get_sample_value
    assert asked.status == 200
    assert [counted("credit_applicants_total", {"version": one}) for one in (model.contract.version, LATER)] == [
        2000,
        0,
    ]


def test_a_body_that_takes_too_long_is_408(model: Model, clock: Clock) -> None:
    """And the connection is closed; those that began later go on."""
    app = make_app(model, Settings(body_seconds=10))
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
    assert late.json["error"] == "the body did not arrive within 10 s; send it at once"
    assert young.status == 400
    assert (state.reading, state.requests, state.body_bytes) == ({}, 0, 0)


def test_only_late_bodies_are_given_up(runtime: Runtime, clock: Clock) -> None:
    """Those whose time is over, each once."""
    state = make_state(runtime, body_seconds=10)

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
    """As on a full disk: the log says so, applicants get their answers."""
    app = make_app(model)

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("serve.metrics.collectors.Collectors.count_request", fail)
    monkeypatch.setattr("serve.metrics.collectors.ModelCollectors.count", fail)
    asked = [Conversation("POST", "/score", [json.dumps({"applicants": [named]}).encode()], {}) for _ in range(300)]

    async def ask() -> None:
        for one in asked:
            await one.run(app)

    with caplog.at_level(logging.ERROR, "credit"):
        asyncio.run(ask())
        app.state.service.metrics.flush(0)

    assert {one.status for one in asked} == {200}
    assert "metrics are lost" in {record.getMessage() for record in caplog.records}
