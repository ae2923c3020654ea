"""A service under measurement is a real process: it answers rightly first, is watched, and is gone afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.serve.errors import BenchError
from benchmarks.serve.machine import Cores
from benchmarks.serve.models import MODELS, Made, make
from benchmarks.serve.peers import PEERS
from benchmarks.serve.processes import cpu_seconds, members, resident_megabytes
from benchmarks.serve.protocols import PREDICT
from benchmarks.serve.servers import Place, start

LENGTHS = {"PREDICT": 21, "SCORE": 900, "BINARY": 9000}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A small model of the benchmarks."""
    return make(MODELS["logistic"], tmp_path_factory.mktemp("logistic"))


@pytest.fixture
def place(tmp_path: Path, root: Path) -> Iterator[Place]:
    """A place to measure in; our own cores are given back."""
    free = os.sched_getaffinity(0)
    yield Place(tmp_path, root, Cores(min(free), max(free)))
    os.sched_setaffinity(0, free)


def test_a_service_is_started_watched_and_stopped(made: Made, place: Place) -> None:
    """Its time to the first answer, memory and processor time are those of its process."""
    request = PREDICT.write(made.rows[:1])

    with start(PEERS["ours"], made, place, LENGTHS) as server:
        server.check(PREDICT, [(request, made.probability[:1])])
        assert [server.session] == list(members(server.session))
        assert {place.cores.server} == os.sched_getaffinity(server.session)
        assert 0 < cpu_seconds(server.session)
        assert 20 < resident_megabytes(server.session) < 500
        assert 0 < server.first_answer

    assert [] == list(members(server.session))


def test_the_limit_answers_as_many_bytes_as_we_do(made: Made, place: Place) -> None:
    """A constant of the length that it was told."""
    with start(PEERS["limit"], made, place, LENGTHS) as server:
        assert 21 == len(server.ask(PREDICT, PREDICT.write(made.rows[:1])))


def test_a_wrong_answer_is_not_measured(made: Made, place: Place) -> None:
    """The first body that is answered otherwise ends the run."""
    request = PREDICT.write(made.rows[:1])

    with start(PEERS["ours"], made, place, LENGTHS) as server, pytest.raises(BenchError, match="ours answers"):
        server.check(PREDICT, [(request, [made.probability[0] + 2e-6])])


def test_a_service_that_ends_is_told_with_its_log(made: Made, place: Place) -> None:
    """Nobody waits a minute for what can't come."""
    nowhere = replace(made, folder=Path("/nowhere"))

    with pytest.raises(BenchError, match=r"can't serve: can't read the model file /nowhere/model.onnx"):  # noqa: SIM117
        with start(PEERS["ours"], nowhere, place, LENGTHS):
            pass
