"""What the processes of one service use, taken from /proc: the one that was started, and all that it has started."""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
TICK = os.sysconf("SC_CLK_TCK")


def members(root: int) -> list[int]:
    """The processes of a service: its session, and whatever that has started, in sessions of its own too."""
    parents, sessions = {}, {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = _stat(int(entry.name))
                parents[int(entry.name)], sessions[int(entry.name)] = int(fields[1]), int(fields[3])
    found, family = set[int](), {root}
    while len(family) > len(found):
        found = family
        family = found | {pid for pid in parents if parents[pid] in found or sessions[pid] in found}
    return sorted(family & parents.keys())


def cpu_seconds(root: int) -> float:
    """Processor time that the living processes of a service have used, their threads included."""
    total = 0
    for process in members(root):
        with suppress(OSError):
            fields = _stat(process)
            total += int(fields[11]) + int(fields[12])
    return total / TICK


def resident_megabytes(root: int) -> float:
    """Memory of a service: the largest process whole, of the others what is theirs alone.

    So what workers share is counted once, and what a process shares with strangers is counted too.
    """
    whole, private = [], []
    for process in members(root):
        with suppress(OSError):
            sizes = dict(re.findall(r"^(\w+): +(\d+) kB", (PROC / str(process) / "smaps_rollup").read_text(), re.M))
            whole.append(int(sizes["Rss"]))
            private.append(int(sizes["Private_Clean"]) + int(sizes["Private_Dirty"]))
    largest = whole.index(max(whole))
    return (whole[largest] + sum(private) - private[largest]) / 1024


def name_births(root: int) -> dict[int, str]:
    """The processes of a service, each with the time of its start, which tells it from a later one of its number."""
    births = {}
    for process in members(root):
        with suppress(OSError):
            births[process] = _stat(process)[19]
    return births


def kill_left(births: dict[int, str]) -> None:
    """End whatever is left of those processes."""
    for process, birth in births.items():
        with suppress(OSError):
            if _stat(process)[19] == birth:
                os.kill(process, signal.SIGKILL)


def _stat(process: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name, which may hold spaces: state, parent, group, session, …"""
    return (PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
