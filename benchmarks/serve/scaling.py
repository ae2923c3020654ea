"""`python -m benchmarks.serve.scaling`: this service against workers, fields, trees and rows a body.

One thing varies at a time. Requests a second depend on how busy the machine is; the processor time a request takes
depends much less, and it is what the law in docs/performance.md is made of.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from benchmarks.serve.__main__ import BUILD, PAGE, ROOT, read_commit, say
from benchmarks.serve.errors import BenchError
from benchmarks.serve.law import find_law, write_law
from benchmarks.serve.machine import describe_machine, take_cores
from benchmarks.serve.measure import run_load
from benchmarks.serve.models import Made, Spec, make
from benchmarks.serve.page import show, write_page, write_table
from benchmarks.serve.peers import PEERS
from benchmarks.serve.protocols import BINARY
from benchmarks.serve.servers import Place, start
from benchmarks.serve.workloads import Workload, write_bodies
from benchmarks.serve.wrk import Load, find_wrk

ROUNDS, SECONDS = 3, 2
LENGTHS = {"PREDICT": 21, "SCORE": 21, "BINARY": 21}
FEW, MANY = 16, 4
"""Connections for small bodies, and for those of 1,000 rows and more."""

Sample = tuple[Load, float]
"""What the load met, and the processor time of the service a request, µs."""


@dataclass(frozen=True, slots=True)
class Step:
    """One measurement: what varies in its series, its value, the model and the load."""

    series: str
    value: int
    spec: Spec
    workload: Workload
    workers: int = 1


def list_steps() -> list[Step]:
    """All measurements, in the order of the table."""
    usual, one = Spec("logistic", 23), Workload("one", "", "")
    steps = [Step("workers", workers, usual, one, workers) for workers in (1, 2)]
    steps += [Step("fields", fields, Spec(f"fields-{fields}", fields), one) for fields in (8, 23, 100, 300, 768)]
    steps += [Step("trees", trees, Spec(f"trees-{trees}", 23, trees), one) for trees in (100, 400, 1600)]
    for series, protocol in (("rows, JSON", None), ("rows, V2 binary", BINARY)):
        for rows in (1, 10, 100, 1_000, 10_000):
            load = replace(one, rows=rows, protocol=protocol, connections=MANY if rows > 100 else FEW)
            steps.append(Step(series, rows, usual, load))
    return steps


def main() -> None:
    """Measure all steps round by round and write the page's part."""
    steps = list_steps()
    samples: list[list[Sample]] = [[] for _ in steps]
    try:
        wrk = find_wrk()
        specs = {step.spec.name: step.spec for step in steps}
        made = {name: make(spec, BUILD / "models" / name) for name, spec in specs.items()}
        place = Place(BUILD, ROOT, take_cores())
        for number in range(ROUNDS):
            for step, kept in zip(steps, samples, strict=True):
                sample = measure(step, made[step.spec.name], place, wrk)
                kept.append(sample)
                say(f"round {number + 1}  {step.series:16} {step.value:6}  {sample[0].per_second:9,.0f}/s")
        content = write_scaling(steps, samples)
        write_page(PAGE, "scaling", content)
    except BenchError as error:
        sys.exit(f"can't measure: {error}")
    say(content)


def measure(step: Step, made: Made, place: Place, wrk: str) -> Sample:
    """Run one step on a fresh service; raises BenchError."""
    # Two workers have two cores, one of which makes the load as well: there are no more here.
    cores = {place.cores.server} if step.workers == 1 else {place.cores.server, place.cores.load}
    repeats = max(1, step.workload.rows // len(made.rows))
    made = replace(made, rows=made.rows * repeats, probability=made.probability * repeats)
    with start(PEERS["ours"], made, place, LENGTHS, step.workers, cores) as server:
        server.check(step.workload.protocol_of(server.peer), write_bodies(step.workload, server.peer, made))
        return run_load(wrk, server, step.workload, made, SECONDS)


def write_scaling(steps: Sequence[Step], samples: Sequence[Sequence[Sample]]) -> str:
    """The table and the law."""
    rows = []
    cost: dict[str, list[tuple[int, float]]] = {}
    for step, kept in zip(steps, samples, strict=True):
        a_second = median(load.per_second for load, _ in kept)
        cpu_us = median(cpu for _, cpu in kept)
        cost.setdefault(step.series, []).append((step.value, cpu_us))
        rows.append(
            [
                f"{step.series}: {step.value:,}",
                show(a_second),
                show(a_second * step.workload.rows),
                show(median(load.p50_ms for load, _ in kept), "{:.2f}"),
                show(median(load.p99_ms for load, _ in kept), "{:.2f}"),
                show(cpu_us, "{:,.1f}"),
            ]
        )
    head = ["", "req/s", "rows/s", "p50 ms", "p99 ms", "µs of processor a request"]
    return (
        f"Measured at commit {read_commit()}, {ROUNDS} rounds, medians; {describe_machine()}. One thing varies, the "
        "rest is one row of 23 fields, logistic regression, one worker.\n\n"
        f"{write_table(head, rows)}\n{write_law(find_law(cost))}"
    )


if __name__ == "__main__":
    main()
