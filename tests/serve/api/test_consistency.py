"""Every request format gives exactly the same probabilities for the same applicants, alone and in a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract import MAX_MAGNITUDE, Field
from model.loading import load_model
from model.session import Matrix, Model
from serve.settings import Settings
from tests.serve.api.bodies import name_values, to_csv, to_field_tensors, to_json, to_matrix_tensor

MakeClient = Callable[..., httpx.Client]


def cells_of(field: Field) -> st.SearchStrategy[float]:
    """Matrix values of a field: typical ones and every other that is allowed."""
    if field.kind == "category":
        cells: st.SearchStrategy[float] = st.sampled_from([float(index) for index in range(len(field.levels))])
    else:
        cells = st.floats(0, 200) | st.integers(0, 200).map(float) | st.floats(-MAX_MAGNITUDE, MAX_MAGNITUDE)
    return cells | st.just(np.nan) if field.nullable else cells


def rows_of(fields: Sequence[Field]) -> st.SearchStrategy[Matrix]:
    """Random applicants: float64, shape (n, n_fields)."""
    row = st.tuples(*map(cells_of, fields))
    return st.lists(row, min_size=1, max_size=40).map(lambda rows: np.array(rows, np.float64))


@dataclass(frozen=True, slots=True)
class Served:
    """A model and a client of the service around it."""

    model: Model
    client: httpx.Client

    @property
    def fields(self) -> Sequence[Field]:
        """The fields of the model, in order."""
        return self.model.contract.fields


def ask_in_every_way(served: Served, rows: Matrix) -> dict[str, list[float]]:
    """Request format → the probabilities that it gives."""
    client, fields, path = served.client, served.fields, f"/v2/models/{served.model.contract.name}/infer"
    named = [name_values(row, fields) for row in rows.tolist()]
    json_of_csv = {"content-type": "text/csv", "accept": "application/json"}
    scored = {
        "by name": client.post("/score", json={"applicants": named, "reasons": 0}),
        "by name with reasons": client.post("/score", json={"applicants": named}),
        "by vector": client.post("/score", json={"applicants": to_json(rows), "reasons": 0}),
        "CSV": client.post("/score", content=to_csv(named), headers=json_of_csv),
    }
    inferred = {
        "infer, a matrix": client.post(path, json=to_matrix_tensor(rows)),
        "infer, a tensor a field": client.post(path, json=to_field_tensors(named, fields)),
    }
    return (
        {way: [one["probability"] for one in answer.json()["results"]] for way, answer in scored.items()}
        | {way: answer.json()["outputs"][0]["data"] for way, answer in inferred.items()}
        | {"predict": client.post("/predict", json={"data": to_json(rows)}).json()}
    )


@pytest.fixture(scope="module", params=["small", "checkout"])
def served(request: pytest.FixtureRequest, model: Model, root: Path, make_client: MakeClient) -> Served:
    """A small logistic regression, and the model of the checkout; requests aren't logged."""
    chosen = model if request.param == "small" else load_model(root / "artifacts" / "model.onnx")
    return Served(chosen, make_client(chosen, Settings(log_level="warning")))


@given(data=st.data())
def test_every_request_format_gives_the_same_probabilities(data: st.DataObject, served: Served) -> None:
    """Alone and in a batch, exactly the probabilities of the model, for random applicants."""
    rows = data.draw(rows_of(served.fields))
    place = data.draw(st.integers(0, len(rows) - 1), "place")
    expected = served.model.score(rows).probability.tolist()

    alone, in_batch = ask_in_every_way(served, rows[[place]]), ask_in_every_way(served, rows)

    assert in_batch == dict.fromkeys(in_batch, expected)
    assert alone == {request_format: [expected[place]] for request_format in alone}
