"""Decisions on record, where DECISIONS_URL is set: what serve/ needs of decisions/. Not imported otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from decisions.chain import now
from decisions.record import Answer
from decisions.recorder import Recorder
from decisions.store import Store, StoreError, open_store
from model.policy import DECISIONS
from model.session import Matrix, Scores
from serve.runtime import Runtime
from serve.settings import Settings

T = TypeVar("T")

READ_SECONDS = 20.0
"""Maximum time of a reading; then its connection is given up."""


class DecisionLog:
    """The recorder of one process, and a connection of its own for reading."""

    def __init__(self, settings: Settings) -> None:
        is_required = settings.decisions == "required"
        self.recorder = Recorder(settings.decisions_url, None if is_required else settings.decisions_spool)
        self._url = settings.decisions_url
        self._reading = ThreadPoolExecutor(1, thread_name_prefix="read-decisions")
        self._store: Store | None = None

    def describe(
        self,
        runtime: Runtime,
        applicants: Matrix,
        scores: Scores,
        ids: Sequence[str | int | None] | None,
        reasons: int,
    ) -> Answer:
        """What is to be recorded of a request: applicants, float64, shape (n, n_fields), and their scores."""
        return Answer(
            decision_ids=self.recorder.ids.reserve(len(applicants)),
            time=now(),
            model=runtime.identity.sha256,
            ids=[None] * len(applicants) if ids is None else ids,
            inputs=applicants.tolist(),
            probability=scores.probability.tolist(),
            decision=[DECISIONS[index] for index in scores.decision.tolist()],
            points=runtime.model.contract.policy.score_points(scores.probability).tolist(),
            reasons=reasons,
        )

    async def read(self, call: Callable[[Store], T]) -> T:
        """Run a reading in a thread; raises StoreError if the database can't be read, or takes too long."""
        loop = asyncio.get_running_loop()
        timer = loop.call_later(READ_SECONDS, self._interrupt)
        try:
            return await loop.run_in_executor(self._reading, lambda: self._read(call))
        finally:
            timer.cancel()

    async def stop(self) -> None:
        """Record what waits, and close both connections."""
        await self.recorder.stop()
        self._interrupt()
        self._reading.shutdown()
        if self._store is not None:
            self._store.close()

    def _read(self, call: Callable[[Store], T]) -> T:
        if self._store is None:
            self._store = open_store(self._url, create=False)
        try:
            return call(self._store)
        except StoreError:
            self._store.close()
            self._store = None
            raise

    def _interrupt(self) -> None:
        store = self._store
        if store is not None:
            store.interrupt()
