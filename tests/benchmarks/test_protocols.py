"""The service answers each protocol of the benchmarks with scikit-learn's probabilities."""

from __future__ import annotations

import asyncio

import httpx
import msgspec
import pytest

from benchmarks.serve.models import TrainedModel
from benchmarks.serve.peers import PEERS
from benchmarks.serve.protocols import BINARY, PREDICT, SCORE, V2, Protocol
from benchmarks.serve.responses import is_correct
from benchmarks.serve.workloads import WORKLOADS, write_background, write_bodies
from model.loading import load_model
from serve.app import create_app_for_model


def post(trained: TrainedModel, protocol: Protocol, rows: list[list[float]]) -> httpx.Response:
    """Post rows to the service in a protocol."""
    request = protocol.write(rows)
    app = create_app_for_model(load_model(trained.folder / "model.onnx"))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            headers = {"content-type": request.content_type, **request.headers}
            return await client.post(protocol.path, content=request.body, headers=headers)

    return asyncio.run(ask())


@pytest.mark.parametrize("protocol", [PREDICT, SCORE, BINARY], ids=["predict", "score", "binary"])
@pytest.mark.parametrize("rows", [1, 7])
def test_the_service_answers_correctly(trained: TrainedModel, protocol: Protocol, rows: int) -> None:
    """One row and several rows."""
    response = post(trained, protocol, trained.rows[:rows])

    assert response.status_code == 200
    assert is_correct(response.content, trained.probability[:rows], protocol.read)


def test_the_second_class_of_a_v2_response_is_read() -> None:
    """MLServer returns the probabilities of both classes."""
    answer = msgspec.json.encode({"outputs": [{"shape": [2, 2], "data": [0.9, 0.1, 0.25, 0.75]}]})

    assert V2.read(answer) == [0.1, 0.75]


@pytest.mark.parametrize(
    "answer", [b"", b"[0.5]", b"[0.1, 0.2]", b'{"detail": "no"}', b"[null]", b'["0.1"]', b"[NaN]", b"[]"]
)
def test_a_wrong_response_is_not_correct(answer: bytes) -> None:
    """Neither is one that can't be read."""
    assert not is_correct(answer, [0.1], PREDICT.read)


def test_the_bodies_of_a_workload_differ(trained: TrainedModel) -> None:
    """So that caching does not help; each has its expected probability."""
    bodies = write_bodies(WORKLOADS["logistic"], PEERS["ours"], trained)

    assert len({request.body for request, _ in bodies}) == 64
    assert [probability for _, expected in bodies for probability in expected] == trained.probability[:64]


def test_a_large_body_has_every_row(trained: TrainedModel) -> None:
    """With their probabilities in the same order."""
    [(request, expected)] = write_bodies(WORKLOADS["json"], PEERS["ours"], trained)

    assert msgspec.json.decode(request.body)["data"] == trained.rows
    assert expected == trained.probability


def test_a_background_body_repeats_the_applicants(trained: TrainedModel) -> None:
    """Up to the rows that it must have."""
    request = write_background(WORKLOADS["background"], PEERS["ours"], trained)

    assert msgspec.json.decode(request.body)["data"] == trained.rows * 10
