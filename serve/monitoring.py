"""Monitoring: counts what is on record into tallies, in a thread and with a connection of its own.

Each process of a service counts; what two of them count at once, the database takes from the first. Nothing here may
make a request wait: records are counted in small portions, with pauses in which the interpreter is free.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from random import uniform
from threading import Event, Lock, Thread, Timer
from time import perf_counter, time

import numpy as np
from msgspec import Struct

from decisions.chain import now
from decisions.store import Store, StoreError, TallyKey, open_store
from model.bins import Counts
from model.session import Model
from monitor.counting import Contracts, count_new, find_oldest_slot
from monitor.summary import Monitor, read_monitor
from monitor.tally import DAY, LATENCY_BOUNDS, REQUESTS, SLOT, add_counts, write_counts
from serve.metrics.recorder import Metrics

COUNT_SECONDS = 10.0
"""How often new records are counted; a little more or less, so that the processes of a service take turns."""

METRICS_SECONDS = 30.0
"""How often the gauges are set."""

PORTION_RECORDS = 500
"""Records of one transaction, a few milliseconds of work."""

PAUSE = 3.0
"""The pause after a portion, in times of how long it took."""

CALL_SECONDS = 20.0
"""Maximum time of a portion or of a summary; then the connection is given up."""

STOP_SECONDS = 3.0

CATCH_UP_SECONDS = 0.05
"""How long GET /v1/monitor counts what is new, before it answers."""

logger = logging.getLogger("credit")


class Monitored(Struct, frozen=True):
    """The model in service, and the SHA-256 of its challenger, if there is one."""

    model: Model
    challenger: str | None


class Monitoring:
    """The counting of one process. `find_models`: what is in service now."""

    def __init__(self, url: str, metrics: Metrics, find_models: Callable[[], Monitored]) -> None:
        self._url, self._metrics, self._find_models = url, metrics, find_models
        self._store: Store | None = None
        self._contracts = Contracts()
        self._can_count, self._is_faulty = True, False
        self._answers: Counts = np.zeros(len(LATENCY_BOUNDS) + 2, np.int64)
        self._answers_lock = Lock()
        self._requests_due = self._metrics_due = 0.0
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="monitoring", daemon=True)

    def start(self) -> None:
        """Begin to count."""
        self._thread.start()

    def stop(self) -> None:
        """Add the last requests, and end the thread."""
        self._stopping.set()
        self._thread.join(STOP_SECONDS)
        store = self._store
        if self._thread.is_alive() and store is not None:
            store.interrupt()
            self._thread.join(STOP_SECONDS)

    def add_requests(self, requests: Sequence[tuple[int, float]]) -> None:
        """Count these requests for a score too: status and seconds."""
        if requests:
            # Added up at once, so that they take no more memory the longer the database is away.
            counts = tally_requests(requests)
            with self._answers_lock:
                self._answers += counts

    def read(self, store: Store) -> Monitor:
        """The summary now, from another connection; raises StoreError."""
        started, models = perf_counter(), self._find_models()
        try:
            # Not in a database that can't be written to, which would then not be read either.
            while self._can_count and perf_counter() - started < CATCH_UP_SECONDS:
                if not count_new(store, self._contracts, now(), PORTION_RECORDS):
                    break
        except StoreError:
            self._can_count = False
            raise
        return read_monitor(store, models.model, models.challenger, now())

    def _run(self) -> None:
        while not self._stopping.is_set():
            started, has_more = perf_counter(), self._try(self._work)
            pause = PAUSE * (perf_counter() - started) if has_more else COUNT_SECONDS * uniform(0.5, 1.5)  # noqa: S311
            self._stopping.wait(min(pause, COUNT_SECONDS))
        self._try(self._count_requests)
        if self._store is not None:
            self._store.close()

    def _try(self, call: Callable[[Store], bool]) -> bool:
        """Use the database; a fault is logged once, and once when it is over. Returns whether there is more to do."""
        try:
            if self._store is None:
                self._store = open_store(self._url, create=False)
            timer = Timer(CALL_SECONDS, self._store.interrupt)
            timer.daemon = True
            timer.start()
            try:
                has_more = call(self._store)
            finally:
                timer.cancel()
        except Exception as error:
            if not self._is_faulty and not self._stopping.is_set():
                # The message of a StoreError says what is wrong; any other is a fault of ours, which ends nothing.
                is_known = isinstance(error, StoreError)
                logger.error("decisions can't be monitored, trying again: %s", error, exc_info=not is_known)  # noqa: TRY400
            self._can_count, self._is_faulty = False, True
            if self._store is not None:
                self._store.close()
            self._store = None
            return False
        if self._is_faulty:
            logger.info("decisions are monitored")
        self._can_count, self._is_faulty = True, False
        return has_more

    def _work(self, store: Store) -> bool:
        moment = perf_counter()
        if moment >= self._requests_due:
            self._count_requests(store)
            self._requests_due = moment + COUNT_SECONDS
        has_more = count_new(store, self._contracts, now(), PORTION_RECORDS)
        if moment >= self._metrics_due:
            models = self._find_models()
            self._metrics.record_monitor(read_monitor(store, models.model, models.challenger, now()))
            self._metrics_due = moment + METRICS_SECONDS
        return has_more

    def _count_requests(self, store: Store) -> bool:
        """Add the requests since the last time to the slot and the day of now."""
        with self._answers_lock:
            answers = self._answers.copy()
        if answers.any():
            counts, seconds = write_counts(answers), int(time())
            keys = [TallyKey(REQUESTS, width, seconds - seconds % width) for width in (SLOT, DAY)]
            store.add_tallies({}, dict.fromkeys(keys, counts), add_counts, {SLOT: find_oldest_slot(now())})
            with self._answers_lock:
                self._answers -= answers
        return False


def tally_requests(requests: Sequence[tuple[int, float]]) -> Counts:
    """Counts of the latencies up to each of LATENCY_BOUNDS, above them, and of answers with a status of 5xx.

    int64, shape (n_bounds + 2,).
    """
    statuses, seconds = (np.array(column) for column in zip(*requests, strict=True))
    latencies = np.bincount(np.searchsorted(LATENCY_BOUNDS, seconds), minlength=len(LATENCY_BOUNDS) + 1)
    return np.append(latencies, np.count_nonzero(statuses >= 500)).astype(np.int64)
