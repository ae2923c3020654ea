"""A run of the benchmarks whose figures are known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.serve.results import Memory, Results, Sample, Start
from benchmarks.serve.wrk import Load

Rates = dict[tuple[str, str], list[float]]
"""Requests a second of peer and workload, round by round."""


@pytest.fixture
def make_results() -> Callable[[Rates], Results]:
    """Results of given rates; the latency is what one connection would see, the rest is fixed."""

    def make(rates: Rates) -> Results:
        samples = [
            Sample(number, peer, workload, Load(round(rate), 1.0, 1000 / rate, 5000 / rate, 0, 0), 1e6 / rate)
            for (peer, workload), figures in rates.items()
            for number, rate in enumerate(figures)
        ]
        peers = list(dict.fromkeys(peer for peer, _ in rates))
        starts = [Start(0, peer, "logistic", 0.2 + 0.1 * place) for place, peer in enumerate(peers)]
        memory = [Memory(peer, 10_000, 70.0 + place) for place, peer in enumerate(peers)]
        versions = {peer: {"python": "3.11"} for peer in peers}
        return Results("a machine", "2026-01-02", "abc1234", versions, samples, starts, memory)

    return make
