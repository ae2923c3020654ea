"""Where a body is read and scored: on the event loop, or in the thread for large bodies; the answer is the same."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.types import ASGIApp

from model.session import Matrix, Model, Scores
from serve.api.score import BYTES_ON_LOOP, NUMBERS_ON_LOOP
from serve.api.scoring import REASONS_COST, RESULT_COST, ROWS_ON_LOOP
from serve.app import make_app
from serve.schemas.faults import CELLS_ON_LOOP
from serve.schemas.inference import Input
from serve.schemas.requests import RequestSchemas
from serve.schemas.tensors import read_tensors
from tests.serve.api.bodies import pad, to_json

Connect = Callable[[ASGIApp], httpx.Client]

LIMITS = [("/predict", "data", NUMBERS_ON_LOOP), ("/score", "applicants", BYTES_ON_LOOP)]
"""How large a body may be on the event loop."""

SIZES = [limit + more for _, _, limit in LIMITS for more in (0, 1)]


class WatchedModel(Model, frozen=True):
    """A model that notes in which thread it was asked."""

    asked_in: list[threading.Thread]

    def score(self, applicants: Matrix, *, explain: bool = False) -> Scores:
        """Note the thread and answer."""
        self.asked_in.append(threading.current_thread())
        return Model.score(self, applicants, explain=explain)


class Watched:
    """A service, and the threads in which it read bodies and scored."""

    def __init__(self, model: Model, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        app = make_app(model)
        self.scored_in: list[threading.Thread] = []
        self.read_in: list[threading.Thread] = []
        # After the proof, which scores the golden rows.
        app.state.service.runtime.model = WatchedModel(model.contract, model.sha256, model.session, self.scored_in)
        self.client = connect(app)
        for name in ("read_predict", "read_score"):
            monkeypatch.setattr(RequestSchemas, name, self._watch(getattr(RequestSchemas, name)))

    def _watch(self, read: Callable[..., Any]) -> Callable[..., Any]:
        def note(*arguments: Any, **options: Any) -> Any:
            self.read_in.append(threading.current_thread())
            return read(*arguments, **options)

        return note

    def post(self, path: str, **request: Any) -> httpx.Response:
        """Ask, and be answered with 200."""
        return self.client.post(path, **request).raise_for_status()

    @property
    def was_read_on_loop(self) -> list[bool]:
        """Of each reading, in order."""
        return [thread is threading.current_thread() for thread in self.read_in]

    @property
    def was_scored_on_loop(self) -> list[bool]:
        """Of each run of the model, in order."""
        return [thread is threading.current_thread() for thread in self.scored_in]


@pytest.fixture
def watched(model: Model, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """A service around the model."""
    return Watched(model, connect, monkeypatch)


@pytest.mark.parametrize("size", SIZES)
def test_a_body_on_either_side_of_the_limit_is_answered_alike(
    client: httpx.Client, model: Model, applicants: Matrix, size: int
) -> None:
    """Whether the event loop or the thread works shows in no answer."""
    rows, expected = to_json(applicants), model.score(applicants).probability.tolist()

    predicted = client.post("/predict", content=pad({"data": rows}, size)).json()
    results = client.post("/score", content=pad({"applicants": rows}, size)).json()["results"]

    assert predicted == expected
    assert [result["probability"] for result in results] == expected


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("path", "key"), [("/predict", "data"), ("/score", "applicants")])
def test_a_body_on_either_side_of_the_limit_is_refused_alike(
    client: httpx.Client, vector: list[Any], path: str, key: str, size: int
) -> None:
    """A fault that the thread finds is answered as one that the event loop finds."""
    response = client.post(path, content=pad({key: [vector, [None, *vector[1:]]]}, size))

    assert response.status_code == 400
    assert [fault["pointer"] for fault in response.json()["errors"]] == [f"/{key}/1/0"]


@pytest.mark.parametrize(("path", "key"), [("/predict", "data"), ("/score", "applicants")])
def test_many_faults_of_a_small_body_are_named_by_the_thread(
    client: httpx.Client, watched: Watched, path: str, key: str
) -> None:
    """Naming them takes longer than the event loop has time for; the answer is the same."""
    rows = [["x"] * 5] * (CELLS_ON_LOOP // 5 + 1)

    watched_answer = watched.client.post(path, json={key: rows})

    assert watched_answer.status_code == 400
    assert watched.was_read_on_loop == [True, False]
    assert watched_answer.json()["errors"] == client.post(path, json={key: rows}).json()["errors"]


@pytest.mark.parametrize(("more", "is_on_loop"), [(0, True), (1, False)], ids=["at the limit", "above the limit"])
@pytest.mark.parametrize(("path", "key", "limit"), LIMITS)
def test_only_a_body_above_the_limit_goes_to_the_thread(
    watched: Watched, vector: list[Any], path: str, key: str, limit: int, more: int, is_on_loop: bool
) -> None:
    """A small one is done before a thread has started; of numbers a larger one than of words. Neither is read twice."""
    watched.post(path, content=pad({key: [vector] * 2}, limit + more))

    assert watched.was_read_on_loop == [is_on_loop]
    assert watched.was_scored_on_loop == [is_on_loop]


@pytest.mark.parametrize(("rows", "is_on_loop"), [(ROWS_ON_LOOP, True), (ROWS_ON_LOOP + 1, False)])
def test_many_short_rows_are_read_in_the_thread_alone(
    watched: Watched, vector: list[Any], rows: int, is_on_loop: bool
) -> None:
    """Those that are too much work for the event loop are not read there first."""
    watched.post("/predict", content=json.dumps({"data": [vector] * rows}))

    assert watched.was_read_on_loop == [is_on_loop]


@pytest.mark.parametrize(
    ("rows", "options", "is_on_loop"),
    [
        (ROWS_ON_LOOP // RESULT_COST, {"reasons": 0}, True),
        (ROWS_ON_LOOP // RESULT_COST + 1, {"reasons": 0}, False),
        (ROWS_ON_LOOP // (RESULT_COST + REASONS_COST), {}, True),
        (ROWS_ON_LOOP // (RESULT_COST + REASONS_COST) + 1, {}, False),
        (1, {"what_would_change": True}, False),
    ],
)
def test_only_work_above_the_limit_goes_to_the_thread(
    watched: Watched, vector: list[Any], rows: int, options: dict[str, Any], is_on_loop: bool
) -> None:
    """Rows count, reasons count more, and looking for changes the most, whatever the bytes."""
    watched.post("/score", json={"applicants": [vector] * rows, **options})

    assert set(watched.was_scored_on_loop) == {is_on_loop}


@pytest.mark.parametrize(("rows", "is_on_loop"), [(ROWS_ON_LOOP, True), (ROWS_ON_LOOP + 1, False)])
def test_raw_tensors_go_to_the_thread_by_their_rows_alone(
    watched: Watched, vector: list[Any], rows: int, is_on_loop: bool
) -> None:
    """There is nothing in them to be read: their bytes don't count."""
    raw = np.tile(np.array(vector, dtype="<f8"), (rows, 1)).tobytes()
    tensor = {"name": "applicants", "datatype": "FP64", "shape": [rows, len(vector)]}
    head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": len(raw)}}]}).encode()
    length = {"Inference-Header-Content-Length": str(len(head))}

    watched.post("/v2/models/test/infer", content=head + raw, headers=length)

    assert len(raw) > BYTES_ON_LOOP
    assert watched.was_scored_on_loop == [is_on_loop]


@pytest.mark.parametrize(("path", "key", "limit"), LIMITS)
@pytest.mark.parametrize("length", ["1", "4000", "99999"])
def test_the_header_of_raw_tensors_brings_no_json_onto_the_loop(
    watched: Watched, vector: list[Any], path: str, key: str, limit: int, length: str
) -> None:
    """A client that sends it with another request than an inference gains nothing by it."""
    body = pad({key: [vector] * 2}, limit + 1)

    watched.post(path, content=body, headers={"Inference-Header-Content-Length": length})

    assert watched.was_scored_on_loop == [False]


@pytest.mark.parametrize("datatype", ["BYTES", "\\u0042YTES"])
def test_raw_texts_are_not_read_on_the_loop(
    client: httpx.Client, datatype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them takes time, however the datatype is written; a matrix of them is refused in the thread."""
    read_in: list[threading.Thread] = []

    def note(inputs: Sequence[Input], raw: memoryview) -> Any:
        read_in.append(threading.current_thread())
        return read_tensors(inputs, raw)

    monkeypatch.setattr("serve.schemas.tensors.read_tensors", note)
    count = BYTES_ON_LOOP // 4 + 1
    size = f'"parameters":{{"binary_data_size":{4 * count}}}'
    head = f'{{"inputs":[{{"name":"applicants","datatype":"{datatype}","shape":[{count}],{size}}}]}}'.encode()

    answer = client.post(
        "/v2/models/test/infer",
        content=head + bytes(4 * count),
        headers={"Inference-Header-Content-Length": str(len(head))},
    )

    assert answer.status_code == 400
    assert len(read_in) == 1
    assert threading.current_thread() not in read_in
