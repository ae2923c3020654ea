"""What was measured, as it is kept in build/bench (results.json, quick.json), and the medians that the page shows."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from msgspec import Struct

from benchmarks.serve.wrk import Load

SETTLED = 10_000
"""Requests after which memory is read: what is made on first use has been made."""


class Sample(Struct, frozen=True):
    """One run of one workload; `cpu_us`: processor time of the service a request, in µs."""

    round: int
    peer: str
    workload: str
    load: Load
    cpu_us: float


class Start(Struct, frozen=True):
    """Seconds from exec to the first right answer, of a model."""

    round: int
    peer: str
    model: str
    seconds: float


class Memory(Struct, frozen=True):
    """Megabytes of a service after so many requests."""

    peer: str
    requests: int
    megabytes: float


class Results(Struct, frozen=True):
    """A whole run: where and when, what took part in which versions, and every single figure."""

    machine: str
    date: str
    commit: str
    versions: dict[str, dict[str, str]]
    samples: list[Sample]
    starts: list[Start]
    memory: list[Memory]

    def per_second(self, peer: str, workload: str) -> float | None:
        """Median of the requests a second; None if it was not measured."""
        return self._median(peer, workload, lambda sample: sample.load.per_second)

    def p50_ms(self, peer: str, workload: str) -> float | None:
        """Median over the rounds of the median latency."""
        return self._median(peer, workload, lambda sample: sample.load.p50_ms)

    def p99_ms(self, peer: str, workload: str) -> float | None:
        """Median over the rounds of the 99th percentile of the latency."""
        return self._median(peer, workload, lambda sample: sample.load.p99_ms)

    def cpu_us(self, peer: str, workload: str) -> float | None:
        """Median of the processor time of the service a request, µs."""
        return self._median(peer, workload, lambda sample: sample.cpu_us)

    def ratio(self, peer: str, workload: str, other: str, other_workload: str | None = None) -> float | None:
        """Median over the rounds of requests a second of one over those of another in the same round."""
        return self._ratio((peer, workload), (other, other_workload or workload), lambda load: load.per_second)

    def p50_ratio(self, peer: str, workload: str, other: str) -> float | None:
        """The same for the median latency."""
        return self._ratio((peer, workload), (other, workload), lambda load: load.p50_ms)

    def first_answer(self, peer: str, model: str = "logistic") -> float | None:
        """Median of the seconds from exec to the first right answer."""
        return _median([start.seconds for start in self.starts if (start.peer, start.model) == (peer, model)])

    def megabytes(self, peer: str, requests: int = SETTLED) -> float | None:
        """Memory after so many requests."""
        found = [memory.megabytes for memory in self.memory if (memory.peer, memory.requests) == (peer, requests)]
        return _median(found)

    def growth(self, peer: str) -> float | None:
        """Megabytes that a service has grown by, from its first reading to its last; None with fewer than two."""
        read = sorted((memory.requests, memory.megabytes) for memory in self.memory if memory.peer == peer)
        return read[-1][1] - read[0][1] if len(read) > 1 else None

    def _of(self, peer: str, workload: str) -> list[Sample]:
        return [sample for sample in self.samples if (sample.peer, sample.workload) == (peer, workload)]

    def _median(self, peer: str, workload: str, figure: Callable[[Sample], float]) -> float | None:
        return _median([figure(sample) for sample in self._of(peer, workload)])

    def _ratio(self, one: tuple[str, str], other: tuple[str, str], figure: Callable[[Load], float]) -> float | None:
        # Two runs of one round saw the same machine, near enough; two medians over all rounds need not have.
        others = {sample.round: figure(sample.load) for sample in self._of(*other)}
        return _median([figure(s.load) / others[s.round] for s in self._of(*one) if s.round in others])


def _median(figures: list[float]) -> float | None:
    return median(figures) if figures else None
