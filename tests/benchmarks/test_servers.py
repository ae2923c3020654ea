"""A service is started, checked, measured and stopped, as a real process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.serve.errors import BenchError
from benchmarks.serve.machine import Cores
from benchmarks.serve.models import TrainedModel
from benchmarks.serve.peers import PEERS
from benchmarks.serve.processes import cpu_seconds, list_processes, service_megabytes
from benchmarks.serve.protocols import PREDICT
from benchmarks.serve.servers import Workspace, run_server

LENGTHS = {"PREDICT_BYTES": 21, "SCORE_BYTES": 900, "BINARY_BYTES": 9000}


@pytest.fixture
def workspace(tmp_path: Path, root: Path) -> Iterator[Workspace]:
    """A workspace; the test's own CPU affinity is restored."""
    free = os.sched_getaffinity(0)
    yield Workspace(tmp_path, root, Cores(min(free), max(free)))
    os.sched_setaffinity(0, free)


def test_a_service_is_started_measured_and_stopped(trained: TrainedModel, workspace: Workspace) -> None:
    """Its processes run on its core and have ended afterwards."""
    request = PREDICT.write(trained.rows[:1])

    with run_server(PEERS["ours"], trained, workspace, LENGTHS) as server:
        server.check(PREDICT, [(request, trained.probability[:1])])
        assert list_processes(server.session) == [server.session]
        assert os.sched_getaffinity(server.session) == {workspace.cores.server}
        assert cpu_seconds(server.session) > 0
        assert 20 < service_megabytes(server.session) < 500
        assert server.first_answer > 0

    assert list_processes(server.session) == []


def test_bare_uvicorn_answers_with_the_given_length(trained: TrainedModel, workspace: Workspace) -> None:
    """Which is the length of our response."""
    with run_server(PEERS["bare_uvicorn"], trained, workspace, LENGTHS) as server:
        assert len(server.post(PREDICT, PREDICT.write(trained.rows[:1]))) == 21


def test_a_wrong_answer_is_an_error(trained: TrainedModel, workspace: Workspace) -> None:
    """It ends the benchmark."""
    request = PREDICT.write(trained.rows[:1])

    with (
        run_server(PEERS["ours"], trained, workspace, LENGTHS) as server,
        pytest.raises(BenchError, match="ours answered"),
    ):
        server.check(PREDICT, [(request, [trained.probability[0] + 2e-6])])


def test_a_service_that_does_not_start_is_an_error(trained: TrainedModel, workspace: Workspace) -> None:
    """At once, with the end of its log."""
    nowhere = replace(trained, folder=Path("/nowhere"))

    with pytest.raises(BenchError, match=r"can't serve: can't read the model file /nowhere/model.onnx"):  # noqa: SIM117
        with run_server(PEERS["ours"], nowhere, workspace, LENGTHS):
            pass
