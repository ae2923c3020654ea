"""`make bench-scaling`: throughput and CPU time by number of workers, fields, trees and rows of a body.

One of them varies at a time. The cost model in docs/performance.md is fitted to CPU times, because they depend less on
other processes of the machine than requests a second do.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from benchmarks.serve.__main__ import BUILD, PAGE, ROOT, read_commit, say
from benchmarks.serve.cost_model import fit_cost_model, write_cost_model
from benchmarks.serve.errors import BenchError
from benchmarks.serve.machine import describe_machine, pin_to_load_core
from benchmarks.serve.measure import run_load
from benchmarks.serve.models import Spec, TrainedModel, train_model
from benchmarks.serve.page import format_figure, write_page, write_table
from benchmarks.serve.peers import PEERS
from benchmarks.serve.protocols import BINARY
from benchmarks.serve.servers import Workspace, run_server
from benchmarks.serve.workloads import Workload, write_bodies
from benchmarks.serve.wrk import LoadResult, find_wrk

ROUNDS, SECONDS = 3, 2
LENGTHS = {"PREDICT_BYTES": 21, "SCORE_BYTES": 21, "BINARY_BYTES": 21}
SMALL_BODY_CONNECTIONS, LARGE_BODY_CONNECTIONS = 16, 4

Sample = tuple[LoadResult, float]
"""wrk's result and the CPU time of the service for a request, in µs."""


@dataclass(frozen=True, slots=True)
class Step:
    """A measurement: series, value of what varies in it, model, workload and workers."""

    series: str
    value: int
    spec: Spec
    workload: Workload
    workers: int = 1


def list_steps() -> list[Step]:
    """List all measurements in the order of the table."""
    default_model, one_row = Spec("logistic", 23), Workload("one", "", "")
    steps = [Step("workers", workers, default_model, one_row, workers) for workers in (1, 2)]
    steps += [Step("fields", fields, Spec(f"fields-{fields}", fields), one_row) for fields in (8, 23, 100, 300, 768)]
    steps += [Step("trees", trees, Spec(f"trees-{trees}", 23, trees), one_row) for trees in (100, 400, 1600)]
    for series, protocol in (("rows, JSON", None), ("rows, V2 binary", BINARY)):
        for rows in (1, 10, 100, 1_000, 10_000):
            load = replace(
                one_row,
                rows=rows,
                protocol=protocol,
                connections=LARGE_BODY_CONNECTIONS if rows > 100 else SMALL_BODY_CONNECTIONS,
            )
            steps.append(Step(series, rows, default_model, load))
    return steps


def main() -> None:
    """Run all steps in each round, then write the table and the cost model."""
    steps = list_steps()
    samples: list[list[Sample]] = [[] for _ in steps]
    try:
        wrk = find_wrk()
        specs = {step.spec.name: step.spec for step in steps}
        trained = {name: train_model(spec, BUILD / "models" / name) for name, spec in specs.items()}
        workspace = Workspace(BUILD, ROOT, pin_to_load_core())
        for number in range(ROUNDS):
            for step, kept in zip(steps, samples, strict=True):
                sample = measure(step, trained[step.spec.name], workspace, wrk)
                kept.append(sample)
                say(f"round {number + 1}  {step.series:16} {step.value:6}  {sample[0].per_second:9,.0f}/s")
        content = write_scaling(steps, samples)
        write_page(PAGE, "scaling", content)
    except BenchError as error:
        sys.exit(f"can't measure: {error}")
    say(content)


def measure(step: Step, trained: TrainedModel, workspace: Workspace, wrk: str) -> Sample:
    """Run one step on a new process; raises BenchError."""
    # Two workers get both cores, one of which they share with the load generator.
    cores = {workspace.cores.server} if step.workers == 1 else {workspace.cores.server, workspace.cores.load}
    repeats = max(1, step.workload.rows // len(trained.rows))
    trained = replace(trained, rows=trained.rows * repeats, probability=trained.probability * repeats)
    with run_server(PEERS["ours"], trained, workspace, LENGTHS, step.workers, cores) as server:
        server.check(step.workload.protocol_of(server.peer), write_bodies(step.workload, server.peer, trained))
        return run_load(wrk, server, step.workload, trained, SECONDS)


def write_scaling(steps: Sequence[Step], samples: Sequence[Sequence[Sample]]) -> str:
    """The table and the cost model."""
    rows = []
    cost: dict[str, list[tuple[int, float]]] = {}
    for step, kept in zip(steps, samples, strict=True):
        a_second = median(load.per_second for load, _ in kept)
        cpu_us = median(cpu for _, cpu in kept)
        cost.setdefault(step.series, []).append((step.value, cpu_us))
        rows.append(
            [
                f"{step.series}: {step.value:,}",
                format_figure(a_second),
                format_figure(a_second * step.workload.rows),
                format_figure(median(load.p50_ms for load, _ in kept), "{:.2f}"),
                format_figure(median(load.p99_ms for load, _ in kept), "{:.2f}"),
                format_figure(cpu_us, "{:,.1f}"),
            ]
        )
    head = ["", "req/s", "rows/s", "p50 ms", "p99 ms", "CPU µs a request"]
    return (
        f"Measured at commit {read_commit()}, {ROUNDS} rounds, medians; {describe_machine()}. One value varies; "
        "else logistic regression of 23 fields, one row a body, one worker.\n\n"
        f"{write_table(head, rows)}\n{write_cost_model(fit_cost_model(cost))}"
    )


if __name__ == "__main__":
    main()
