"""Goodput, answers of status 200 per second, with few and with many connections: overload must not reduce it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.serve.wrk import SCRIPT, find_wrk, read_result
from tests.differential.cases import score
from tests.soak.service import running_service

FEW, MANY = 50, 1_000
"""Numbers of connections."""

SECONDS, ROUNDS = 6, 3

WRK_TIMEOUT = "60s"
"""Timeout of wrk, longer than the load, so that slow answers are not counted as errors."""

MIN_RATIO = 0.8
"""Minimum ratio to the goodput with few connections."""


@dataclass(frozen=True, slots=True)
class Goodput:
    """Answers of status 200 per second with few and with many connections, and faults."""

    few: float
    many: float
    faults: list[str]


def measure() -> Goodput:
    """The median of several rounds, with few and many connections in turn."""
    wrk = find_wrk()
    with running_service() as service, TemporaryDirectory(prefix="credit-soak-") as folder:
        bodies = Path(folder) / "bodies"
        bodies.write_bytes(b"%d\n%b\n" % (len(score(1)), score(1)))
        rounds = [[_load(wrk, service.base, bodies, count) for count in (FEW, MANY)] for _ in range(ROUNDS)]
        status = service.ask("GET", "/readyz").status_code
    few, many = (median(rates) for rates in zip(*rounds, strict=True))
    faults = []
    if many < MIN_RATIO * few:
        faults.append(f"goodput with {MANY:,} connections is {many / few:.2f} of that with {FEW}, not {MIN_RATIO:g}")
    if status != 200:
        faults.append(f"after the load /readyz answers {status}, expected 200")
    return Goodput(few, many, faults)


def _load(wrk: str, base: str, bodies: Path, connections: int) -> float:
    command = [wrk, "-t", "1", "-c", str(connections), "-d", f"{SECONDS}s", "--timeout", WRK_TIMEOUT, "-s", str(SCRIPT)]
    arguments = [f"{base}/score", "--", str(bodies), "Content-Type", "application/json"]
    ended = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True, timeout=10 * SECONDS)
    load = read_result(ended.stdout)
    return (load.requests - load.error_responses) / load.seconds
