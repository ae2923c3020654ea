"""The figures of a run, stored in build/bench/results.json or quick.json, and their medians."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from msgspec import Struct

from benchmarks.serve.models import BATCH_ROWS
from benchmarks.serve.wrk import LoadResult

WARM_UP_REQUESTS = 10_000
"""Requests after which memory is read: by then, everything that is created on first use exists."""


class Sample(Struct, frozen=True):
    """One run of one workload; `cpu_us`: CPU time of the service for a request, in µs."""

    round: int
    peer: str
    workload: str
    load: LoadResult
    cpu_us: float


class Start(Struct, frozen=True):
    """Seconds from starting a service to its first correct answer."""

    round: int
    peer: str
    model: str
    seconds: float


class Memory(Struct, frozen=True):
    """Memory of a service after a number of requests."""

    peer: str
    requests: int
    megabytes: float


class Results(Struct, frozen=True):
    """All figures of a run, with machine, date, commit and the libraries' versions of each peer."""

    machine: str
    date: str
    commit: str
    versions: dict[str, dict[str, str]]
    samples: list[Sample]
    starts: list[Start]
    memory: list[Memory]

    def per_second(self, peer: str, workload: str) -> float | None:
        """Median requests a second; None if not measured, as for all figures below."""
        return self._median(peer, workload, lambda sample: sample.load.per_second)

    def rows_per_second(self, peer: str, workload: str) -> float | None:
        """Median rows a second of a workload whose bodies have BATCH_ROWS rows."""
        bodies = self.per_second(peer, workload)
        return None if bodies is None else bodies * BATCH_ROWS

    def p50_ms(self, peer: str, workload: str) -> float | None:
        """Median over the rounds of the median latency."""
        return self._median(peer, workload, lambda sample: sample.load.p50_ms)

    def p99_ms(self, peer: str, workload: str) -> float | None:
        """Median over the rounds of the 99th percentile of the latency."""
        return self._median(peer, workload, lambda sample: sample.load.p99_ms)

    def ratio(self, peer: str, workload: str, other: str) -> float | None:
        """Median ratio of the requests a second of two peers in the same round."""
        return self._ratio(peer, workload, other, lambda load: load.per_second)

    def p50_ratio(self, peer: str, workload: str, other: str) -> float | None:
        """Median ratio of the median latencies of two peers in the same round."""
        return self._ratio(peer, workload, other, lambda load: load.p50_ms)

    def first_answer(self, peer: str, model: str = "logistic") -> float | None:
        """Median seconds from starting the service to its first correct answer."""
        return _median([start.seconds for start in self.starts if (start.peer, start.model) == (peer, model)])

    def megabytes(self, peer: str, requests: int = WARM_UP_REQUESTS) -> float | None:
        """Memory after that number of requests."""
        found = [memory.megabytes for memory in self.memory if (memory.peer, memory.requests) == (peer, requests)]
        return _median(found)

    def growth(self, peer: str) -> float | None:
        """Megabytes between the first and the last reading of a service's memory; None for fewer than two."""
        read = sorted((memory.requests, memory.megabytes) for memory in self.memory if memory.peer == peer)
        return read[-1][1] - read[0][1] if len(read) > 1 else None

    def _of(self, peer: str, workload: str) -> list[Sample]:
        return [sample for sample in self.samples if (sample.peer, sample.workload) == (peer, workload)]

    def _median(self, peer: str, workload: str, figure: Callable[[Sample], float]) -> float | None:
        return _median([figure(sample) for sample in self._of(peer, workload)])

    def _ratio(self, peer: str, workload: str, other: str, figure: Callable[[LoadResult], float]) -> float | None:
        # Within a round the machine was equally busy for both; the medians over all rounds may be of different rounds.
        others = {sample.round: figure(sample.load) for sample in self._of(other, workload)}
        return _median([figure(s.load) / others[s.round] for s in self._of(peer, workload) if s.round in others])


def _median(figures: list[float]) -> float | None:
    return median(figures) if figures else None
