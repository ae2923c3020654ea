"""The measurement: round by round, model by model, peer after peer, each on a fresh process that answered rightly."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from benchmarks.serve.models import ASKED, Made
from benchmarks.serve.peers import PEERS, Peer
from benchmarks.serve.processes import cpu_seconds, resident_megabytes
from benchmarks.serve.protocols import BINARY, PREDICT, SCORE
from benchmarks.serve.results import SETTLED, Memory, Sample, Start
from benchmarks.serve.servers import Place, Server, start
from benchmarks.serve.workloads import WORKLOADS, Workload, write_bodies, write_crowd
from benchmarks.serve.wrk import Load, run_wrk

CROWD_CONNECTIONS = 2
"""One body is on its way while another is worked on: the background never pauses."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is measured how often, for how many seconds a workload, and whose memory is read.

    `endurance`: after how many requests our own memory is read once more; 0 for never. `skipped`: peer and workload of
    what nobody needs to know here.
    """

    peers: tuple[str, ...]
    workloads: tuple[str, ...]
    rounds: int
    seconds: float
    memory: tuple[str, ...]
    endurance: int = 0
    skipped: frozenset[tuple[str, str]] = frozenset()

    def list_workloads(self, peer: str, model: str) -> list[Workload]:
        """What a peer is asked of a model."""
        wanted = [WORKLOADS[name] for name in self.workloads if (peer, name) not in self.skipped]
        return [workload for workload in wanted if workload.model == model and peer in workload.peers]


LENGTHS = {"PREDICT": (PREDICT, 1), "SCORE": (SCORE, 1), "BINARY": (BINARY, ASKED)}
"""By the variable that tells the limit how long a constant to answer: ours is as long, to so many rows."""


@dataclass(slots=True)
class Bench:
    """Runs a plan; `say` is told what is going on."""

    plan: Plan
    place: Place
    wrk: str
    made: dict[str, Made]
    say: Callable[[str], None]
    samples: list[Sample] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    lengths: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LENGTHS, 1))

    def run(self) -> None:
        """Measure everything; raises BenchError."""
        self._learn_lengths()
        for number in range(self.plan.rounds):
            for model in self.made:
                # Each round begins with another peer, so that nobody always follows the same one.
                turn = number % len(self.plan.peers)
                for name in self.plan.peers[turn:] + self.plan.peers[:turn]:
                    self._visit(PEERS[name], model, number)
        for name in self.plan.memory:
            self._read_memory(PEERS[name])

    def _visit(self, peer: Peer, model: str, number: int) -> None:
        """All workloads of a model on one process of a peer."""
        workloads = self.plan.list_workloads(peer.name, model)
        if not workloads:
            return
        made = self.made[model]
        with start(peer, made, self.place, self.lengths) as server:
            self.starts.append(Start(number, peer.name, model, server.first_answer))
            for workload in workloads:
                sample = self._measure(server, workload, made, number)
                self.samples.append(sample)
                load = sample.load
                self.say(
                    f"round {number + 1}  {workload.name:9} {peer.name:20} {load.per_second:9,.0f}/s  "
                    f"p50 {load.p50_ms:8.3f} ms  {sample.cpu_us:8.1f} µs of processor a request"
                )

    def _measure(self, server: Server, workload: Workload, made: Made, number: int) -> Sample:
        bodies = write_bodies(workload, server.peer, made)
        protocol = workload.protocol_of(server.peer)
        if server.peer.name != "limit":
            server.check(protocol, bodies)
        load, cpu_us = run_load(self.wrk, server, workload, made, self.plan.seconds)
        return Sample(number, server.peer.name, workload.name, load, cpu_us)

    def _read_memory(self, peer: Peer) -> None:
        made, workload = self.made["logistic"], WORKLOADS["logistic"]
        with start(peer, made, self.place, self.lengths) as server:
            answered = 0
            for goal in (SETTLED, self.plan.endurance if peer.name == "ours" else 0):
                if not goal:
                    continue
                while answered < goal:
                    answered += run_load(self.wrk, server, workload, made, 1 if goal == SETTLED else 10)[0].requests
                megabytes = resident_megabytes(server.session)
                self.memory.append(Memory(peer.name, goal, megabytes))
                self.say(f"memory    {peer.name:20} {megabytes:6.1f} MB after {answered:,} requests")

    def _learn_lengths(self) -> None:
        """How long our answers are: the limit answers as many bytes."""
        made = self.made.get("boosting") or next(iter(self.made.values()))
        with start(PEERS["ours"], made, self.place, self.lengths) as server:
            for name, (protocol, rows) in LENGTHS.items():
                self.lengths[name] = len(server.ask(protocol, protocol.write(made.rows[:rows])))


def run_load(wrk: str, server: Server, workload: Workload, made: Made, seconds: float) -> tuple[Load, float]:
    """Load a service with a workload: what it met, and the processor time of the service a request, µs."""
    requests = [request for request, _ in write_bodies(workload, server.peer, made)]
    url = server.url(workload.protocol_of(server.peer))
    used = cpu_seconds(server.session)
    with ThreadPoolExecutor(1) as pool:
        crowd = None
        if workload.crowd:
            large = write_crowd(workload, server.peer, made)
            crowd = pool.submit(run_wrk, wrk, url, [large], CROWD_CONNECTIONS, seconds)
        load = run_wrk(wrk, url, requests, workload.connections, seconds)
        if crowd:
            # Raises unless large bodies were answered meanwhile: a crowd that was turned away is none.
            crowd.result()
    return load, (cpu_seconds(server.session) - used) / load.requests * 1e6


def need(workloads: Iterable[str]) -> list[str]:
    """The models that workloads are about."""
    return list(dict.fromkeys(WORKLOADS[name].model for name in workloads))
