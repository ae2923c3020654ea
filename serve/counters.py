"""Counters of a process, and how those of all workers of a service are added up when asked for.

A process alone keeps them in its memory. Several workers map a file of float64 each into memory and add to their own
without locks; whoever is asked for /metrics reads all files. The file of a worker that is gone stays, since a counter
must never fall.
"""

from __future__ import annotations

import mmap
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from serve.model import Matrix

Key = tuple[str, tuple[str, ...]]
"""Name of a counter and the values of its labels."""

DIRECTORY = "CREDIT_COUNTERS"
"""Environment variable that tells the workers of one service where their files are; made by serve/__main__.py."""

GAUGES = ("in_flight",)
"""What a worker that is gone no longer has."""


class Counters:
    """Counters of one process: `array`, float64, shape (len(keys),), and `view`, faster for single ones."""

    def __init__(self, directory: str | None, keys: Sequence[Key]) -> None:
        memory = memoryview(bytearray(8 * len(keys))) if directory is None else _share(directory, keys)
        self.array: Matrix = np.frombuffer(memory, dtype=np.float64)
        self.view = memory.cast("d")


def _share(directory: str, keys: Sequence[Key]) -> memoryview:
    """The memory of a new file of counters, 8 bytes each, all zero."""
    from tempfile import mkstemp

    header = msgspec.json.encode(keys)
    # The head is padded, so that the numbers are aligned.
    head = len(header).to_bytes(8, "little") + header + b" " * (-len(header) % 8)
    handle, name = mkstemp(suffix=".new", prefix=f"{os.getpid()}-", dir=directory)
    with os.fdopen(handle, "r+b") as file:
        file.write(head + bytes(8 * len(keys)))
        file.flush()
        content = mmap.mmap(file.fileno(), 0)
    os.replace(name, name.removesuffix(".new") + ".counters")
    return memoryview(content)[len(head) :]


class Ledger:
    """All counters of one process; the same keys are the same counters, however often a model is loaded again.

    `directory`: where the files of the workers are; None for a process alone.
    """

    def __init__(self, directory: str | None = None) -> None:
        self._directory = directory
        self._open: dict[tuple[Key, ...], Counters] = {}

    def open(self, keys: Sequence[Key]) -> Counters:
        """The counters of these keys, at zero the first time."""
        if tuple(keys) not in self._open:
            self._open[tuple(keys)] = Counters(self._directory, keys)
        return self._open[tuple(keys)]

    def add_up(self) -> dict[Key, float]:
        """Every counter of the service, added up over its workers."""
        if self._directory is not None:
            return _add_up(self._directory)
        total: dict[Key, float] = defaultdict(float)
        for keys, counters in self._open.items():
            for key, value in zip(keys, counters.array.tolist(), strict=True):
                total[key] += value
        return total


def _add_up(directory: str) -> dict[Key, float]:
    total: dict[Key, float] = defaultdict(float)
    for path in Path(directory).glob("*.counters"):
        content = path.read_bytes()
        size = int.from_bytes(content[:8], "little")
        keys = msgspec.json.decode(content[8 : 8 + size], type=list[Key])
        values = np.frombuffer(content, np.float64, offset=8 + size + -size % 8).tolist()
        is_alive = Path(f"/proc/{path.name.partition('-')[0]}").exists() if Path("/proc").exists() else True
        for key, value in zip(keys, values, strict=True):
            if is_alive or key[0] not in GAUGES:
                total[key] += value
    return total
