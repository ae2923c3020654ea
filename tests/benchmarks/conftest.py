"""Results of a benchmark run with known figures, and a model that several tests serve."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from benchmarks.serve.models import MODELS, TrainedModel, train_model
from benchmarks.serve.results import Memory, Results, Sample, Start
from benchmarks.serve.wrk import LoadResult

Rates = dict[tuple[str, str], list[float]]
"""(peer, workload) → requests a second in each round."""

TrainModel = Callable[[str], TrainedModel]


@pytest.fixture(scope="session")
def trained_models(tmp_path_factory: pytest.TempPathFactory) -> TrainModel:
    """The models of the benchmarks by name, each trained once."""
    return cache(lambda name: train_model(MODELS[name], tmp_path_factory.mktemp(name)))


@pytest.fixture
def trained(trained_models: TrainModel) -> TrainedModel:
    """The smallest model of the benchmarks."""
    return trained_models("logistic")


@pytest.fixture
def make_results() -> Callable[[Rates], Results]:
    """Make results with the given rates; latencies follow from them, all else is fixed."""

    def train_model(rates: Rates) -> Results:
        samples = [
            Sample(number, peer, workload, LoadResult(round(rate), 1.0, 1000 / rate, 5000 / rate, 0, 0), 1e6 / rate)
            for (peer, workload), figures in rates.items()
            for number, rate in enumerate(figures)
        ]
        peers = list(dict.fromkeys(peer for peer, _ in rates))
        starts = [Start(0, peer, "logistic", 0.2 + 0.1 * place) for place, peer in enumerate(peers)]
        memory = [Memory(peer, 10_000, 70.0 + place) for place, peer in enumerate(peers)]
        versions = {peer: {"python": "3.11"} for peer in peers}
        return Results("a machine", "2026-01-02", "abc1234", versions, samples, starts, memory)

    return train_model
