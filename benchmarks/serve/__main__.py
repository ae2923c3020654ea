"""`python -m benchmarks.serve`: environments → models → measurement → build/bench/results.json → docs/performance.md.

With --quick: us, the limit and the design that this project replaces, at most two minutes, the bars printed and no
page written. `python -m benchmarks.serve.scaling` measures how the service scales.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.serve.bars import list_bars
from benchmarks.serve.chart import draw
from benchmarks.serve.environments import build_environment, read_versions
from benchmarks.serve.errors import BenchError
from benchmarks.serve.machine import describe_machine, take_cores
from benchmarks.serve.measure import Bench, Plan, need
from benchmarks.serve.models import MODELS, make
from benchmarks.serve.page import note_disturbance, write_comparison, write_page
from benchmarks.serve.peers import PEERS
from benchmarks.serve.results import Results
from benchmarks.serve.servers import Place
from benchmarks.serve.workloads import WORKLOADS
from benchmarks.serve.wrk import find_wrk

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "bench"
PAGE = ROOT / "docs" / "performance.md"

FULL = Plan(tuple(PEERS), tuple(WORKLOADS), rounds=5, seconds=2, memory=tuple(PEERS), endurance=1_000_000)
QUICK = Plan(
    ("limit", "ours", "flask"),
    tuple(WORKLOADS),
    rounds=3,
    seconds=1,
    memory=("ours",),
    # No bar asks for these.
    skipped=frozenset({("flask", "alone"), ("flask", "boosting")}),
)


def main() -> None:
    """Measure as asked; exits with one sentence if that can't be done."""
    given, started = parse(), time.monotonic()
    plan = QUICK if given.quick else FULL
    peers = tuple(name for name in plan.peers if name not in given.without)
    memory = tuple(name for name in plan.memory if name in peers)
    plan = replace(plan, peers=peers, rounds=given.rounds or plan.rounds, memory=memory)
    try:
        results = run(plan)
        BUILD.joinpath("quick.json" if given.quick else "results.json").write_bytes(msgspec.json.encode(results))
        if not given.quick:
            write_page(PAGE, "comparison", write_comparison(results))
            draw(results, PAGE.with_suffix(".svg"))
    except BenchError as error:
        sys.exit(f"can't measure: {error}")
    for title, bound, figure, verdict in list_bars(results):
        say(f"{title:46} {bound:>18} {figure:>18}  {verdict}")
    say(f"{time.monotonic() - started:.0f} s.{note_disturbance(results)}")


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve", description="Measure this service and others.")
    parser.add_argument("--quick", action="store_true", help="us, the limit and the Flask design; prints the bars")
    parser.add_argument("--rounds", type=int, default=0, help="rounds of the measurement")
    others = [name for name in PEERS if name not in ("ours", "limit")]
    parser.add_argument("--without", action="append", default=[], choices=others, help="leave a peer out")
    return parser.parse_args()


def run(plan: Plan) -> Results:
    """Prepare and measure; raises BenchError."""
    wrk = find_wrk()
    for name in plan.peers:
        say(f"environment of {name}")
        build_environment(PEERS[name], BUILD)
    made = {name: make(MODELS[name], BUILD / "models" / name) for name in need(plan.workloads)}
    bench = Bench(plan, Place(BUILD, ROOT, take_cores()), wrk, made, say)
    bench.run()
    return Results(
        machine=describe_machine(),
        date=datetime.now(UTC).date().isoformat(),
        commit=read_commit(),
        versions={name: read_versions(PEERS[name]) for name in plan.peers},
        samples=bench.samples,
        starts=bench.starts,
        memory=bench.memory,
    )


def read_commit() -> str:
    """The commit that was measured, with a + if files have changed since; empty outside of a repository."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def say(text: str) -> None:
    """Tell it at once."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
