"""Recorder: makes every decision durable before its answer leaves. The event loop's side; writer.py has the thread's.

Group commit: all that is ready when a transaction can begin becomes one; what arrives meanwhile, the next one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import perf_counter

from msgspec import Struct

from decisions.ids import IdSource
from decisions.record import Answer, Entry, make_decisions
from decisions.store import InvalidRecords, ModelFile, StoreError
from decisions.worker import Worker
from decisions.writer import Writer

MAX_WAITING_ROWS = 100_000
"""Decisions that may wait for the database; beyond them a request is refused."""

MAX_BATCH_ROWS = 10_000
"""Records of one transaction, unless one request has more."""

WRITE_SECONDS = 5.0
"""Maximum time of a transaction; then the connection is given up."""

RECONNECT_SECONDS = 1.0

MAX_COMMITS = 10_000
"""Durations that are kept until they are taken."""

logger = logging.getLogger("credit")


class NotRecorded(Exception):
    """The decisions can't be recorded now, so that they must not be answered; the message is for the log."""


class RecorderStatus(Struct, frozen=True):
    """How recording goes. `waiting`, `spooled`: records now; `recorded`, `failed`: records since the start."""

    is_connected: bool
    waiting: int
    spooled: int
    recorded: int
    failed: int
    error: str


class _Item(Struct, frozen=True):
    """Entries that wait, made in the writer's thread, and the future of the request that waits for them."""

    make: Callable[[], list[Entry]]
    rows: int
    done: asyncio.Future[None]


class Recorder:
    """Records the decisions of one process. Without a `spool` folder what can't be recorded is refused."""

    def __init__(self, url: str, spool: Path | None) -> None:
        self.ids = IdSource()
        self._writer = Writer(url, spool)
        self._is_required = spool is None
        self._worker = Worker("decisions")
        self._connecting = ThreadPoolExecutor(1, thread_name_prefix="connect-decisions")
        self._waiting: list[_Item] = []
        self._waiting_rows = self._recorded = self._failed = 0
        self._commits: list[float] = []
        self._is_busy = self._is_scheduled = False
        self._logged_error: str | None = ""
        self._upkeep: asyncio.Task[None] | None = None

    @property
    def status(self) -> RecorderStatus:
        """How recording goes."""
        writer = self._writer
        return RecorderStatus(
            is_connected=writer.is_connected,
            waiting=self._waiting_rows,
            spooled=writer.spooled,
            recorded=self._recorded,
            failed=self._failed,
            error="" if writer.is_connected else writer.error,
        )

    @property
    def is_ready(self) -> bool:
        """Whether a decision could be recorded now."""
        return self._writer.is_connected or not self._is_required

    def take_commits(self) -> list[float]:
        """Seconds of each transaction since the last call."""
        commits, self._commits = self._commits, []
        return commits

    def add_model(self, model: ModelFile) -> None:
        """Keep a model file before the first decision that it makes."""
        self._writer.add_model(model)

    async def start(self) -> None:
        """Connect, and go on trying to; returns after the first attempt."""
        await self._maintain()
        self._upkeep = asyncio.create_task(self._keep_connected())

    async def stop(self) -> None:
        """Wait for what is being written, and close the database."""
        if self._upkeep is not None:
            self._upkeep.cancel()
            with suppress(asyncio.CancelledError):
                await self._upkeep
        while self._waiting or self._is_busy:
            await asyncio.sleep(0.01)
        await self._worker.call(self._writer.close)
        self._worker.stop()
        self._connecting.shutdown()

    async def record(self, answer: Answer, request_id: str | None, key: str | None) -> None:
        """Return when the decisions of a request are durable; raises NotRecorded. `key`: name of the request's key."""
        await self._enqueue(partial(make_decisions, answer, request_id, key), len(answer.inputs))

    async def append(self, entries: Sequence[Entry], *, is_counted: bool = True) -> None:
        """Return when other entries are durable; raises NotRecorded. Uncounted ones take no place from a request."""
        await self._enqueue(lambda: list(entries), len(entries) if is_counted else 0)

    async def _enqueue(self, make: Callable[[], list[Entry]], rows: int) -> None:
        if not self.is_ready:
            self._failed += rows
            raise NotRecorded(self._writer.error)
        if self._waiting_rows + rows > max(MAX_WAITING_ROWS, rows):
            self._failed += rows
            raise NotRecorded(f"{self._waiting_rows:,} decisions wait for the database already")
        loop = asyncio.get_running_loop()
        item = _Item(make, rows, loop.create_future())
        self._waiting.append(item)
        self._waiting_rows += rows
        if not self._is_busy and not self._is_scheduled:
            # After the other requests that are ready in this iteration of the event loop.
            self._is_scheduled = True
            loop.call_soon(self._write_waiting)
        await item.done

    def _write_waiting(self) -> None:
        self._is_scheduled = False
        if self._is_busy or not self._waiting:
            return
        self._is_busy = True
        batch, rows = self._take_batch()
        loop, began = asyncio.get_running_loop(), perf_counter()
        # Shields the event loop from a database that never answers: the call raises StoreError soon after.
        timer = loop.call_later(WRITE_SECONDS, self._writer.interrupt)
        written = self._worker.call(partial(_write, self._writer, batch))
        written.add_done_callback(lambda _: self._finish(batch, rows, written, timer, began))

    def _take_batch(self) -> tuple[list[_Item], int]:
        count = rows = 0
        for item in self._waiting:
            if rows and rows + item.rows > MAX_BATCH_ROWS:
                break
            rows += item.rows
            count += 1
        batch = self._waiting[:count]
        del self._waiting[:count]
        return batch, rows

    def _finish(
        self,
        batch: list[_Item],
        rows: int,
        written: asyncio.Future[list[StoreError | None]],
        timer: asyncio.TimerHandle,
        began: float,
    ) -> None:
        timer.cancel()
        if len(self._commits) < MAX_COMMITS:
            self._commits.append(perf_counter() - began)
        self._waiting_rows -= rows
        self._is_busy = False
        # A request must not wait for ever, whatever has happened, such as a lack of memory.
        error = written.exception()
        for item, fault in zip(batch, [error] * len(batch) if error else written.result(), strict=True):
            if fault is None:
                self._recorded += item.rows
            else:
                self._failed += item.rows
            # A request whose client has gone doesn't wait any more.
            if item.done.done():
                continue
            if fault is None:
                item.done.set_result(None)
            else:
                item.done.set_exception(NotRecorded(str(fault)) if isinstance(fault, StoreError) else fault)
        self._log_connection()
        self._write_waiting()

    async def _keep_connected(self) -> None:
        is_done = True
        while True:
            await asyncio.sleep(RECONNECT_SECONDS if is_done else 0)
            is_done = await self._maintain()

    async def _maintain(self) -> bool:
        """Connect if there is no connection, and ship from the spool; returns whether nothing is left to do now."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(2 * WRITE_SECONDS, self._writer.interrupt)
        is_done = True
        try:
            if not self._writer.is_connected:
                await loop.run_in_executor(self._connecting, self._writer.connect)
            is_done = await self._worker.call(self._writer.maintain)
        except StoreError:
            # The writer keeps it, for the log and the answers.
            pass
        finally:
            timer.cancel()
        self._log_connection()
        return is_done

    def _log_connection(self) -> None:
        """Log when the connection is lost, why it can't be made, and when it is back."""
        error = None if self._writer.is_connected else self._writer.error
        if error == self._logged_error:
            return
        self._logged_error = error
        if error is None:
            logger.info("decisions are recorded")
        else:
            consequence = "answering 503" if self._is_required else "spooling to the local disk"
            logger.error("decisions can't be recorded, %s: %s", consequence, error)


def _write(writer: Writer, batch: Sequence[_Item]) -> list[StoreError | None]:
    """Write a batch, in the thread; for each item why it isn't recorded, or None."""
    try:
        writer.write([entry for item in batch for entry in item.make()])
    except InvalidRecords as error:
        # One request must not be refused for the values of another.
        return [error] if len(batch) == 1 else [_write(writer, [item])[0] for item in batch]
    except StoreError as error:
        return [error] * len(batch)
    return [None] * len(batch)
