"""Run the benchmark: rounds × models × peers, each on a new process whose answers are checked first."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from benchmarks.serve.models import BATCH_ROWS, TrainedModel
from benchmarks.serve.peers import PEERS, Peer
from benchmarks.serve.processes import cpu_seconds, service_megabytes
from benchmarks.serve.protocols import BINARY, PREDICT, SCORE
from benchmarks.serve.results import WARM_UP_REQUESTS, Memory, Sample, Start
from benchmarks.serve.servers import Server, Workspace, run_server
from benchmarks.serve.workloads import WORKLOADS, Workload, write_background, write_bodies
from benchmarks.serve.wrk import LoadResult, run_wrk

BACKGROUND_CONNECTIONS = 2
"""One body is in transit while another is scored, so that the background load never pauses."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure: peers, rounds, seconds of a workload, and the peers whose memory is read.

    `endurance_requests`: read the memory of this service again after so many requests; 0: don't. `skipped`: pairs of
    peer and workload to leave out.
    """

    peers: tuple[str, ...]
    rounds: int
    seconds: float
    memory: tuple[str, ...]
    endurance_requests: int = 0
    skipped: frozenset[tuple[str, str]] = frozenset()

    def list_workloads(self, peer: str, model: str) -> list[Workload]:
        """The workloads of a peer that use a model."""
        return [
            workload
            for workload in WORKLOADS.values()
            if workload.model == model and peer in workload.peers and (peer, workload.name) not in self.skipped
        ]


RESPONSES = {"PREDICT_BYTES": (PREDICT, 1), "SCORE_BYTES": (SCORE, 1), "BINARY_BYTES": (BINARY, BATCH_ROWS)}
"""Environment variable of bare uvicorn → the protocol and rows of the response whose length it gets."""


@dataclass(slots=True)
class Bench:
    """A run of a plan; `say` prints the progress."""

    plan: Plan
    workspace: Workspace
    wrk: str
    trained: dict[str, TrainedModel]
    say: Callable[[str], None]
    samples: list[Sample] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    response_lengths: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RESPONSES, 1))

    def run(self) -> None:
        """Measure everything; raises BenchError."""
        self._measure_response_lengths()
        for number in range(self.plan.rounds):
            for model in self.trained:
                # Each round starts with another peer, so that no peer always follows the same one.
                first = number % len(self.plan.peers)
                for name in self.plan.peers[first:] + self.plan.peers[:first]:
                    self._measure_peer(PEERS[name], model, number)
        for name in self.plan.memory:
            self._read_memory(PEERS[name])

    def _measure_peer(self, peer: Peer, model: str, number: int) -> None:
        """Run all workloads of a model on one process of a peer."""
        workloads = self.plan.list_workloads(peer.name, model)
        if not workloads:
            return
        trained = self.trained[model]
        with run_server(peer, trained, self.workspace, self.response_lengths) as server:
            self.starts.append(Start(number, peer.name, model, server.first_answer))
            for workload in workloads:
                sample = self._measure(server, workload, trained, number)
                self.samples.append(sample)
                load = sample.load
                self.say(
                    f"round {number + 1}  {workload.name:14} {peer.name:20} {load.per_second:9,.0f}/s  "
                    f"p50 {load.p50_ms:8.3f} ms  {sample.cpu_us:8.1f} µs CPU a request"
                )

    def _measure(self, server: Server, workload: Workload, trained: TrainedModel, number: int) -> Sample:
        bodies = write_bodies(workload, server.peer, trained)
        protocol = workload.protocol_of(server.peer)
        if server.peer.name != "bare_uvicorn":
            server.check(protocol, bodies)
        load, cpu_us = run_load(self.wrk, server, workload, trained, self.plan.seconds)
        return Sample(number, server.peer.name, workload.name, load, cpu_us)

    def _read_memory(self, peer: Peer) -> None:
        trained, workload = self.trained["logistic"], WORKLOADS["logistic"]
        with run_server(peer, trained, self.workspace, self.response_lengths) as server:
            answered = 0
            for goal in (WARM_UP_REQUESTS, self.plan.endurance_requests if peer.name == "ours" else 0):
                if not goal:
                    continue
                while answered < goal:
                    answered += run_load(self.wrk, server, workload, trained, 1 if goal == WARM_UP_REQUESTS else 10)[
                        0
                    ].requests
                megabytes = service_megabytes(server.session)
                self.memory.append(Memory(peer.name, goal, megabytes))
                self.say(f"memory    {peer.name:20} {megabytes:6.1f} MB after {answered:,} requests")

    def _measure_response_lengths(self) -> None:
        """Measure the length of our responses: bare uvicorn answers as many bytes."""
        trained = self.trained["boosting"]
        with run_server(PEERS["ours"], trained, self.workspace, self.response_lengths) as server:
            for name, (protocol, rows) in RESPONSES.items():
                self.response_lengths[name] = len(server.post(protocol, protocol.write(trained.rows[:rows])))


def run_load(
    wrk: str, server: Server, workload: Workload, trained: TrainedModel, seconds: float
) -> tuple[LoadResult, float]:
    """Run a workload; returns wrk's result and the CPU time of the service for a request, in µs."""
    requests = [request for request, _ in write_bodies(workload, server.peer, trained)]
    url = server.url(workload.protocol_of(server.peer))
    used = cpu_seconds(server.session)
    with ThreadPoolExecutor(1) as pool:
        background = None
        if workload.background:
            large = write_background(workload, server.peer, trained)
            background = pool.submit(run_wrk, wrk, url, [large], BACKGROUND_CONNECTIONS, seconds)
        load = run_wrk(wrk, url, requests, workload.connections, seconds)
        if background:
            # Raises if the large bodies were rejected: then there was no background load.
            background.result()
    return load, (cpu_seconds(server.session) - used) / load.requests * 1e6
