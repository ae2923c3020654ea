"""Every way in which the benchmarks ask is understood by the service, and answered as scikit-learn would."""

from __future__ import annotations

import asyncio

import httpx
import msgspec
import pytest

from benchmarks.serve.answers import is_right
from benchmarks.serve.models import MODELS, Made, make
from benchmarks.serve.peers import PEERS
from benchmarks.serve.protocols import BINARY, PREDICT, SCORE, V2, Protocol
from benchmarks.serve.workloads import WORKLOADS, write_bodies, write_crowd
from model.loading import load_model
from serve.app import make_app


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A small model of the benchmarks."""
    return make(MODELS["logistic"], tmp_path_factory.mktemp("logistic"))


def post(made: Made, protocol: Protocol, rows: list[list[float]]) -> httpx.Response:
    """The service's answer to rows that are asked in a protocol."""
    request = protocol.write(rows)
    app = make_app(load_model(made.folder / "model.onnx"))

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            headers = {"content-type": request.content_type, **request.headers}
            return await client.post(protocol.path, content=request.body, headers=headers)

    return asyncio.run(ask())


@pytest.mark.parametrize("protocol", [PREDICT, SCORE, BINARY], ids=["predict", "score", "binary"])
@pytest.mark.parametrize("rows", [1, 7])
def test_the_service_gives_the_right_answer(made: Made, protocol: Protocol, rows: int) -> None:
    """One row, several rows."""
    response = post(made, protocol, made.rows[:rows])

    assert 200 == response.status_code
    assert is_right(response.content, made.probability[:rows], protocol.read)


def test_a_runtime_of_scikit_learn_answers_with_both_classes() -> None:
    """The second column is the probability of default."""
    answer = msgspec.json.encode({"outputs": [{"shape": [2, 2], "data": [0.9, 0.1, 0.25, 0.75]}]})

    assert [0.1, 0.75] == V2.read(answer)


@pytest.mark.parametrize(
    "answer", [b"", b"[0.5]", b"[0.1, 0.2]", b'{"detail": "no"}', b"[null]", b'["0.1"]', b"[NaN]", b"[]"]
)
def test_a_wrong_answer_is_not_right(answer: bytes) -> None:
    """Whatever it looks like."""
    assert not is_right(answer, [0.1], PREDICT.read)


def test_bodies_differ_and_have_their_answers(made: Made) -> None:
    """Nobody can win by remembering the last answer."""
    bodies = write_bodies(WORKLOADS["logistic"], PEERS["ours"], made)

    assert 64 == len({request.body for request, _ in bodies})
    assert made.probability[:64] == [probability for _, expected in bodies for probability in expected]


def test_a_large_body_has_every_row(made: Made) -> None:
    """1,000 rows at once."""
    [(request, expected)] = write_bodies(WORKLOADS["json"], PEERS["ours"], made)

    assert made.rows == msgspec.json.decode(request.body)["data"]
    assert made.probability == expected


def test_the_crowd_posts_more_rows_than_there_are(made: Made) -> None:
    """The same applicants over and over, as many as the body is to have."""
    request = write_crowd(WORKLOADS["crowd"], PEERS["ours"], made)

    assert made.rows * 10 == msgspec.json.decode(request.body)["data"]
