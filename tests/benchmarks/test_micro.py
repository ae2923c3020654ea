"""The steps of a request, decode, graph and encode: timed by `make bench-micro`, checked by `make test`."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.serve.models import BATCH_ROWS, MODELS, TrainedModel
from benchmarks.serve.protocols import PREDICT, SCORE
from model.loading import load_model
from model.session import Model, RowSession
from serve.schemas.requests import RequestSchemas, to_matrix
from tests.benchmarks.conftest import TrainModel

MAX_ROWS = 10_000
TOLERANCE = 1e-12


def load(trained: TrainedModel) -> Model:
    """Load the ONNX file of a model."""
    return load_model(trained.folder / "model.onnx")


def make_schemas(trained: TrainedModel) -> RequestSchemas:
    """The request schemas of a model."""
    return RequestSchemas(load(trained).contract.fields, MAX_ROWS)


@pytest.mark.parametrize("name", ["logistic", "wide"])
def test_decode_predict(benchmark: BenchmarkFixture, trained_models: TrainModel, name: str) -> None:
    """Decode and validate a body of one row."""
    trained = trained_models(name)
    rows, schemas = trained.rows, make_schemas(trained)
    body = PREDICT.write(rows[:1]).body

    read = benchmark(schemas.read_predict, body, on_event_loop=True)

    assert [list(row) for row in read] == [rows[0]]


def test_decode_score(benchmark: BenchmarkFixture, trained_models: TrainModel) -> None:
    """Decode and validate a body of one applicant with named fields."""
    trained = trained_models("boosting")
    rows, schemas = trained.rows, make_schemas(trained)
    body = SCORE.write(rows[:1]).body

    asked = benchmark(schemas.read_score, body, on_event_loop=True)

    assert [list(row) for row in asked.rows] == [rows[0]]


def test_decode_many(benchmark: BenchmarkFixture, trained_models: TrainModel) -> None:
    """Decode a body of 1,000 rows to a matrix."""
    trained = trained_models("logistic")
    rows, schemas = trained.rows, make_schemas(trained)
    body = PREDICT.write(rows).body

    matrix = benchmark(lambda: to_matrix(schemas.read_predict(body, on_event_loop=False), len(schemas.fields)))

    assert matrix.tolist() == rows


@pytest.mark.parametrize("explain", [False, True], ids=["probability", "reasons"])
@pytest.mark.parametrize("name", list(MODELS))
def test_graph_one(benchmark: BenchmarkFixture, trained_models: TrainModel, name: str, explain: bool) -> None:
    """Score one row with preallocated buffers."""
    session = RowSession(load(trained_models(name)))

    scores = benchmark(session.score, trained_models(name).rows[0], explain=explain)

    assert scores.probability.tolist() == pytest.approx(trained_models(name).probability[:1], abs=TOLERANCE)


@pytest.mark.parametrize("name", list(MODELS))
def test_graph_many(benchmark: BenchmarkFixture, trained_models: TrainModel, name: str) -> None:
    """Score 1,000 rows."""
    trained = trained_models(name)
    model, applicants = load(trained), np.array(trained.rows)

    scores = benchmark(model.score, applicants)

    np.testing.assert_allclose(scores.probability, trained.probability, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("rows", [1, BATCH_ROWS])
def test_encode(benchmark: BenchmarkFixture, trained_models: TrainModel, rows: int) -> None:
    """Encode probabilities as JSON, exactly."""
    probability = np.array(trained_models("logistic").probability[:rows])
    encode = msgspec.json.Encoder().encode

    answer = benchmark(lambda: encode(probability.tolist()))

    assert msgspec.json.decode(answer) == probability.tolist()
