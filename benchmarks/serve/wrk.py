"""Generate load with wrk: one thread, a number of connections, the bodies of a file in turn."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.serve.errors import BenchError
from benchmarks.serve.protocols import Request

SCRIPT = Path(__file__).parent / "post.lua"
MAX_ERROR_SHARE = 0.001
"""Share of failed requests above which a measurement is invalid."""


class LoadResult(Struct, frozen=True):
    """wrk's result; `error_responses`: responses of status 400 and above, `connection_errors`: also timeouts."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    error_responses: int
    connection_errors: int

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def find_wrk() -> str:
    """The path of wrk; as root it is installed if missing, else BenchError is raised."""
    apt = shutil.which("apt-get")
    if not shutil.which("wrk") and apt and os.geteuid() == 0:
        subprocess.run([apt, "install", "--yes", "--quiet", "wrk"], check=False, stdout=subprocess.DEVNULL)
    found = shutil.which("wrk")
    if not found:
        raise BenchError("wrk is not installed; install it with: sudo apt-get install wrk")
    return found


def run_wrk(wrk: str, url: str, requests: Sequence[Request], connections: int, seconds: float) -> LoadResult:
    """Load a URL for a number of seconds; raises BenchError if wrk or too many requests fail."""
    first = requests[0]
    headers = [word for pair in ({"Content-Type": first.content_type} | first.headers).items() for word in pair]
    with tempfile.NamedTemporaryFile(prefix="bodies-") as file:
        file.write(b"".join(b"%d\n%b\n" % (len(request.body), request.body) for request in requests))
        file.flush()
        duration = f"{max(1, round(seconds))}s"
        command = [wrk, "-t", "1", "-c", str(connections), "-d", duration, "-s", str(SCRIPT), url, "--", file.name]
        ended = subprocess.run([*command, *headers], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise BenchError(f"wrk failed on {url}: {ended.stderr.strip() or ended.stdout.strip()}")
    load = read_result(ended.stdout)
    if load.error_responses + load.connection_errors > MAX_ERROR_SHARE * load.requests:
        raise BenchError(
            f"{url}: {load.error_responses} error responses and {load.connection_errors} connection errors in "
            f"{load.requests} requests, expected at most {MAX_ERROR_SHARE:.1%}; "
            "see the service's log in build/bench/logs"
        )
    return load


def read_result(output: str) -> LoadResult:
    """Read the JSON in the last line of wrk's output; raises BenchError if there is none."""
    last = output.strip().rpartition("\n")[2]
    try:
        load = msgspec.json.decode(last, type=LoadResult)
    except msgspec.MsgspecError as error:
        raise BenchError(f"wrk printed {last[:200]!r}, expected a line of JSON") from error
    if not load.requests:
        raise BenchError("no request was answered; see the service's log in build/bench/logs")
    return load
