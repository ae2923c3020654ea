"""How bodies come in: within limits of bytes, rows and time, and never more at once than can be worked on."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from starlette.types import Message

from serve.app import make_app
from serve.endpoint import BYTES_ON_THE_LOOP, NUMBERS_ON_THE_LOOP, WORK_ON_THE_LOOP
from serve.gate import Gate
from serve.model import Matrix, Model, Scores
from serve.settings import Settings

WAIT_SECONDS = 10.0
"""Longest wait for something that takes milliseconds unless it is broken."""

PART = 1000
"""Bytes that arrive at once."""

MakeClient = Callable[..., httpx.Client]


@dataclass(frozen=True, slots=True)
class WaitingModel(Model):
    """A model that says when it is asked, and answers when it may."""

    is_asked: threading.Event
    may_answer: threading.Event

    def score(self, applicants: Matrix, *, explain: bool = False) -> Scores:
        """Wait, then answer."""
        self.is_asked.set()
        self.may_answer.wait(WAIT_SECONDS)
        return Model.score(self, applicants, explain=explain)


class Conversation:
    """One request as a server hands it to the application, part by part, and what comes back."""

    def __init__(self, parts: Iterator[bytes], headers: list[tuple[bytes, bytes]] | None = None) -> None:
        self.parts = parts
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": "/predict",
            "query_string": b"",
            "headers": headers or [],
        }
        self.received = 0
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        """The next part; a client that has none left hangs up."""
        part = next(self.parts, None)
        if part is None:
            return {"type": "http.disconnect"}
        self.received += len(part)
        return {"type": "http.request", "body": part, "more_body": True}

    async def send(self, message: Message) -> None:
        """Keep what comes back."""
        self.sent.append(message)

    async def run(self, gate: Gate) -> None:
        """Have it answered."""
        await gate(self.scope, self.receive, self.send)

    @property
    def status(self) -> int:
        """Of the answer."""
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        """Of the answer."""
        return dict(self.sent[0]["headers"])

    @property
    def problem(self) -> dict[str, Any]:
        """The body of the answer."""
        problem: dict[str, Any] = json.loads(self.sent[1]["body"])
        return problem


class Stalled(Conversation):
    """A client that sends the beginning of a body and then nothing, for ever."""

    async def receive(self) -> Message:
        """The parts that there are, then wait."""
        part = next(self.parts, None)
        if part is None:
            await asyncio.get_running_loop().create_future()
        return {"type": "http.request", "body": part, "more_body": True}


def endless() -> Iterator[bytes]:
    """A body without an end."""
    while True:
        yield b" " * PART


def never() -> Iterator[bytes]:
    """A body that nobody may read."""
    raise AssertionError("the body was read")
    yield b""


@pytest.mark.parametrize(
    ("length", "shown"), [(b"1025", "1,025"), (b"9" * 20, "99,999,999,999,999,999,999"), (b"9" * 4000, "99")]
)
def test_a_body_that_says_it_is_too_large_is_refused_unread(model: Model, length: bytes, shown: str) -> None:
    """413 from Content-Length alone, with what it says and what is allowed."""
    asked = Conversation(never(), [(b"content-length", length)])

    asyncio.run(asked.run(make_app(model, Settings(body_bytes=1024))))

    assert 413 == asked.status
    assert asked.problem["detail"].startswith(f"the body: got {shown}")
    assert "expected at most 1,024; send several smaller bodies" in asked.problem["detail"]


def test_a_body_that_grows_too_large_is_read_no_further(model: Model) -> None:
    """Without Content-Length, or with a false one: what is held never exceeds the limit by more than a part."""
    asked = Conversation(endless())

    asyncio.run(asked.run(make_app(model, Settings(body_bytes=10_240))))

    assert 413 == asked.status
    assert 10_240 < asked.received <= 10_240 + PART


@pytest.mark.parametrize("size", [1024, 1025])
def test_the_limit_of_bytes_is_the_largest_body(
    model: Model, make_client: MakeClient, vector: list[Any], size: int
) -> None:
    """One byte more is too many."""
    body = json.dumps({"data": [vector]}).encode().ljust(size)

    response = make_client(model, Settings(body_bytes=1024)).post("/predict", content=body)

    assert {1024: 200, 1025: 413}[size] == response.status_code


@pytest.mark.parametrize("path", ["/predict", "/score", "/score as CSV", "/v2/models/test/infer"])
@pytest.mark.parametrize(("rows", "status"), [(3, 200), (4, 413)])
def test_the_limit_of_rows_holds_on_every_path(
    model: Model, make_client: MakeClient, vector: list[Any], path: str, rows: int, status: int
) -> None:
    """MAX_ROWS are answered, one more is 413 with both numbers."""
    client = make_client(model, Settings(rows=3))
    if path.endswith("CSV"):
        table = "Amount,Client,Debt/Income~12m\n" + "1,True,1\n" * rows
        response = client.post("/score", content=table, headers={"content-type": "text/csv"})
    else:
        tensor = {"name": "applicants", "shape": [rows, 5], "datatype": "FP64", "data": [vector] * rows}
        key, content = {"/predict": ("data", vector), "/score": ("applicants", vector)}.get(path, ("inputs", tensor))
        response = client.post(path, json={key: [content] * (1 if key == "inputs" else rows)})

    assert status == response.status_code
    if status == 413:
        assert "too many applicants: got 4 rows, expected at most 3 rows" in response.json()["detail"]


@given(cuts=st.lists(st.integers(0, 40), max_size=6))
def test_a_body_in_any_parts_is_the_same_body(model: Model, cuts: list[int]) -> None:
    """Whatever the network makes of it."""
    body = b'{"data": [[45.5, 320, 1, 1, 0.75]]}'
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    parts = [body[start:end] for start, end in pairwise(edges)]
    asked = Conversation(iter(()))

    async def receive() -> Message:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    asyncio.run(make_app(model)(asked.scope, receive, asked.send))

    expected = model.score(np.array([[45.5, 320, 1, 1, 0.75]])).probability.tolist()
    assert (200, expected) == (asked.status, asked.problem)


def test_a_body_that_takes_too_long_is_given_up(model: Model) -> None:
    """408 and the connection closed after BODY_TIMEOUT; those that began later may go on."""
    gate = make_app(model, Settings(body_seconds=10))

    async def ask() -> tuple[Stalled, Stalled]:
        late, young = Stalled(iter([b'{"data"'])), Stalled(iter([b'{"data"']))
        tasks = [asyncio.create_task(one.run(gate)) for one in (late, young)]
        await asyncio.sleep(0)
        next(iter(gate.reading)).started -= 10.0
        gate.sweep()
        await tasks[0]
        assert not tasks[1].done()
        tasks[1].cancel()
        await asyncio.wait(tasks[1:])
        assert tasks[1].cancelled()
        return late, young

    late, young = asyncio.run(ask())

    assert (408, b"close") == (late.status, late.headers[b"connection"])
    assert "the body did not arrive within 10 s; send it at once" == late.problem["error"]
    assert [] == young.sent
    assert {} == gate.reading


def test_a_client_that_hangs_up_leaves_nothing_behind(model: Model) -> None:
    """Its body is forgotten, and the gate waits for nothing."""
    gate = make_app(model)
    asked = Conversation(iter([b'{"data": ', b"[["]))

    asyncio.run(asked.run(gate))

    assert [] == asked.sent
    assert {} == gate.reading


def test_large_bodies_beyond_the_queue_are_503(model: Model, vector: list[Any]) -> None:
    """QUEUE_BODIES may be there, the one that is worked on included; small requests go on, and large ones later."""
    waiting = WaitingModel(model.contract, model.sha256, model.session, threading.Event(), threading.Event())
    gate = make_app(waiting, Settings(queue_bodies=2))
    large, small = json.dumps({"data": [vector]}).encode().ljust(NUMBERS_ON_THE_LOOP + 1), {"data": [vector]}

    async def ask() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://test") as client:
            first = asyncio.create_task(client.post("/predict", content=large))
            await asyncio.to_thread(waiting.is_asked.wait, WAIT_SECONDS)
            second = asyncio.create_task(client.post("/predict", content=large))
            await asyncio.sleep(0)
            shed = await client.post("/predict", content=large)
            quick = await client.post("/predict", json=small)
            waiting.may_answer.set()
            done = [await first, await second]
            return [*done, shed, quick, await client.post("/predict", content=large)]

    *answers, last = asyncio.run(ask())

    assert [200, 200, 503, 200, 200] == [response.status_code for response in (*answers, last)]
    assert "1" == answers[2].headers["retry-after"]
    assert "2 large bodies wait already; try again in a second, or send smaller ones" == answers[2].json()["error"]


def test_what_was_found_to_be_heavy_is_read_in_the_worker_thread(
    model: Model, vector: list[Any], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """serve/connection.py has read it once on the loop; the log names the model that decides, whichever comes after."""
    read_in: list[threading.Thread] = []

    gate = make_app(model)
    read = gate.served.forms.decode_predict

    later = make_app(Model(structs.replace(model.contract, version="later"), model.sha256, model.session))

    def watch(body: bytes) -> Any:
        read_in.append(threading.current_thread())
        gate.served = later.served
        return read(body)

    monkeypatch.setattr(gate.served.forms, "decode_predict", watch)
    asked = Conversation(iter([json.dumps({"data": [vector]}).encode()]))
    asked.scope["is_heavy"] = True

    async def receive() -> Message:
        return {**await asked.receive(), "more_body": False}

    asyncio.run(gate(asked.scope, receive, asked.send))

    assert 200 == asked.status
    assert [False] == [thread is threading.current_thread() for thread in read_in]
    assert model.contract.version == json.loads(capfd.readouterr().out)["model"]


@pytest.mark.parametrize(("rows", "is_on_the_loop"), [(WORK_ON_THE_LOOP, True), (WORK_ON_THE_LOOP + 1, False)])
def test_many_short_rows_are_read_in_the_worker_thread_alone(
    model: Model, vector: list[Any], monkeypatch: pytest.MonkeyPatch, rows: int, is_on_the_loop: bool
) -> None:
    """Those that are too much work for the loop are not read there first."""
    read_in: list[threading.Thread] = []
    gate = make_app(model)
    read = gate.served.forms.decode_unbounded

    def watch(body: bytes) -> Any:
        read_in.append(threading.current_thread())
        return read(body)

    monkeypatch.setattr(gate.served.forms, "decode_unbounded", watch)
    body = json.dumps({"data": [vector] * rows}).encode().ljust(BYTES_ON_THE_LOOP + 1)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(gate), base_url="http://test") as client:
            return await client.post("/predict", content=body)

    assert 200 == asyncio.run(ask()).status_code
    assert [is_on_the_loop] == [thread is threading.current_thread() for thread in read_in]
