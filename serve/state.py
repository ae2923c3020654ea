"""The state of the application, in one object: settings, the model in service, metrics, threads and what is in use."""

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

Result = TypeVar("Result")


class AppState:
    """What all requests share.

    `requests`: in progress; `body_bytes`: of all bodies being read; `reading`: the tasks that read one, and since when.
    """

    def __init__(self, runtime: Runtime, settings: Settings, metrics: Metrics) -> None:
        self.settings = settings
        self.metrics = metrics
        self.requests = 0
        self.body_bytes = 0
        self.reading: dict[asyncio.Task[Any] | None, float] = {}
        self._large_bodies = 0
        # One thread: more would share the interpreter's lock with the event loop, and delay small requests the more.
        self._large_pool = ThreadPoolExecutor(1, thread_name_prefix="large-bodies")
        self._blocking_pool = ThreadPoolExecutor(2, thread_name_prefix="blocking")
        self.put_in_service(runtime)

    def put_in_service(self, runtime: Runtime) -> None:
        """Answer with this model from now on; a request keeps the one it began with."""
        self.metrics.set_model(runtime.name, runtime.fields)
        self.runtime = runtime

    async def run_large(self, call: Callable[[], Result]) -> Result:
        """Run a call in the thread for large bodies; raises HTTPProblem if too many wait for it already."""
        if self._large_bodies >= self.settings.large_bodies:
            raise too_busy(f"{self._large_bodies} large bodies are in progress already")
        self._large_bodies += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._large_pool, call)
        finally:
            self._large_bodies -= 1

    async def run_blocking(self, call: Callable[[], Result]) -> Result:
        """Run a call that reads files or takes long, but scores nobody, in a thread of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._blocking_pool, call)

    async def run_periodic_tasks(self) -> None:
        """Once a second: give up bodies that take too long, and count what was scored; until cancelled."""
        # Away from the event loop, since it takes long; what is made of it is made there, once.
        await self.run_blocking(lambda: import_module("serve.metrics.collectors"))
        while True:
            await asyncio.sleep(1)
            self.cancel_late_bodies()
            self.metrics.flush(self.requests)

    def cancel_late_bodies(self) -> None:
        """Wake the requests whose bodies take too long. A timer for each of them would take longer than the scoring."""
        late = perf_counter() - self.settings.body_seconds
        for task, began in list(self.reading.items()):
            if began < late and task:
                task.cancel()
