"""Decode, graph, encode: the steps of a request, each timed alone by `make bench-micro`, checked by `make test`."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.serve.models import MODELS, Made, make
from benchmarks.serve.protocols import PREDICT, SCORE
from model.loading import load_model
from model.session import Model, RowSession
from serve.schemas.requests import RequestSchemas, to_matrix

MOST_ROWS = 10_000
ROUNDING = 1e-12
MANY = 1_000


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """The models of the benchmarks."""
    folder = tmp_path_factory.mktemp("models")
    return {name: make(spec, folder / name) for name, spec in MODELS.items()}


def load(made: Made) -> Model:
    """The exported graph of a model."""
    return load_model(made.folder / "model.onnx")


@pytest.mark.parametrize("name", ["logistic", "wide"])
def test_decode_predict(benchmark: BenchmarkFixture, made: dict[str, Made], name: str) -> None:
    """A body of one row, decoded and checked against the contract."""
    rows, schemas = made[name].rows, RequestSchemas(load(made[name]).contract.fields, MOST_ROWS)
    body = PREDICT.write(rows[:1]).body

    read = benchmark(schemas.read_predict, body, on_loop=True)

    assert [list(row) for row in read] == [rows[0]]


def test_decode_score(benchmark: BenchmarkFixture, made: dict[str, Made]) -> None:
    """A body of one applicant by name, decoded, checked and put in order."""
    rows, schemas = made["boosting"].rows, RequestSchemas(load(made["boosting"]).contract.fields, MOST_ROWS)
    body = SCORE.write(rows[:1]).body

    asked = benchmark(schemas.read_score, body, on_loop=True)

    assert [list(row) for row in asked.rows] == [rows[0]]


def test_decode_many(benchmark: BenchmarkFixture, made: dict[str, Made]) -> None:
    """A body of 1,000 rows, from its bytes to the matrix of the graph."""
    rows, schemas = made["logistic"].rows, RequestSchemas(load(made["logistic"]).contract.fields, MOST_ROWS)
    body = PREDICT.write(rows).body

    matrix = benchmark(lambda: to_matrix(schemas.read_predict(body, on_loop=False), len(schemas.fields)))

    assert matrix.tolist() == rows


@pytest.mark.parametrize("explain", [False, True], ids=["probability", "reasons"])
@pytest.mark.parametrize("name", list(MODELS))
def test_graph_one(benchmark: BenchmarkFixture, made: dict[str, Made], name: str, explain: bool) -> None:
    """One row through the graph, from and into kept buffers."""
    session = RowSession(load(made[name]))

    scores = benchmark(session.score, made[name].rows[0], explain=explain)

    assert scores.probability.tolist() == pytest.approx(made[name].probability[:1], abs=ROUNDING)


@pytest.mark.parametrize("name", list(MODELS))
def test_graph_many(benchmark: BenchmarkFixture, made: dict[str, Made], name: str) -> None:
    """1,000 rows through the graph."""
    model, applicants = load(made[name]), np.array(made[name].rows[:MANY])

    scores = benchmark(model.score, applicants)

    np.testing.assert_allclose(scores.probability, made[name].probability[:MANY], rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("rows", [1, MANY])
def test_encode(benchmark: BenchmarkFixture, made: dict[str, Made], rows: int) -> None:
    """Probabilities as JSON, each exactly as it is."""
    probability = np.array(made["logistic"].probability[:rows])
    encode = msgspec.json.Encoder().encode

    answer = benchmark(lambda: encode(probability.tolist()))

    assert msgspec.json.decode(answer) == probability.tolist()
