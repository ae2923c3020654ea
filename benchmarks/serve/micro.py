"""`python -m benchmarks.serve.micro`: what tests/benchmarks/test_micro.py timed, as a table of docs/performance.md.

`make bench-micro` runs both. The fastest round is shown beside the median: it is what a step takes while nobody else
uses the machine.
"""

from __future__ import annotations

import sys

import msgspec
from msgspec import Struct

from benchmarks.serve.__main__ import BUILD, PAGE, read_commit, say
from benchmarks.serve.errors import BenchError
from benchmarks.serve.machine import describe_machine
from benchmarks.serve.page import show, write_page, write_table

TIMED = BUILD / "micro.json"


class Stats(Struct, frozen=True):
    """Seconds a call."""

    min: float
    median: float


class Step(Struct, frozen=True):
    """One test: its name, with its parameters in brackets, and what it took."""

    name: str
    stats: Stats


class Timed(Struct, frozen=True):
    """What of pytest-benchmark's file matters here."""

    benchmarks: list[Step]


def main() -> None:
    """Write the page's part; exits with one sentence if nothing was timed."""
    try:
        timed = msgspec.json.decode(TIMED.read_bytes(), type=Timed)
        content = write_steps(timed)
        write_page(PAGE, "micro", content)
    except (OSError, msgspec.MsgspecError, BenchError) as error:
        sys.exit(f"can't show the steps of {TIMED}: {error}; time them with: make bench-micro")
    say(content)


def write_steps(timed: Timed) -> str:
    """A line a step, µs."""
    rows = [
        [step.name.removeprefix("test_").replace("_", " ").replace("[", " (").replace("]", ")"), *_show(step.stats)]
        for step in timed.benchmarks
    ]
    head = ["step", "fastest, µs", "median, µs"]
    return f"Measured at commit {read_commit()}; {describe_machine()}.\n\n{write_table(head, rows)}"


def _show(stats: Stats) -> list[str]:
    return [show(seconds * 1e6, "{:,.1f}") for seconds in (stats.min, stats.median)]


if __name__ == "__main__":
    main()
