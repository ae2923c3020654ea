"""`make bench`: make environments and models, measure, write build/bench/results.json and docs/performance.md.

With --quick (`make bench-quick`): this service, bare uvicorn and Flask only, at most two minutes; the targets are
printed and no page is written. `python -m benchmarks.serve.scaling` measures how the service scales.
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

from benchmarks.serve.chart import draw
from benchmarks.serve.environments import build_environment, read_versions
from benchmarks.serve.errors import BenchError
from benchmarks.serve.machine import describe_machine, pin_to_load_core
from benchmarks.serve.measure import Bench, Plan
from benchmarks.serve.models import MODELS, train_model
from benchmarks.serve.page import describe_interference, write_comparison, write_page
from benchmarks.serve.peers import PEERS
from benchmarks.serve.results import Results
from benchmarks.serve.servers import Workspace
from benchmarks.serve.targets import list_targets
from benchmarks.serve.wrk import find_wrk

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "bench"
PAGE = ROOT / "docs" / "performance.md"

FULL = Plan(tuple(PEERS), rounds=5, seconds=2, memory=tuple(PEERS), endurance_requests=1_000_000)
QUICK = Plan(
    ("bare_uvicorn", "ours", "flask"),
    rounds=3,
    seconds=1,
    memory=("ours",),
    # No target needs these.
    skipped=frozenset({("flask", "one_connection"), ("flask", "boosting")}),
)


def main() -> None:
    """Measure and report; exits with a message if a measurement is impossible."""
    arguments, started = parse_arguments(), time.monotonic()
    plan = QUICK if arguments.quick else FULL
    peers = tuple(name for name in plan.peers if name not in arguments.without)
    memory = tuple(name for name in plan.memory if name in peers)
    plan = replace(plan, peers=peers, rounds=arguments.rounds or plan.rounds, memory=memory)
    try:
        results = run(plan)
        BUILD.joinpath("quick.json" if arguments.quick else "results.json").write_bytes(msgspec.json.encode(results))
        if not arguments.quick:
            write_page(PAGE, "comparison", write_comparison(results))
            draw(results, PAGE.with_suffix(".svg"))
    except BenchError as error:
        sys.exit(f"can't measure: {error}")
    for title, bound, figure, verdict in list_targets(results):
        say(f"{title:50} {bound:>18} {figure:>18}  {verdict}")
    say(f"{time.monotonic() - started:.0f} s.{describe_interference(results)}")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.serve", description="Measure this service and alternatives."
    )
    parser.add_argument(
        "--quick", action="store_true", help="only this service, bare uvicorn and Flask; prints the targets"
    )
    parser.add_argument("--rounds", type=int, default=0, help="number of rounds")
    others = [name for name in PEERS if name not in ("ours", "bare_uvicorn")]
    parser.add_argument("--without", action="append", default=[], choices=others, help="leave a peer out")
    return parser.parse_args()


def run(plan: Plan) -> Results:
    """Make environments and models, run the plan; raises BenchError."""
    wrk = find_wrk()
    for name in plan.peers:
        say(f"environment of {name}")
        build_environment(PEERS[name], BUILD)
    trained = {name: train_model(spec, BUILD / "models" / name) for name, spec in MODELS.items()}
    bench = Bench(plan, Workspace(BUILD, ROOT, pin_to_load_core()), wrk, trained, say)
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
    """The commit of the checkout, with a + if it has changes; empty outside of a repository."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def say(text: str) -> None:
    """Print without buffering."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
