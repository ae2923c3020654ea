"""Whether a body is read and scored on the event loop or in the thread for large bodies; the answers are the same."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.types import ASGIApp

from model.records import TextTable
from model.session import Matrix, Model, Scores
from serve.app import create_app_for_model
from serve.schemas.limits import (
    MAX_EVENT_LOOP_CELLS,
    MAX_EVENT_LOOP_JSON_BYTES,
    MAX_EVENT_LOOP_PREDICT_BYTES,
    MAX_EVENT_LOOP_ROWS,
    MAX_EVENT_LOOP_TABLE_BYTES,
    REASONS_COST,
    RESULT_COST,
)
from serve.schemas.open_inference import TensorInput
from serve.schemas.problems import MAX_FAULTS
from serve.schemas.requests import RequestSchemas
from serve.schemas.tensors import read_tensors
from tests.serve.api.bodies import pad, to_json

Connect = Callable[[ASGIApp], httpx.Client]

LIMITS = [("/predict", "data", MAX_EVENT_LOOP_PREDICT_BYTES), ("/score", "applicants", MAX_EVENT_LOOP_JSON_BYTES)]
"""Path, member with the applicants, and largest body that is read on the event loop."""

SIZES = [limit + more for _, _, limit in LIMITS for more in (0, 1)]


class WatchedModel(Model, frozen=True):
    """A model that records in which thread it scores."""

    asked_in: list[threading.Thread]

    def score(self, applicants: Matrix, *, explain: bool = False) -> Scores:
        """Note the thread and answer."""
        self.asked_in.append(threading.current_thread())
        return Model.score(self, applicants, explain=explain)


class Watched:
    """A service, and the threads in which it read bodies and scored."""

    def __init__(self, model: Model, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
        app = create_app_for_model(model)
        self.scored_in: list[threading.Thread] = []
        self.read_in: list[threading.Thread] = []
        # After the self-test, which scores the golden rows.
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
        """Send a request and expect 200."""
        return self.client.post(path, **request).raise_for_status()

    @property
    def was_read_on_event_loop(self) -> list[bool]:
        """One entry for each reading, in order."""
        return [thread is threading.current_thread() for thread in self.read_in]

    @property
    def was_scored_on_event_loop(self) -> list[bool]:
        """One entry for each call of the model, in order."""
        return [thread is threading.current_thread() for thread in self.scored_in]


@pytest.fixture
def watched(model: Model, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """A service that records its threads."""
    return Watched(model, connect, monkeypatch)


@pytest.mark.parametrize("size", SIZES)
def test_a_body_on_either_side_of_the_limit_is_answered_alike(
    client: httpx.Client, model: Model, applicants: Matrix, size: int
) -> None:
    """The event loop and the thread give the same answer."""
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
    """The event loop and the thread report the same fault."""
    response = client.post(path, content=pad({key: [vector, [None, *vector[1:]]]}, size))

    assert response.status_code == 400
    assert [fault["pointer"] for fault in response.json()["errors"]] == [f"/{key}/1/0"]


@pytest.mark.parametrize(("path", "key"), [("/predict", "data"), ("/score", "applicants")])
def test_many_faults_of_a_small_body_are_found_in_the_thread(
    client: httpx.Client, watched: Watched, path: str, key: str
) -> None:
    """Diagnosing MAX_EVENT_LOOP_CELLS values takes too long for the event loop."""
    rows = [["x"] * 5] * (MAX_EVENT_LOOP_CELLS // 5 + 1)

    watched_answer = watched.client.post(path, json={key: rows})

    assert watched_answer.status_code == 400
    assert watched.was_read_on_event_loop == [True, False]
    assert watched_answer.json()["errors"] == client.post(path, json={key: rows}).json()["errors"]


@pytest.mark.parametrize(("more", "is_on_event_loop"), [(0, True), (1, False)], ids=["at the limit", "above the limit"])
@pytest.mark.parametrize(("path", "key", "limit"), LIMITS)
def test_only_a_body_above_the_limit_goes_to_the_thread(
    watched: Watched, vector: list[Any], path: str, key: str, limit: int, more: int, is_on_event_loop: bool
) -> None:
    """The limit of /predict is larger than that of /score; no body is read twice."""
    watched.post(path, content=pad({key: [vector] * 2}, limit + more))

    assert watched.was_read_on_event_loop == [is_on_event_loop]
    assert watched.was_scored_on_event_loop == [is_on_event_loop]


@pytest.mark.parametrize(("rows", "is_on_event_loop"), [(MAX_EVENT_LOOP_ROWS, True), (MAX_EVENT_LOOP_ROWS + 1, False)])
def test_many_short_rows_are_read_in_the_thread_alone(
    watched: Watched, vector: list[Any], rows: int, is_on_event_loop: bool
) -> None:
    """Too many rows are noticed before the body is decoded."""
    watched.post("/predict", content=json.dumps({"data": [vector] * rows}))

    assert watched.was_read_on_event_loop == [is_on_event_loop]


@pytest.mark.parametrize(
    ("rows", "options", "is_on_event_loop"),
    [
        (MAX_EVENT_LOOP_ROWS // RESULT_COST, {"reasons": 0}, True),
        (MAX_EVENT_LOOP_ROWS // RESULT_COST + 1, {"reasons": 0}, False),
        (MAX_EVENT_LOOP_ROWS // (RESULT_COST + REASONS_COST), {}, True),
        (MAX_EVENT_LOOP_ROWS // (RESULT_COST + REASONS_COST) + 1, {}, False),
        (1, {"what_would_change": True}, False),
    ],
)
def test_only_work_above_the_limit_goes_to_the_thread(
    watched: Watched, vector: list[Any], rows: int, options: dict[str, Any], is_on_event_loop: bool
) -> None:
    """The cost of rows, reasons and changes decides, whatever the size of the body."""
    watched.post("/score", json={"applicants": [vector] * rows, **options})

    assert set(watched.was_scored_on_event_loop) == {is_on_event_loop}


@pytest.mark.parametrize(("rows", "is_on_event_loop"), [(MAX_EVENT_LOOP_ROWS, True), (MAX_EVENT_LOOP_ROWS + 1, False)])
def test_raw_tensors_go_to_the_thread_by_their_rows_alone(
    watched: Watched, vector: list[Any], rows: int, is_on_event_loop: bool
) -> None:
    """Binary numbers need no decoding, so that their size doesn't count."""
    raw = np.tile(np.array(vector, dtype="<f8"), (rows, 1)).tobytes()
    tensor = {"name": "applicants", "datatype": "FP64", "shape": [rows, len(vector)]}
    head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": len(raw)}}]}).encode()
    length = {"Inference-Header-Content-Length": str(len(head))}

    watched.post("/v2/models/test/infer", content=head + raw, headers=length)

    assert len(raw) > MAX_EVENT_LOOP_JSON_BYTES
    assert watched.was_scored_on_event_loop == [is_on_event_loop]


@pytest.mark.parametrize(("path", "key", "limit"), LIMITS)
@pytest.mark.parametrize("length", ["1", "4000", "99999"])
def test_the_header_of_raw_tensors_brings_no_json_onto_the_loop(
    watched: Watched, vector: list[Any], path: str, key: str, limit: int, length: str
) -> None:
    """Inference-Header-Content-Length doesn't raise the limit for JSON."""
    body = pad({key: [vector] * 2}, limit + 1)

    watched.post(path, content=body, headers={"Inference-Header-Content-Length": length})

    assert watched.was_scored_on_event_loop == [False]


@pytest.mark.parametrize("datatype", ["BYTES", "\\u0042YTES"])
def test_binary_texts_are_read_in_the_thread(
    client: httpx.Client, datatype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BYTES tensors are decoded one by one, however the datatype is escaped."""
    read_in: list[threading.Thread] = []

    def note(inputs: Sequence[TensorInput], raw: memoryview) -> Any:
        read_in.append(threading.current_thread())
        return read_tensors(inputs, raw)

    monkeypatch.setattr("serve.schemas.tensors.read_tensors", note)
    count = MAX_EVENT_LOOP_JSON_BYTES // 4 + 1
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


@pytest.mark.parametrize(
    ("path", "size", "threads"),
    [
        ("/score", MAX_EVENT_LOOP_TABLE_BYTES, [True]),
        ("/score", MAX_EVENT_LOOP_TABLE_BYTES + 1, [False]),
        ("/applicants", 100, [False]),
    ],
)
def test_a_large_table_is_read_in_the_thread_alone(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, path: str, size: int, threads: list[bool]
) -> None:
    """Not even its dialect is looked for on the event loop; a table that isn't scored is always read in the thread."""
    read_in: list[threading.Thread] = []

    class Watching(TextTable):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            read_in.append(threading.current_thread())
            super().__init__(*arguments, **options)

    monkeypatch.setattr("serve.schemas.tables.TextTable", Watching)
    table = "Amount,Income,Home,Client,Debt/Income~12m\n1,,,True,1".ljust(size)

    answer = client.post(path, content=table, headers={"content-type": "text/csv"})

    assert answer.status_code == 200
    assert [thread is threading.current_thread() for thread in read_in] == threads


def test_many_faults_of_a_small_table_are_found_in_the_thread(client: httpx.Client) -> None:
    """After MAX_FAULTS of them; the answer has as many."""
    rows = ",,,,\n" * 200

    answer = client.post(
        "/score", content=f"Amount,Income,Home,Client,Debt/Income~12m\n{rows}", headers={"content-type": "text/csv"}
    )

    assert (answer.status_code, len(answer.json()["errors"])) == (400, MAX_FAULTS)
