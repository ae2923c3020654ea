"""The routes, over HTTP: what each answers, and how each refuses."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pytest
from starlette.types import Message

import serve.tensors
from serve.answers import EXPLAINING, TELLING
from serve.app import _live, make_app
from serve.contract import DECISIONS, Field
from serve.counters import Ledger
from serve.endpoint import BYTES_ON_THE_LOOP, NUMBERS_ON_THE_LOOP, WORK_ON_THE_LOOP
from serve.model import Matrix, Model, Scores
from serve.served import Served
from serve.settings import Settings

WAIT_SECONDS = 10.0
"""Longest wait for something that takes milliseconds unless it is broken."""

MakeClient = Callable[..., httpx.Client]


class BrokenModel(Model):
    """A model that fails whenever it is asked."""

    def score(self, applicants: Matrix, *, explain: bool = False) -> Scores:
        """Fail, with words that nobody outside may read."""
        raise RuntimeError("secret inside of /srv/model.onnx")


@dataclass(frozen=True, slots=True)
class WaitingModel(Model):
    """A model that says when it is asked, and answers when it may."""

    is_asked: threading.Event
    may_answer: threading.Event

    def score(self, applicants: Matrix, *, explain: bool = False) -> Scores:
        """Wait; every probability is 1, or 0 if it waited in vain."""
        self.is_asked.set()
        came = self.may_answer.wait(WAIT_SECONDS)
        probability, decision = np.full(len(applicants), float(came)), np.zeros(len(applicants), dtype=np.int64)
        return Scores(probability, decision, np.empty((0, applicants.shape[1])))


@dataclass(frozen=True, slots=True)
class WatchedModel(Model):
    """A model that notes in which thread it was asked."""

    asked_in: list[threading.Thread]

    def score(self, applicants: Matrix, *, explain: bool = False) -> Scores:
        """Note the thread and answer."""
        self.asked_in.append(threading.current_thread())
        return Model.score(self, applicants, explain=explain)


def to_json(matrix: Matrix) -> list[list[float | None]]:
    """Rows of the graph's input as a body holds them."""
    return [[None if np.isnan(cell) else cell for cell in row] for row in matrix.tolist()]


def to_named(row: list[float], fields: tuple[Field, ...]) -> dict[str, Any]:
    """One row of the graph's input as a person would write it."""
    return {
        field.name: None if np.isnan(cell) else field.levels[int(cell)] if field.levels else cell
        for cell, field in zip(row, fields, strict=True)
    }


def to_body(key: str, rows: list[Any], size: int) -> bytes:
    """A body of exactly `size` bytes: the rows, then spaces."""
    body = json.dumps({key: rows}).encode()
    assert len(body) <= size
    return body.ljust(size)


def name_of(model: Model) -> dict[str, str]:
    """The model as answers name it."""
    return {"name": "test", "version": "2026.01.02-abcdef01", "sha256": model.sha256}


def test_predict_answers_one_probability_a_row(client: httpx.Client, model: Model, applicants: Matrix) -> None:
    """The compatible contract: {"data": [[…], …]} gives 200 and a plain JSON list of floats, in order."""
    response = client.post("/predict", json={"data": to_json(applicants)})

    assert (200, "application/json") == (response.status_code, response.headers["content-type"])
    assert model.score(applicants).probability.tolist() == response.json()


def test_predict_answers_a_single_row_with_a_list_of_one(client: httpx.Client, vector: list[Any]) -> None:
    """One float, still in a list."""
    (probability,) = client.post("/predict", json={"data": [vector]}).json()

    assert isinstance(probability, float)
    assert 0 < probability < 1


def test_predict_asks_for_no_content_type(client: httpx.Client, vector: list[Any]) -> None:
    """A client that posts JSON without saying so is answered."""
    response = client.post("/predict", content=f'{{"data": [{vector}]}}', headers={"content-type": "text/plain"})

    assert 200 == response.status_code


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nonsense",
        "{}",
        "null",
        "[[45.5, 320, 1, 1, 0.75]]",
        '{"data": null}',
        '{"data": []}',
        '{"data": [[]]}',
        '{"data": [45.5, 320, 1, 1, 0.75]}',
        '{"data": [[45.5, 320, 1, 1]]}',
        '{"data": [[45.5, 320, 1, 1, 0.75, 0]]}',
        '{"data": [[45.5, 320, 1, 1, 0.75], [45.5]]}',
        '{"data": [["a", 320, 1, 1, 0.75]]}',
        '{"data": [[null, 320, 1, 1, 0.75]]}',
        '{"data": [[45.5, 320, 3, 1, 0.75]]}',
        '{"data": [[45.5, 320, 0.5, 1, 0.75]]}',
        '{"data": [[1e101, 320, 1, 1, 0.75]]}',
        '{"data": [[NaN, 320, 1, 1, 0.75]]}',
        '{"applicants": [[45.5, 320, 1, 1, 0.75]]}',
    ],
)
def test_predict_refuses_another_body_as_a_problem(client: httpx.Client, body: str) -> None:
    """Wrong shape, wrong type, nothing or no JSON: 400, application/problem+json, with `error` in one string."""
    response = client.post("/predict", content=body)

    assert (400, "application/problem+json") == (response.status_code, response.headers["content-type"])
    problem = response.json()
    assert {"type", "title", "status", "detail", "error", "errors", "request_id"} == set(problem)
    assert response.headers["x-request-id"] == problem["request_id"]
    assert (400, "urn:problem:invalid-applicants") == (problem["status"], problem["type"])
    assert problem["detail"] == problem["error"]


def test_a_refusal_names_every_fault_with_its_place(client: httpx.Client, named: dict[str, Any]) -> None:
    """A JSON pointer and what was expected there, for all of them; the summary gives the first and how many more."""
    body = {"applicants": [{**named, "Home": "castle"}, {**named, "Debt/Income~12m": "x"}]}

    problem = client.post("/score", json=body).json()

    assert [
        {"pointer": "/applicants/0/Home", "detail": "expected one of: own, rent, other, got 'castle'"},
        {"pointer": "/applicants/1/Debt~1Income~012m", "detail": "expected a number, got 'x'"},
    ] == problem["errors"]
    assert "/applicants/0/Home: expected one of: own, rent, other, got 'castle' (and 1 more)" == problem["error"]


def test_score_answers_each_applicant_and_names_the_model(
    client: httpx.Client, model: Model, named: dict[str, Any]
) -> None:
    """Id as given, probability, decision, points and warnings, and which file answered."""
    scores = model.score(np.array([[145.5, np.nan, 1.0, 1.0, 0.75]]))
    body = {"applicants": [{**named, "id": "A-17", "Amount": 145.5, "Income": None}], "reasons": 0}

    response = client.post("/score", json=body)

    assert (200, "application/json") == (response.status_code, response.headers["content-type"])
    expected = {
        "id": "A-17",
        "probability": scores.probability.item(),
        "decision": DECISIONS[scores.decision.item()],
        "points": model.contract.policy.score_points(scores.probability.item()),
        "reasons": [],
        "warnings": [
            {
                "field": "Amount",
                "detail": "Amount of the loan is 145.5 EUR, above the documented maximum of 100",
            },
            {"field": "Income", "detail": "Income: missing"},
        ],
    }
    assert {"results": [expected], "model": name_of(model)} == response.json()


def test_every_decision_is_given_as_its_word(client: httpx.Client, model: Model, applicants: Matrix) -> None:
    """accept, review and refuse, each where the graph decided so."""
    expected = [DECISIONS[decision] for decision in model.score(applicants).decision]

    results = client.post("/score", json={"applicants": to_json(applicants)}).json()["results"]

    assert set(DECISIONS) == set(expected)
    assert expected == [result["decision"] for result in results]


def test_the_same_applicants_get_the_same_answer_by_name_by_vector_and_by_predict(
    client: httpx.Client, applicants: Matrix, fields: tuple[Field, ...]
) -> None:
    """Three ways in, one answer to the last digit."""
    by_name = {"applicants": [to_named(row, fields) for row in applicants.tolist()]}
    by_vector = {"applicants": to_json(applicants)}

    predicted = client.post("/predict", json={"data": to_json(applicants)}).json()
    named, vectors = (client.post("/score", json=body).json()["results"] for body in (by_name, by_vector))

    assert named == vectors
    assert predicted == [result["probability"] for result in named]


LIMITS = [("/predict", "data", NUMBERS_ON_THE_LOOP), ("/score", "applicants", BYTES_ON_THE_LOOP)]
"""How large a body may be on the event loop."""

SIZES = [limit + more for _, _, limit in LIMITS for more in (0, 1)]


@pytest.mark.parametrize("size", SIZES)
def test_a_body_on_either_side_of_the_limit_is_answered_alike(
    client: httpx.Client, model: Model, applicants: Matrix, size: int
) -> None:
    """Whether the loop or a worker thread works shows in no answer."""
    rows, expected = to_json(applicants), model.score(applicants).probability.tolist()

    predicted = client.post("/predict", content=to_body("data", rows, size)).json()
    results = client.post("/score", content=to_body("applicants", rows, size)).json()["results"]

    assert expected == predicted
    assert expected == [result["probability"] for result in results]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("path", "key"), [("/predict", "data"), ("/score", "applicants")])
def test_a_body_on_either_side_of_the_limit_is_refused_alike(
    client: httpx.Client, vector: list[Any], path: str, key: str, size: int
) -> None:
    """A fault that a worker thread finds is answered as one that the loop finds."""
    response = client.post(path, content=to_body(key, [vector, [None, *vector[1:]]], size))

    assert 400 == response.status_code
    assert [f"/{key}/1/0"] == [fault["pointer"] for fault in response.json()["errors"]]


@pytest.mark.parametrize(("more", "is_on_the_loop"), [(0, True), (1, False)], ids=["at the limit", "above the limit"])
@pytest.mark.parametrize(("path", "key", "limit"), LIMITS)
def test_only_a_body_above_the_limit_goes_to_a_worker_thread(
    model: Model,
    make_client: MakeClient,
    vector: list[Any],
    path: str,
    key: str,
    limit: int,
    more: int,
    is_on_the_loop: bool,
) -> None:
    """A small one is done before a thread has started; of numbers a larger one than of words."""
    watched = WatchedModel(model.contract, model.sha256, model.session, [])

    make_client(watched).post(path, content=to_body(key, [vector] * 2, limit + more)).raise_for_status()

    assert [is_on_the_loop] == [thread is threading.current_thread() for thread in watched.asked_in]


@pytest.mark.parametrize(
    ("rows", "options", "is_on_the_loop"),
    [
        (WORK_ON_THE_LOOP // TELLING, {"reasons": 0}, True),
        (WORK_ON_THE_LOOP // TELLING + 1, {"reasons": 0}, False),
        (WORK_ON_THE_LOOP // (TELLING + EXPLAINING), {}, True),
        (WORK_ON_THE_LOOP // (TELLING + EXPLAINING) + 1, {}, False),
        (1, {"what_would_change": True}, False),
    ],
)
def test_only_work_above_the_limit_goes_to_a_worker_thread(
    model: Model, make_client: MakeClient, vector: list[Any], rows: int, options: dict[str, Any], is_on_the_loop: bool
) -> None:
    """Rows count, reasons count more, and looking for changes the most, whatever the bytes."""
    watched = WatchedModel(model.contract, model.sha256, model.session, [])

    make_client(watched).post("/score", json={"applicants": [vector] * rows, **options}).raise_for_status()

    assert {is_on_the_loop} == {thread is threading.current_thread() for thread in watched.asked_in}


@pytest.mark.parametrize(("rows", "is_on_the_loop"), [(WORK_ON_THE_LOOP, True), (WORK_ON_THE_LOOP + 1, False)])
def test_raw_tensors_go_to_a_worker_thread_by_their_rows_alone(
    model: Model, make_client: MakeClient, vector: list[Any], rows: int, is_on_the_loop: bool
) -> None:
    """There is nothing in them to be read: their bytes don't count."""
    watched = WatchedModel(model.contract, model.sha256, model.session, [])
    raw = np.tile(np.array(vector, dtype="<f8"), (rows, 1)).tobytes()
    tensor = {"name": "applicants", "datatype": "FP64", "shape": [rows, len(vector)]}
    head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": len(raw)}}]}).encode()
    path, length = f"/v2/models/{model.contract.name}/infer", {"Inference-Header-Content-Length": str(len(head))}

    make_client(watched).post(path, content=head + raw, headers=length).raise_for_status()

    assert len(raw) > BYTES_ON_THE_LOOP
    assert {is_on_the_loop} == {thread is threading.current_thread() for thread in watched.asked_in}


@pytest.mark.parametrize(("path", "key", "limit"), LIMITS)
@pytest.mark.parametrize("length", ["1", "4000", "99999"])
def test_the_header_of_raw_tensors_brings_no_json_onto_the_loop(
    model: Model, make_client: MakeClient, vector: list[Any], path: str, key: str, limit: int, length: str
) -> None:
    """Whoever sends it with something else than inference gains nothing by it."""
    watched = WatchedModel(model.contract, model.sha256, model.session, [])
    body = to_body(key, [vector] * 2, limit + 1)

    make_client(watched).post(
        path, content=body, headers={"Inference-Header-Content-Length": length}
    ).raise_for_status()

    assert [False] == [thread is threading.current_thread() for thread in watched.asked_in]


@pytest.mark.parametrize("datatype", ["BYTES", "\\u0042YTES"])
def test_raw_texts_are_not_read_on_the_loop(
    model: Model, make_client: MakeClient, vector: list[Any], datatype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them takes time, however the datatype is written; a matrix of them is refused in the worker thread."""
    read_in: list[threading.Thread] = []
    texts = serve.tensors._texts

    def watch(raw: memoryview, here: str) -> list[str]:
        read_in.append(threading.current_thread())
        return texts(raw, here)

    monkeypatch.setattr("serve.tensors._texts", watch)
    count = BYTES_ON_THE_LOOP // 4 + 1
    size = f'"parameters":{{"binary_data_size":{4 * count}}}'
    head = f'{{"inputs":[{{"name":"applicants","datatype":"{datatype}","shape":[{count}],{size}}}]}}'.encode()

    answer = make_client(model).post(
        f"/v2/models/{model.contract.name}/infer",
        content=head + bytes(4 * count),
        headers={"Inference-Header-Content-Length": str(len(head))},
    )

    assert 400 == answer.status_code
    assert read_in
    assert threading.current_thread() not in read_in


def test_a_large_body_leaves_the_loop_free_for_others(model: Model, vector: list[Any]) -> None:
    """While it is scored, /livez is answered."""

    waiting = WaitingModel(model.contract, model.sha256, model.session, threading.Event(), threading.Event())

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(make_app(waiting)), base_url="http://test"
        ) as client:
            body = to_body("data", [vector] * 2, NUMBERS_ON_THE_LOOP + 1)
            batch = asyncio.create_task(client.post("/predict", content=body))
            await asyncio.to_thread(waiting.is_asked.wait, WAIT_SECONDS)
            await client.get("/livez")
            waiting.may_answer.set()
            return await batch

    assert {1.0} == set(asyncio.run(ask()).json())


def test_requests_at_the_same_time_get_each_their_own_answer(model: Model, applicants: Matrix) -> None:
    """Bodies for the loop and for worker threads, all at once: nobody gets another's rows."""
    sizes = [1, 2, 1000, 5, 2000] * 5
    batches = [np.resize(np.roll(applicants, shift, axis=0), (size, 5)) for shift, size in enumerate(sizes)]
    patient = Settings(queue_ms=60_000, queue_bodies=len(sizes))

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(make_app(model, patient))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await asyncio.gather(*(client.post("/predict", json={"data": to_json(batch)}) for batch in batches))

    answers = [response.json() for response in asyncio.run(ask())]

    assert [model.score(batch).probability.tolist() for batch in batches] == answers


def test_home_is_a_page_for_people(client: httpx.Client) -> None:
    """HTML that names the model, how many it learnt from, how good it is, and every route."""
    response = client.get("/")

    assert (200, "text/html; charset=utf-8") == (response.status_code, response.headers["content-type"])
    for words in (
        "test",
        "2026.01.02-abcdef01",
        "400",
        "AUC 0.875",
        "/score",
        "/predict",
        "model",
        "livez",
        "readyz",
    ):
        assert words in response.text


def test_model_tells_the_contract_without_its_golden_rows(client: httpx.Client, model: Model) -> None:
    """Fields, policy and quality, so that a client can build its form from it."""
    answer = client.get("/model").json()

    assert {
        "name",
        "version",
        "sha256",
        "contract_version",
        "trained_at",
        "fields",
        "policy",
        "base_value",
        "metrics",
        "bins",
        "probability_bins",
    } == set(answer)
    assert name_of(model) == {key: answer[key] for key in ("name", "version", "sha256")}
    assert [field.name for field in model.contract.fields] == [field["name"] for field in answer["fields"]]


def test_livez_says_that_the_process_answers(client: httpx.Client) -> None:
    """200 without a look at the model."""
    response = client.get("/livez")

    assert (200, {"status": "alive"}) == (response.status_code, response.json())


def test_readyz_says_which_model_is_ready(client: httpx.Client, model: Model) -> None:
    """200 with name, version and hash."""
    response = client.get("/readyz")

    assert (200, {"status": "ready", "model": name_of(model)}) == (response.status_code, response.json())


def test_an_unknown_path_is_404_as_a_problem(client: httpx.Client) -> None:
    """The path is named, and where to look."""
    response = client.get("/nowhere")

    assert (404, "application/problem+json") == (response.status_code, response.headers["content-type"])
    assert "there is nothing at /nowhere; GET / lists what there is" == response.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/predict", "POST"), ("PUT", "/score", "POST"), ("POST", "/model", "GET")],
)
def test_a_wrong_method_is_405_as_a_problem(client: httpx.Client, method: str, path: str, allowed: str) -> None:
    """The path and the method are named, and Allow lists what would do."""
    response = client.request(method, path)

    assert (405, "application/problem+json") == (response.status_code, response.headers["content-type"])
    assert {allowed} == set(response.headers["allow"].split(", ")) - {"HEAD"}
    assert f"{path} doesn't take {method}, expected {response.headers['allow']}" == response.json()["error"]


@pytest.mark.parametrize(
    ("path", "key", "rows"), [("/predict", "data", 2), ("/score", "applicants", 2), ("/predict", "data", 5000)]
)
def test_a_failure_of_ours_is_500_and_tells_nothing_of_the_inside(
    model: Model, make_client: MakeClient, vector: list[Any], path: str, key: str, rows: int
) -> None:
    """The problem says that the body isn't at fault, and not a word of what failed."""
    client = make_client(BrokenModel(model.contract, model.sha256, model.session))

    response = client.post(path, json={key: [vector] * rows})

    assert (500, "application/problem+json") == (response.status_code, response.headers["content-type"])
    assert "the service failed; the body is not at fault, try again later" == response.json()["error"]
    for word in ("secret", "RuntimeError", "Traceback", "/srv"):
        assert word not in response.text


@pytest.mark.parametrize("settings", [Settings(), Settings(cors_origins=("https://app.test",))], ids=["", "CORS"])
@pytest.mark.parametrize("path", ["/predict", "/v2/models/test/infer"])
def test_a_failure_of_ours_is_a_problem_whichever_way_its_request_took(
    model: Model,
    make_client: MakeClient,
    vector: list[Any],
    caplog: pytest.LogCaptureFixture,
    settings: Settings,
    path: str,
) -> None:
    """Past Starlette or through it; it is logged once, with the id that the answer has."""
    broken = BrokenModel(model.contract, model.sha256, model.session)
    tensor = {"name": "applicants", "shape": [2, 5], "datatype": "FP64", "data": [vector] * 2}
    client = make_client(broken, settings)

    response = client.post(path, json={"data": [vector] * 2} if path == "/predict" else {"inputs": [tensor]})

    assert (500, "urn:problem:internal") == (response.status_code, response.json()["type"])
    assert [f"request {response.json()['request_id']} failed"] == caplog.messages


def test_a_model_put_in_service_while_a_body_arrives_answers_it(model: Model, vector: list[Any]) -> None:
    """Nothing is noted at the one before, which nobody asks for its counts any more."""
    gate = make_app(model)
    before, after = gate.served, Served(model, gate.settings, Ledger())
    sent: list[Message] = []

    async def receive() -> Message:
        gate.served = after
        return {"type": "http.request", "body": json.dumps({"data": [vector]}).encode(), "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(
        gate({"type": "http", "method": "POST", "path": "/predict", "query_string": b"", "headers": []}, receive, send)
    )

    assert 200 == sent[0]["status"]
    assert np.array_equal([vector], after.single.row)
    assert not np.array_equal([vector], before.single.row)


@pytest.mark.parametrize("path", ["/predict", "/score"])
def test_a_client_that_hangs_up_in_its_body_is_no_failure_of_ours(
    model: Model, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is raised, which the server would log, and nothing is sent to nobody."""
    came: Iterator[Message] = iter(
        [{"type": "http.request", "body": b'{"data": [[', "more_body": True}, {"type": "http.disconnect"}]
    )
    sent: list[Message] = []

    async def receive() -> Message:
        return next(came)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": []}
    asyncio.run(make_app(model)(scope, receive, send))

    assert [] == sent
    assert [] == caplog.record_tuples


def test_a_refused_body_leaves_no_trace_in_the_log(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    """Applicants' data stay out of it."""
    client.post("/score", json={"applicants": [{"Amount": "private"}]})

    assert "private" not in caplog.text


def test_the_garbage_collector_passes_over_what_was_loaded(model: Model) -> None:
    """It is off while a service starts, and on when it is there; 1,000 rows that are being read don't wake it."""
    before, ledger = gc.get_threshold(), Ledger(None)

    async def live() -> tuple[bool, int, int]:
        async with _live(make_app(model), ledger):
            return gc.isenabled(), gc.get_freeze_count(), gc.get_threshold()[0]

    gc.disable()
    try:
        is_enabled, frozen, threshold = asyncio.run(live())
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
        gc.enable()

    assert is_enabled
    assert frozen > 0
    assert threshold > 1_000
