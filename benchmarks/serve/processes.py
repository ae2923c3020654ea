"""CPU time and memory of a service from /proc, summed over its processes."""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def list_processes(root: int) -> list[int]:
    """The processes of a service: those of its session and all their descendants, also in other sessions."""
    parents, sessions = {}, {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                fields = _stat(int(entry.name))
                parents[int(entry.name)], sessions[int(entry.name)] = int(fields[1]), int(fields[3])
    found, extended = set[int](), {root}
    while len(extended) > len(found):
        found = extended
        extended = found | {pid for pid in parents if parents[pid] in found or sessions[pid] in found}
    return sorted(extended & parents.keys())


def cpu_seconds(root: int) -> float:
    """CPU time that the running processes of a service have used."""
    total = 0
    for process in list_processes(root):
        with suppress(OSError):
            fields = _stat(process)
            total += int(fields[11]) + int(fields[12])
    return total / TICKS_PER_SECOND


def service_megabytes(root: int) -> float:
    """Memory of a service: the resident memory of the largest process plus the private memory of the others.

    So memory that workers share is counted once.
    """
    whole, private = [], []
    for process in list_processes(root):
        with suppress(OSError):
            sizes = dict(re.findall(r"^(\w+): +(\d+) kB", (PROC / str(process) / "smaps_rollup").read_text(), re.M))
            whole.append(int(sizes["Rss"]))
            private.append(int(sizes["Private_Clean"]) + int(sizes["Private_Dirty"]))
    largest = whole.index(max(whole))
    return (whole[largest] + sum(private) - private[largest]) / 1024


def read_start_times(root: int) -> dict[int, str]:
    """The start time of each process of a service, which identifies it if its id is used again."""
    start_times = {}
    for process in list_processes(root):
        with suppress(OSError):
            start_times[process] = _stat(process)[19]
    return start_times


def kill_remaining(start_times: dict[int, str]) -> None:
    """Kill those of the processes that still run."""
    for process, start_time in start_times.items():
        with suppress(OSError):
            if _stat(process)[19] == start_time:
                os.kill(process, signal.SIGKILL)


def _stat(process: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name, which may hold spaces: state, parent, group, session, …"""
    return (PROC / str(process) / "stat").read_text().rpartition(")")[2].split()
