"""Write the times that tests/benchmarks/test_micro.py measured to docs/performance.md; `make bench-micro` runs both.

The fastest round is shown beside the median because other processes on the machine disturb it least.
"""

from __future__ import annotations

import sys

import msgspec
from msgspec import Struct

from benchmarks.serve.__main__ import BUILD, PAGE, read_commit, say
from benchmarks.serve.errors import BenchError
from benchmarks.serve.machine import describe_machine
from benchmarks.serve.page import format_figure, write_page, write_table

RESULTS = BUILD / "micro.json"


class Stats(Struct, frozen=True):
    """Seconds for a call."""

    min: float
    median: float


class Step(Struct, frozen=True):
    """A test, with its parameters in brackets, and its times."""

    name: str
    stats: Stats


class BenchmarkFile(Struct, frozen=True):
    """The part of pytest-benchmark's JSON file that is used."""

    benchmarks: list[Step]


def main() -> None:
    """Write the table; exits with a message if there is no result file."""
    try:
        results = msgspec.json.decode(RESULTS.read_bytes(), type=BenchmarkFile)
        content = write_steps(results)
        write_page(PAGE, "micro", content)
    except (OSError, msgspec.MsgspecError, BenchError) as error:
        sys.exit(f"can't read {RESULTS}: {error}; measure with: make bench-micro")
    say(content)


def write_steps(results: BenchmarkFile) -> str:
    """A table with a line for each step, in µs."""
    rows = [
        [step.name.removeprefix("test_").replace("_", " ").replace("[", " (").replace("]", ")"), *_show(step.stats)]
        for step in results.benchmarks
    ]
    head = ["step", "fastest, µs", "median, µs"]
    return f"Measured at commit {read_commit()}; {describe_machine()}.\n\n{write_table(head, rows)}"


def _show(stats: Stats) -> list[str]:
    return [format_figure(seconds * 1e6, "{:,.1f}") for seconds in (stats.min, stats.median)]


if __name__ == "__main__":
    main()
