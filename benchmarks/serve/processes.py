"""What the processes of one service use, taken from /proc: a service is a session, with all its workers."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
TICK = os.sysconf("SC_CLK_TCK")


def members(session: int) -> Iterator[int]:
    """The processes of a session."""
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if int(_stat(int(entry.name))[3]) == session:
                    yield int(entry.name)


def cpu_seconds(session: int) -> float:
    """Processor time that the living processes of a session have used, their threads included."""
    total = 0
    for process in members(session):
        with suppress(OSError):
            fields = _stat(process)
            total += int(fields[11]) + int(fields[12])
    return total / TICK


def resident_megabytes(session: int) -> float:
    """Memory of a session: the largest process whole, of the others what is theirs alone.

    So what workers share is counted once, and what a process shares with strangers is counted too.
    """
    whole, private = [], []
    for process in members(session):
        with suppress(OSError):
            sizes = dict(re.findall(r"^(\w+): +(\d+) kB", (PROC / str(process) / "smaps_rollup").read_text(), re.M))
            whole.append(int(sizes["Rss"]))
            private.append(int(sizes["Private_Clean"]) + int(sizes["Private_Dirty"]))
    largest = whole.index(max(whole))
    return (whole[largest] + sum(private) - private[largest]) / 1024


def kill_session(session: int) -> None:
    """End whatever is left of a session."""
    for process in members(session):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _stat(process: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name, which may hold spaces: state, parent, group, session, …"""
    return (PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
