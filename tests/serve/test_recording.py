"""The service with DECISIONS_URL, as a real process: each answer names its decisions, which are on record exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pytest

from decisions.record import DecisionPayload, Record
from decisions.store import open_store
from model.policy import DECISIONS
from model.session import Matrix, Model
from tests.decisions.samples import assert_whole, read_records
from tests.serve.files import with_contract
from tests.serve.running import SERVE, Connection, Service, request, running, wait_until

KEY = "0123456789abcdef-web"

POISON = ["plain", 7, "7", -(2**63) - 1, 10**30, "", "a\0b", "\\u0000", "x" * 10_000, "é😀", "%(id)s :id \x7f\u2028"]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The DECISIONS_URL of an empty database, of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/decisions.db"
    found: str = request.getfixturevalue("postgresql_url")
    return found


@pytest.fixture
def service(content: bytes, url: str, tmp_path: Path) -> Iterator[Service]:
    """The service, which asks for a key called "web"."""
    with running(tmp_path, content, SERVE, DECISIONS_URL=url, API_KEYS=f"web={KEY}") as started:
        yield started


def ask(service: Service, path: str, body: Any, *more: str) -> Any:
    """POST with the key and the request id "r-1"; the answer must be 200."""
    with Connection(service.port) as connection:
        connection.send(request("POST", path, body, f"X-API-Key: {KEY}", "X-Request-ID: r-1", *more))
        answer = connection.read()
    assert answer.status == 200, answer.body
    return answer


def find(url: str) -> dict[str, Record]:
    """All records by id; they must be one whole chain."""
    store = open_store(url, create=False)
    records = read_records(store)
    ((viewed,),) = store.query("SELECT count(inputs) FROM decisions")
    store.close()
    if records:
        assert_whole(records)
    assert viewed == len(records)
    return {record.id: record for record in records}


def assert_recorded(
    url: str, model: Model, ids: list[str], applicants: Matrix, given_ids: list[Any], reasons: int
) -> None:
    """Fail unless exactly these decisions are on record: inputs, probability, decision and points to the bit."""
    scores = model.score(applicants, explain=False)
    points = model.contract.policy.score_points(scores.probability).tolist()
    found = find(url)
    assert list(found) == ids
    for row, record in enumerate(found.values()):
        payload = msgspec.json.decode(record.payload or "", type=DecisionPayload)
        inputs = [np.nan if value is None else value for value in payload.inputs]
        assert np.array_equal(inputs, applicants[row], equal_nan=True)
        assert payload.id == given_ids[row]
        assert (record.kind, record.request_id, record.key, record.model) == ("decision", "r-1", "web", model.sha256)
        assert (record.probability, record.points) == (float(scores.probability[row]), points[row])
        assert (record.decision, record.reasons) == (DECISIONS[int(scores.decision[row])], reasons)


def name_values(model: Model, row: list[float]) -> dict[str, Any]:
    """An applicant by name; a missing value is null."""
    return {
        field.name: None if np.isnan(value) else field.levels[int(value)] if field.kind == "category" else value
        for field, value in zip(model.contract.fields, row, strict=True)
    }


def consecutive(first: str, count: int) -> list[str]:
    """The ids of a request, from its header."""
    return [str(UUID(int=UUID(first).int + k)) for k in range(count)]


@pytest.mark.parametrize("rows", [1, 64])
def test_score_names_its_decisions(service: Service, url: str, model: Model, applicants: Matrix, rows: int) -> None:
    """POST /score: `decision_id` of each result; the header has the first; missing inputs are on record as missing."""
    named = [name_values(model, row) for row in applicants[:rows].tolist()]
    body = {"applicants": [{"id": f"A-{k}", **one} for k, one in enumerate(named)], "reasons": 2}

    answer = ask(service, "/score", body)

    ids = [result["decision_id"] for result in answer.json["results"]]
    assert ids == consecutive(answer.headers["x-decision-id"], rows)
    assert_recorded(url, model, ids, applicants[:rows], [f"A-{k}" for k in range(rows)], 2)


def test_csv_names_its_decisions(service: Service, url: str, model: Model, applicants: Matrix) -> None:
    """POST /score as CSV: the column decision_id; ids of a table are texts."""
    rows = [name_values(model, row) for row in applicants[:3].tolist()]
    lines = [
        ["id", *rows[0]],
        *([f"{k}", *("" if v is None else str(v) for v in row.values())] for k, row in enumerate(rows)),
    ]
    body = "\n".join(",".join(line) for line in lines).encode()

    answer = ask(service, "/score", body, "Content-Type: text/csv")

    head, *results = [line.split(",") for line in answer.body.decode().splitlines()]
    ids = [result[head.index("decision_id")] for result in results]
    assert ids == consecutive(answer.headers["x-decision-id"], 3)
    assert_recorded(url, model, ids, applicants[:3], [result[0] for result in results], 4)


@pytest.mark.parametrize("rows", [1, 64])
def test_predict_names_its_decisions(service: Service, url: str, model: Model, applicants: Matrix, rows: int) -> None:
    """POST /predict keeps its body; the header names the decisions."""
    data = [[None if np.isnan(value) else value for value in row] for row in applicants[:rows].tolist()]

    answer = ask(service, "/predict", {"data": data})

    assert answer.json == model.score(applicants[:rows]).probability.tolist()
    ids = consecutive(answer.headers["x-decision-id"], rows)
    assert_recorded(url, model, ids, applicants[:rows], [None] * rows, 0)


@pytest.mark.parametrize("is_binary", [False, True], ids=["JSON", "binary"])
def test_inference_names_its_decisions(
    service: Service, url: str, model: Model, applicants: Matrix, is_binary: bool
) -> None:
    """POST /v2/…/infer: a parameter of the response."""
    rows = np.nan_to_num(applicants[:5])
    tensor: dict[str, Any] = {"name": "applicants", "shape": list(rows.shape), "datatype": "FP64"}
    outputs: list[dict[str, Any]] = [{"name": "probability"}]
    path, more = f"/v2/models/{model.contract.name}/infer", []
    if is_binary:
        tensor["parameters"] = {"binary_data_size": rows.nbytes}
        outputs[0]["parameters"] = {"binary_data": True}
        head = json.dumps({"inputs": [tensor], "outputs": outputs}).encode()
        body: Any = head + rows.astype("<f8").tobytes()
        more = [f"Inference-Header-Content-Length: {len(head)}", "Content-Type: application/octet-stream"]
    else:
        body = {"inputs": [{**tensor, "data": rows.ravel().tolist()}], "outputs": outputs}

    answer = ask(service, path, body, *more)

    length = int(answer.headers.get("inference-header-content-length", len(answer.body)))
    first = json.loads(answer.body[:length])["parameters"]["decision_id"]
    assert first == answer.headers["x-decision-id"]
    assert_recorded(url, model, consecutive(first, 5), rows, [None] * 5, 0)


def test_ids_of_any_kind_are_recorded_as_given(service: Service, url: str, named: dict[str, Any]) -> None:
    """One after the other and in one body."""
    for applicants in [[one] for one in POISON] + [POISON]:
        answer = ask(service, "/score", {"applicants": [{"id": one, **named} for one in applicants]})
        assert [result["id"] for result in answer.json["results"]] == applicants

    found = [msgspec.json.decode(record.payload or "", type=DecisionPayload).id for record in find(url).values()]
    assert found == POISON + POISON


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udc00\\ud800"', "1" * 5_000, "true", "[1]"])
def test_an_id_that_cannot_be_recorded_is_the_clients_fault(
    service: Service, url: str, named: dict[str, Any], text: str
) -> None:
    """400, and nothing is on record; also of the other applicants of the body."""
    others = json.dumps({"id": "other", **named})
    body = f'{{"applicants":[{others},{{"id":{text},{json.dumps(named)[1:]}]}}'.encode()

    with Connection(service.port) as connection:
        connection.send(request("POST", "/score", body, f"X-API-Key: {KEY}"))
        answer = connection.read()

    assert answer.status == 400
    assert find(url) == {}


def test_an_invalid_body_and_a_wrong_key_are_not_recorded(service: Service, url: str, named: dict[str, Any]) -> None:
    """Nothing was decided."""
    statuses = [
        service.ask("POST", "/score", {"applicants": [named]}).status_code,
        service.ask("POST", "/score", {"applicants": [{"Amount": 1}]}, x_api_key=KEY).status_code,
        service.ask("POST", "/predict", {"data": []}, x_api_key=KEY).status_code,
    ]

    assert statuses == [401, 400, 400]
    assert find(url) == {}


def test_a_client_that_leaves_harms_no_other(service: Service, url: str, vector: list[Any]) -> None:
    """What it asked for may be on record; the others' decisions are, once."""
    for _ in range(20):
        with Connection(service.port) as impatient:
            impatient.send(request("POST", "/predict", {"data": [vector]}, f"X-API-Key: {KEY}"))

    first = ask(service, "/predict", {"data": [vector]}).headers["x-decision-id"]

    assert 1 <= len(find(url)) <= 21
    assert first in find(url)


def test_a_reloaded_model_is_kept_beside_the_first(
    service: Service, url: str, content: bytes, vector: list[Any]
) -> None:
    """Each record names the file that decided."""
    before = ask(service, "/predict", {"data": [vector]}).headers["x-decision-id"]
    service.replace_model(with_contract(content, version="2026.02.03-12345678"))
    wait_until(lambda: service.version() == "2026.02.03-12345678")
    after = ask(service, "/predict", {"data": [vector]}).headers["x-decision-id"]

    store = open_store(url)
    versions = dict(store.query("SELECT decisions.id, version FROM decisions JOIN models ON sha256 = model_sha256"))
    store.close()
    assert versions == {before: "2026.01.02-abcdef01", after: "2026.02.03-12345678"}


def test_readiness_and_metrics_show_the_recording(service: Service, vector: list[Any]) -> None:
    """Counts, the lag, and the durations of commits."""
    for _ in range(3):
        ask(service, "/predict", {"data": [vector, vector]})

    ready = service.ask("GET", "/readyz").json()
    metrics = service.metrics(x_api_key=KEY)

    assert ready["decisions"] == {"is_connected": True, "waiting": 0, "spooled": 0}
    assert metrics["credit_decisions_recorded_total"] == 6
    assert metrics["credit_decisions_not_recorded_total"] == 0
    assert metrics["credit_decisions_waiting"] == metrics["credit_decisions_spooled"] == 0
    assert metrics["credit_decisions_connected"] == 1
    assert metrics["credit_decisions_commit_seconds_count"] == 3


def test_without_a_database_nothing_is_answered(content: bytes, vector: list[Any], tmp_path: Path) -> None:
    """503 with a problem that doesn't name the database, which the log does; other endpoints answer."""
    url = "postgresql://user:SECRET@127.0.0.1:1/records"
    with running(tmp_path, content, SERVE, health="/livez", DECISIONS_URL=url) as service:
        answer = service.ask("POST", "/predict", {"data": [vector]})
        ready, live, model = (service.ask("GET", path).status_code for path in ("/readyz", "/livez", "/model"))
        metrics = service.metrics()
        log = service.log.read_text()

    assert (answer.status_code, ready, live, model) == (503, 503, 200, 200)
    assert "x-decision-id" not in answer.headers
    assert "postgresql" not in answer.text
    assert "can't be used" in log
    assert "SECRET" not in log + answer.text
    assert (metrics["credit_decisions_connected"], metrics["credit_decisions_not_recorded_total"]) == (0, 1)


def test_a_service_without_recording_does_not_know_of_it(
    content: bytes, named: dict[str, Any], vector: list[Any], tmp_path: Path
) -> None:
    """Neither header nor member nor metric; tests/serve/test_imports.py has the imports."""
    with running(tmp_path, content) as service:
        score = service.ask("POST", "/score", {"applicants": [{"id": "A", **named}]})
        predict = service.ask("POST", "/predict", {"data": [vector]})
        ready = service.ask("GET", "/readyz")
        metrics = service.metrics()

    assert "decision" in score.json()["results"][0]
    assert "decision_id" not in score.text
    assert all("x-decision-id" not in answer.headers for answer in (score, predict))
    assert set(ready.json()) == {"status", "model"}
    assert not [name for name in metrics if name.startswith("credit_decisions_") and name != "credit_decisions_total"]
