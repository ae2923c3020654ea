"""The service as a real process on a port of its own, for tests that need sockets, signals or its memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.dyno import free_port, wait_until_ready

ROOT = Path(__file__).resolve().parent.parent.parent

SETTINGS = (
    "API_KEYS",
    "BODY_TIMEOUT",
    "CORS_ORIGINS",
    "CREDIT_COUNTERS",
    "HOST",
    "LOG_LEVEL",
    "MAX_BODY_BYTES",
    "MAX_ROWS",
    "MODEL_PATH",
    "PORT",
    "QUEUE_BODIES",
    "QUEUE_MS",
    "WEB_CONCURRENCY",
)


@dataclass(frozen=True, slots=True)
class Service:
    """A running service of one process."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def base(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def resident_megabytes(self) -> float:
        """Memory that it holds (Linux)."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def processor_seconds(self) -> float:
        """Processor time that it has taken, its own and the system's for it (Linux)."""
        after_name = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def running_service(log: Path | None = None, /, **settings: str) -> Iterator[Service]:
    """The service with these settings and no others, ready to answer; ended with whatever is left of it.

    `log`: the file to which its standard output goes.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    port = free_port()
    given = {"LOG_LEVEL": "warning", "PORT": str(port), **settings}
    command = [sys.executable, "-m", "serve"]
    with (
        (log or Path(os.devnull)).open("wb") as out,
        subprocess.Popen(command, cwd=ROOT, env=inherited | given, stdout=out, start_new_session=True) as process,
    ):
        try:
            wait_until_ready(f"http://127.0.0.1:{port}", process, time.monotonic())
            yield Service(process, port)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
