"""The load: wrk, one thread, so many connections, the bodies of a file in turn."""

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
MOST_REFUSED = 0.001
"""A larger share of answers that are no success, and the figure would be that of an error page."""


class Load(Struct, frozen=True):
    """What a load met: `requests` answered in `seconds`, those `refused` (status 400 and up), `broken` connections."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    broken: int

    @property
    def per_second(self) -> float:
        """Requests answered a second."""
        return self.requests / self.seconds


def find_wrk() -> str:
    """Where wrk is; installs it where that takes no question, else raises BenchError."""
    apt = shutil.which("apt-get")
    if not shutil.which("wrk") and apt and os.geteuid() == 0:
        subprocess.run([apt, "install", "--yes", "--quiet", "wrk"], check=False, stdout=subprocess.DEVNULL)
    found = shutil.which("wrk")
    if not found:
        raise BenchError("wrk makes the load and isn't installed; install it with: sudo apt-get install wrk")
    return found


def run_wrk(wrk: str, url: str, requests: Sequence[Request], connections: int, seconds: float) -> Load:
    """Load a URL; whole seconds, at least one. Raises BenchError if wrk fails or too much is refused."""
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
    if load.refused + load.broken > MOST_REFUSED * load.requests:
        raise BenchError(
            f"{url}: of {load.requests} requests {load.refused} were refused and {load.broken} connections broke; "
            "see the service's log in build/bench/logs"
        )
    return load


def read_result(output: str) -> Load:
    """The last line of what wrk with our script prints; raises BenchError for anything else."""
    last = output.strip().rpartition("\n")[2]
    try:
        load = msgspec.json.decode(last, type=Load)
    except msgspec.MsgspecError as error:
        raise BenchError(f"wrk printed {last[:200]!r}, expected a line of JSON") from error
    if not load.requests:
        raise BenchError("nothing was answered; see the service's log in build/bench/logs")
    return load
