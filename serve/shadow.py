"""A challenger in the shadow: what another model file would have decided is recorded, and never answered.

Decisions that are on record wait in a queue. Once a second a thread of its own scores them, and the records are
appended in portions, so that no request waits for more than one of them. Whatever the challenger does only shows in the
counters.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from decisions.ids import IdSource
from decisions.record import Answer
from decisions.recorder import NotRecorded, Recorder
from decisions.worker import Worker
from model.contract import ContractError
from model.field_map import FieldMap, UnfitChallenger
from model.session import Matrix, Model
from serve.challenger import Challenger, ShadowStatus, Waiting, load_challenger, score_portion
from serve.runtime import Runtime
from serve.settings import Settings

T = TypeVar("T")

GATHER_SECONDS = 1.0
"""How long decisions wait to be scored together."""

PORTION_ROWS = 200
"""Records that are made and appended at once."""

REST = 4.0
"""Seconds of rest for each second in the challenger's graph: however slow it is, it takes a fifth of a core."""

MAX_WAITING_BYTES = 64 * 2**20
"""Beyond it, decisions are skipped."""

CALL_SECONDS = 60.0
"""The most that loading a file or scoring a portion may take. Then its thread is left to itself, and another begins."""

STOP_SECONDS = 5.0
"""Time for what waits when the service stops."""

logger = logging.getLogger("credit")


class Shadow:
    """The challenger of one process, its queue and its thread; every method is called on the event loop."""

    def __init__(self, path: Path, settings: Settings, recorder: Recorder) -> None:
        self.status = ShadowStatus()
        self._path, self._settings, self._recorder = path, settings, recorder
        self._worker = Worker("challenger")
        self._ids = IdSource()
        self._champion: Model | None = None
        self._model: Model | None = None
        self._challenger: Challenger | None = None
        self._failing: Challenger | None = None
        self._waiting: deque[Waiting] = deque()
        self._waiting_bytes = 0
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def model(self) -> Model | None:
        """The challenger, if there is one that fits the champion."""
        return None if self._challenger is None else self._challenger.model

    def set_champion(self, champion: Model) -> None:
        """Stand beside this champion from now on."""
        self._champion = champion
        self._fit()

    async def reload(self, *, is_there: bool) -> None:
        """Take the file at CHALLENGER_PATH into the shadow, unless it is broken; without one there is no challenger."""
        if not is_there:
            if self._model is None:
                logger.warning("no challenger: there is no file %s; one that appears there is taken", self._path)
            elif not self._is_promoted:
                logger.info("challenger %s has left the shadow: %s is gone", self._model.contract.version, self._path)
            self._model = None
            self._fit()
            return
        try:
            model, file = await self._call(partial(load_challenger, self._path, self._settings))
        except TimeoutError:
            logger.error("%s: %s can't be read to its end", self._describe_kept(), self._path)  # noqa: TRY400
            return
        except ContractError as error:
            # The message says what is wrong with the file; a trace would add nothing.
            logger.error("%s: %s", self._describe_kept(), error)  # noqa: TRY400
            return
        except Exception:
            # Such as MemoryError, with one model more loaded. The next attempt is at the next change of the file.
            logger.exception("%s", self._describe_kept())
            return
        if self._model is None or model.sha256 != self._model.sha256:
            self._recorder.add_model(file)
            self._model = model
            self._fit()

    def start(self) -> None:
        """Score what waits, once a second."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Score and record what waits, for STOP_SECONDS; the recorder must not have stopped."""
        self._stopping.set()
        if self._task is not None:
            with suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(self._task, STOP_SECONDS)
        left = sum(len(some.applicants) for some in self._waiting)
        if left:
            logger.warning("the challenger is too slow: %d decisions were not scored by it before the stop", left)
            self._count(skipped=left)
        # Not joined, since it may be in the challenger's graph, or loading a file.
        self._worker.stop(joins=False)

    def copy(self, runtime: Runtime, applicants: Matrix, answer: Answer) -> Waiting | None:
        """What `add` needs of a request, copied before the next one overwrites it; None without a challenger."""
        challenger = self._challenger
        if challenger is None:
            return None
        # A champion that was replaced in the meantime may have other fields.
        if runtime.fields is not challenger.champion and runtime.fields != challenger.champion:
            self._count(skipped=len(applicants))
            return None
        return Waiting(challenger, answer.decision_ids, answer.time, answer.ids, applicants.copy())

    def add(self, waiting: Waiting) -> None:
        """Have decisions that are on record scored by the challenger too."""
        for start in range(0, len(waiting.applicants), PORTION_ROWS):
            some = waiting.cut(start, start + PORTION_ROWS)
            size = some.measure()
            if self._waiting_bytes + size > MAX_WAITING_BYTES:
                self._count(skipped=len(some.applicants))
                continue
            self._waiting.append(some)
            self._waiting_bytes += size

    @property
    def _is_promoted(self) -> bool:
        """Whether the file is the one that is in service."""
        return self._model is not None and self._champion is not None and self._model.sha256 == self._champion.sha256

    def _fit(self) -> None:
        """Stand beside the champion, if the fields allow it."""
        self._challenger = None
        if self._model is not None and self._is_promoted:
            # Whichever of the two files is noticed first, of one that was moved.
            logger.info("challenger %s has left the shadow: it is the model in service", self._model.contract.version)
        elif self._model is not None and self._champion is not None:
            version, champion = self._model.contract.version, self._champion.contract.fields
            try:
                fields = FieldMap(champion, self._model.contract.fields)
            except UnfitChallenger as error:
                logger.error("challenger %s isn't in the shadow: %s", version, error)  # noqa: TRY400
            else:
                self._challenger = Challenger(self._model, champion, fields)
                logger.info("challenger %s is in the shadow, sha256 %s", version, self._model.sha256)
                if fields.unknown:
                    logger.warning("challenger %s skips applicants with %s", version, ", ".join(fields.unknown))
        self.status = replace(self.status, is_loaded=self._challenger is not None)

    def _describe_kept(self) -> str:
        return "no challenger" if self._model is None else f"kept challenger {self._model.contract.version}"

    async def _run(self) -> None:
        is_last = False
        while not is_last:
            await self._rest(GATHER_SECONDS)
            is_last = self._stopping.is_set()
            while self._waiting:
                await self._score(self._take())

    async def _score(self, portion: list[Waiting]) -> None:
        """Score and record a portion; what fails is counted, and not tried again."""
        rows, challenger = sum(len(some.applicants) for some in portion), portion[0].challenger
        try:
            scored = await self._call(partial(score_portion, portion, self._ids))
            if scored.entries:
                await self._recorder.append(scored.entries, is_counted=False)
        except NotRecorded:
            self._count(failed=rows)
        except TimeoutError:
            version, left = challenger.model.contract.version, sum(len(some.applicants) for some in self._waiting)
            logger.error("challenger %s has left the shadow: its graph doesn't end; replace the file", version)  # noqa: TRY400
            self._count(failed=rows, skipped=left)
            self._waiting.clear()
            self._waiting_bytes = 0
            self._model = None
            self._fit()
        except asyncio.CancelledError:
            self._count(skipped=rows)
            raise
        except Exception:
            # Whatever a model file raises must not end this task.
            self._count(failed=rows)
            if self._failing is not challenger:
                self._failing = challenger
                logger.exception("challenger %s fails", challenger.model.contract.version)
        else:
            self._count(len(scored.entries), scored.skipped, scored.failed)
            await self._rest(scored.seconds * REST)

    async def _call(self, call: Callable[[], T]) -> T:
        """Call in the challenger's thread; raises TimeoutError after CALL_SECONDS."""
        try:
            return await asyncio.wait_for(self._worker.call(call), CALL_SECONDS)
        except TimeoutError:
            self._worker.stop(joins=False)
            self._worker = Worker("challenger")
            raise

    def _take(self) -> list[Waiting]:
        """The next decisions, at most PORTION_ROWS of the same challenger."""
        portion: list[Waiting] = []
        rows, challenger = 0, self._waiting[0].challenger
        while self._waiting and self._waiting[0].challenger is challenger:
            rows += len(self._waiting[0].applicants)
            if rows > PORTION_ROWS:
                break
            portion.append(self._waiting.popleft())
            self._waiting_bytes -= portion[-1].measure()
        return portion

    def _count(self, scored: int = 0, skipped: int = 0, failed: int = 0) -> None:
        old = self.status
        self.status = ShadowStatus(old.is_loaded, old.scored + scored, old.skipped + skipped, old.failed + failed)

    async def _rest(self, seconds: float) -> None:
        """Wait, unless the service stops."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)
