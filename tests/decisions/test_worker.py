"""decisions/worker.py: calls in another thread, one after the other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from decisions.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("test")
    yield worker
    worker.stop()


def test_calls_are_made_in_order_in_one_other_thread(worker: Worker) -> None:
    """Also where nobody awaits them in between."""
    made: list[tuple[int, int]] = []

    def note(number: int) -> None:
        made.append((number, threading.get_ident()))

    async def run() -> None:
        await asyncio.gather(*(worker.call(partial(note, number)) for number in range(50)))

    asyncio.run(run())

    assert [number for number, _ in made] == list(range(50))
    assert len({thread for _, thread in made} - {threading.get_ident()}) == 1


def test_an_exception_is_that_of_the_call(worker: Worker) -> None:
    """The thread goes on."""

    async def run() -> int:
        with pytest.raises(ZeroDivisionError):
            await worker.call(lambda: 1 // 0)
        return await worker.call(lambda: 7)

    assert asyncio.run(run()) == 7


def test_a_call_whose_caller_is_gone_is_still_made(worker: Worker) -> None:
    """A client that disconnects doesn't undo its decision."""
    made = threading.Event()
    begin = threading.Event()

    async def run() -> None:
        blocked = worker.call(lambda: begin.wait(10))
        worker.call(made.set).cancel()
        begin.set()
        await blocked
        await worker.call(lambda: None)

    asyncio.run(run())

    assert made.is_set()


def test_stop_waits_for_what_was_called() -> None:
    """Nothing is lost at the end."""
    made: list[int] = []

    async def run() -> None:
        worker = Worker("test")
        worker.call(lambda: made.append(1))
        worker.stop()

    asyncio.run(run())

    assert made == [1]
