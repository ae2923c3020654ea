"""Reload without a restart: the files of the model and of the challenger are checked regularly.

A model is served after its self-test. A challenger that is moved to MODEL_PATH is promoted: the one is replaced, the
other is gone.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from model.contract import ContractError
from serve.loading import load_runtime
from serve.state import AppState

if TYPE_CHECKING:
    from serve.shadow import Shadow

logger = logging.getLogger("credit")

FileStamp = tuple[int, int, int]
"""Inode, size and modification time in ns: at least one differs after a file was replaced or written."""


async def watch_model_file(state: AppState, seen: FileStamp | None) -> None:
    """Reload the model whenever its file has changed, until cancelled; an invalid file is logged once.

    `seen`: the stamp of the file, taken before the model in service was read from it.
    """

    async def reload(stamp: FileStamp | None) -> None:
        # The model stays in service while there is no file.
        if stamp is not None:
            await reload_model(state)

    await _watch(state, state.settings.model_path, seen, reload)


async def watch_challenger(state: AppState, shadow: Shadow, path: Path) -> None:
    """Load the challenger, and again whenever its file has changed, until cancelled; a removed file has none."""

    async def reload(stamp: FileStamp | None) -> None:
        await shadow.reload(is_there=stamp is not None)

    stamp = await state.run_blocking(lambda: read_file_stamp(path))
    await reload(stamp)
    await _watch(state, path, stamp, reload)


async def _watch(
    state: AppState, path: Path, seen: FileStamp | None, reload: Callable[[FileStamp | None], Awaitable[None]]
) -> None:
    last = seen
    while True:
        await asyncio.sleep(state.settings.reload_seconds / 2)
        stamp = await state.run_blocking(lambda: read_file_stamp(path))
        # A file that has changed since the last check may not be written completely.
        if stamp == last and stamp != seen:
            seen = stamp
            await reload(stamp)
        last = stamp


async def reload_model(state: AppState) -> None:
    """Put the file in service, unless it is in service already or fails its self-test."""
    settings, current = state.settings, state.runtime.identity
    try:
        runtime = await state.run_blocking(lambda: load_runtime(settings.model_path, settings))
    except ContractError as error:
        # The message says what is wrong with the file; a trace would add nothing.
        logger.error("kept model %s: %s", current.version, error)  # noqa: TRY400
        return
    except Exception:
        # Such as MemoryError while two models are loaded. The next attempt is at the next change of the file.
        logger.exception("kept model %s", current.version)
        return
    if runtime.identity.sha256 != current.sha256:
        state.put_in_service(runtime)
        logger.info("model %s is in service, sha256 %s", runtime.identity.version, runtime.identity.sha256)


def read_file_stamp(path: Path) -> FileStamp | None:
    """The stamp of a file; None while there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
