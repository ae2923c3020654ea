"""Worker: one thread for the calls of an event loop, with less delay than an executor.

A commit takes some 200 µs, and handing it over with ThreadPoolExecutor another 120 µs when the thread is idle; here
40 µs (`make bench-decisions`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")

_Call = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class Worker:
    """A thread that makes calls one after the other."""

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def call(self, function: Callable[[], T]) -> asyncio.Future[T]:
        """Call a function in the thread; the future is of the running event loop."""
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._calls.put((function, done))
        return done

    def stop(self, *, joins: bool = True) -> None:
        """End the thread after the calls that were made; `joins`: whether to wait for that."""
        self._calls.put(None)
        if joins:
            self._thread.join()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            function, done = call
            result, error = None, None
            try:
                result = function()
            except BaseException as caught:  # noqa: BLE001 - the caller gets it
                error = caught
            # A loop that is closed has nobody who waits.
            with suppress(RuntimeError):
                done.get_loop().call_soon_threadsafe(_set, done, result, error)
            del call, function, done, result, error


def _set(done: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)
