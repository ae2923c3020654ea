"""AppState: settings, model in service, metrics, threads, and the resources in use. Shared by all requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from serve.metrics.bins import list_bins
from serve.metrics.recorder import Metrics
from serve.runtime import Runtime
from serve.schemas.problems import too_busy
from serve.settings import Settings

if TYPE_CHECKING:
    from decisions.recorder import Recorder
    from decisions.store import Store
    from serve.monitoring import Monitored, Monitoring
    from serve.recording import DecisionLog
    from serve.shadow import Shadow

T = TypeVar("T")


class AppState:
    """The state of one application in one process.

    `requests`: number in progress; `body_bytes`: size of the bodies being read and of the large responses being sent;
    `reading`: task that reads a body → its start. `decision_log`: where decisions are recorded; `monitoring`: counts
    them; `shadow`: scores them with the challenger too.
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
        self.decision_log: DecisionLog | None = None
        self.shadow: Shadow | None = None
        self.monitoring: Monitoring | None = None
        if settings.decisions_url:
            from serve.monitoring import Monitoring
            from serve.recording import DecisionLog

            self.decision_log = DecisionLog(settings)
            self.monitoring = Monitoring(settings.decisions_url, metrics, self._find_models)
            if settings.challenger_path is not None:
                from serve.shadow import Shadow

                self.shadow = Shadow(settings.challenger_path, settings, self.decision_log.recorder)
        self.put_in_service(runtime)

    def put_in_service(self, runtime: Runtime) -> None:
        """Score new requests with this model; requests in progress keep theirs."""
        if self.decision_log is not None and runtime.file is not None:
            self.decision_log.recorder.add_model(runtime.file)
        if self.shadow is not None:
            self.shadow.set_champion(runtime.model)
        bins = list_bins(runtime.model.contract) if self.recorder is None else ()
        self.metrics.set_model(runtime.identity, runtime.fields, bins)
        self.runtime = runtime

    @property
    def is_ready(self) -> bool:
        """Whether an applicant could be scored now: not while a decision can't be recorded."""
        return self.decision_log is None or self.decision_log.recorder.is_ready

    @property
    def recorder(self) -> Recorder | None:
        """Records decisions, reviews and outcomes, where DECISIONS_URL is set."""
        return None if self.decision_log is None else self.decision_log.recorder

    def _find_models(self) -> Monitored:
        from serve.monitoring import Monitored

        challenger = None if self.shadow is None else self.shadow.model
        return Monitored(self.runtime.model, None if challenger is None else challenger.sha256)

    async def read_decisions(self, call: Callable[[Store], T]) -> T:
        """Run a reading of the decision log in a thread; raises StoreError. Only where DECISIONS_URL is set."""
        if self.decision_log is None:
            raise RuntimeError("DECISIONS_URL is not set")
        return await self.decision_log.read(call)

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
            self.flush_metrics()

    def flush_metrics(self) -> None:
        """Pass on all that the metrics buffer."""
        self.metrics.flush(self.requests)
        if self.recorder is not None:
            self.metrics.record_recording(self.recorder.status, self.recorder.take_commits())
        if self.shadow is not None:
            self.metrics.record_challenger(self.shadow.status)
        if self.monitoring is not None:
            self.monitoring.add_requests(self.metrics.take_requests())

    def cancel_late_bodies(self) -> None:
        """Cancel the tasks whose bodies exceed BODY_TIMEOUT; one timer per request would cost more than scoring it."""
        late = perf_counter() - self.settings.body_timeout
        for task, began in list(self.reading.items()):
            if began < late and task:
                task.cancel()
