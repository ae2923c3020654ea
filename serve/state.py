"""AppState: settings, model in service, metrics, threads, and the resources in use. Shared by all requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from time import perf_counter
from typing import Any, TypeVar

from serve.metrics.recorder import Metrics
from serve.runtime import Runtime
from serve.schemas.problems import too_busy
from serve.settings import Settings

T = TypeVar("T")


class AppState:
    """The state of one application in one process.

    `requests`: number in progress; `body_bytes`: size of the bodies being read and of the large responses being sent;
    `reading`: task that reads a body → its start.
    """

    def __init__(self, runtime: Runtime, settings: Settings, metrics: Metrics) -> None:
        self.settings = settings
        self.metrics = metrics
        self.requests = 0
        self.body_bytes = 0
        self.reading: dict[asyncio.Task[Any] | None, float] = {}
        self._large_bodies = 0
        # One thread: with more, the event loop would wait longer for the interpreter lock (GIL).
        self._large_pool = ThreadPoolExecutor(1, thread_name_prefix="large-bodies")
        self._blocking_pool = ThreadPoolExecutor(2, thread_name_prefix="blocking")
        self.put_in_service(runtime)

    def put_in_service(self, runtime: Runtime) -> None:
        """Score new requests with this model; requests in progress keep theirs."""
        self.metrics.set_model(runtime.identity, runtime.fields)
        self.runtime = runtime

    async def run_offloaded(self, call: Callable[[], T]) -> T:
        """Run a call in the thread for large bodies; raises HTTPProblem (503) beyond QUEUE_BODIES."""
        if self._large_bodies >= self.settings.queue_bodies:
            raise too_busy(f"{self._large_bodies} large bodies are in progress already")
        self._large_bodies += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._large_pool, call)
        finally:
            self._large_bodies -= 1

    async def run_blocking(self, call: Callable[[], T]) -> T:
        """Run a call that blocks, such as reading a file, in another thread than that of large bodies."""
        return await asyncio.get_running_loop().run_in_executor(self._blocking_pool, call)

    async def run_periodic_tasks(self) -> None:
        """Once a second, until cancelled: time out late bodies and flush the metrics."""
        # The import takes long, so it runs in a thread; the first flush then creates the collectors.
        await self.run_blocking(lambda: import_module("serve.metrics.collectors"))
        while True:
            await asyncio.sleep(1)
            self.cancel_late_bodies()
            self.metrics.flush(self.requests)

    def cancel_late_bodies(self) -> None:
        """Cancel the tasks whose bodies exceed BODY_TIMEOUT; one timer per request would cost more than scoring it."""
        late = perf_counter() - self.settings.body_timeout
        for task, began in list(self.reading.items()):
            if began < late and task:
                task.cancel()
