"""Pin server and load generator to a core each, and describe the machine."""

from __future__ import annotations

import os
import platform
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serve.errors import BenchError


@dataclass(frozen=True, slots=True)
class Cores:
    """The core of the service, and the core of wrk and of this process."""

    server: int
    load: int


def pin_to_load_core() -> Cores:
    """Pin this process to the load core, with the highest priority if allowed; raises BenchError on a single core."""
    free = sorted(os.sched_getaffinity(0))
    if len(free) < 2:
        raise BenchError("service and load generator need a core each, got one core; use another machine")
    cores = Cores(free[0], free[-1])
    os.sched_setaffinity(0, {cores.load})
    with suppress(PermissionError):
        os.nice(-20)
    return cores


def describe_machine() -> str:
    """Processor, cores, system and Python version in a line."""
    processor = platform.processor() or platform.machine()
    with suppress(OSError):
        named = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.M)
        processor = named[1] if named else processor
    python = f"Python {platform.python_version()}"
    return f"{processor}, {os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]}, {python}"
