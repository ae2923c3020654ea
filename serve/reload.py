"""Model reload without a restart: the file at MODEL_PATH is checked regularly and served after its self-test."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

from model.contract import ContractError
from serve.loading import load_runtime
from serve.state import AppState

logger = logging.getLogger("credit")

FileStamp = tuple[int, int, int]
"""Inode, size and modification time in ns: at least one differs after a file was replaced or written."""


async def watch_model_file(state: AppState, seen: FileStamp | None) -> None:
    """Reload the model whenever its file has changed, until cancelled; an invalid file is logged once.

    `seen`: the stamp of the file, taken before the model in service was read from it.
    """
    path, last = state.settings.model_path, seen
    while True:
        await asyncio.sleep(state.settings.reload_seconds / 2)
        stamp = await state.run_blocking(lambda: read_file_stamp(path))
        # A file that has changed since the last check may not be written completely.
        is_stable = stamp is not None and stamp == last
        if is_stable and stamp != seen:
            seen = stamp
            await reload_model(state)
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
