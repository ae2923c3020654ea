"""Taking another model without a stop: the file at MODEL_PATH is looked at again and again, and served once proven."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

from model.contract import ContractError
from serve.loading import load
from serve.state import AppState

logger = logging.getLogger("credit")

Stamp = tuple[int, int, int]
"""What changes when a file is replaced or written: inode, size, time of the last change in nanoseconds."""


async def follow_file(state: AppState, seen: Stamp | None) -> None:
    """Put each new file in service as a whole, until cancelled; one that can't be served is told once.

    `seen`: the stamp of the file before the model in service was read from it.
    """
    path, last = state.settings.model_path, seen
    while True:
        await asyncio.sleep(state.settings.reload_seconds / 2)
        stamp = await state.run_blocking(lambda: read_stamp(path))
        # A file that has changed since the last look may still be being written.
        is_whole = stamp is not None and stamp == last
        if is_whole and stamp != seen:
            seen = stamp
            await take_file(state)
        last = stamp


async def take_file(state: AppState) -> None:
    """Put the file as it is now in service, unless it is served already or can't be."""
    settings, kept = state.settings, state.runtime.name
    try:
        runtime = await state.run_blocking(lambda: load(settings.model_path, settings))
    except ContractError as error:
        # A trace would only show our own check: the message says what is wrong with the file.
        logger.error("kept model %s: %s", kept.version, error)  # noqa: TRY400
        return
    except Exception:
        # Such as too little memory for two models. The service looks again when the file changes.
        logger.exception("kept model %s", kept.version)
        return
    if runtime.name.sha256 != kept.sha256:
        state.put_in_service(runtime)
        logger.info("model %s is in service, sha256 %s", runtime.name.version, runtime.name.sha256)


def read_stamp(path: Path) -> Stamp | None:
    """The stamp of a file; None while there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
