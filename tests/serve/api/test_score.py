"""POST /score and POST /predict over HTTP: answers and refusals."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from model.contract import Field
from model.policy import DECISIONS
from model.session import Matrix, Model
from serve.schemas.csv import list_columns
from serve.settings import Settings
from tests.serve.api.bodies import name_values, to_json

MakeClient = Callable[..., httpx.Client]

CSV = {"content-type": "text/csv"}


def test_predict_answers_one_probability_a_row(client: httpx.Client, model: Model, applicants: Matrix) -> None:
    """{"data": [[…], …]} gives 200 and a JSON list of floats, in order."""
    response = client.post("/predict", json={"data": to_json(applicants)})

    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.json() == model.score(applicants).probability.tolist()


def test_predict_answers_a_single_row_with_a_list_of_one(client: httpx.Client, vector: list[Any]) -> None:
    """The answer is a list even for one applicant."""
    (probability,) = client.post("/predict", json={"data": [vector]}).json()

    assert isinstance(probability, float)
    assert 0 < probability < 1


def test_predict_needs_no_content_type(client: httpx.Client, vector: list[Any]) -> None:
    """JSON without a Content-Type is accepted."""
    response = client.post("/predict", content=f'{{"data": [{vector}]}}', headers={"content-type": "text/plain"})

    assert response.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nonsense",
        "{}",
        "null",
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
def test_predict_refuses_an_invalid_body_with_a_problem(client: httpx.Client, body: str) -> None:
    """400, application/problem+json, with the message in `error` too."""
    response = client.post("/predict", content=body)

    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    problem = response.json()
    assert set(problem) == {"type", "title", "status", "detail", "error", "errors", "request_id"}
    assert problem["request_id"] == response.headers["x-request-id"]
    assert (problem["status"], problem["type"]) == (400, "urn:problem:invalid-applicants")
    assert problem["error"] == problem["detail"]


def test_a_problem_names_every_fault_with_its_place(client: httpx.Client, named: dict[str, Any]) -> None:
    """Each has a JSON pointer and what was expected; the summary has the first fault and their number."""
    body = {"applicants": [{**named, "Home": "castle"}, {**named, "Debt/Income~12m": "x"}]}

    problem = client.post("/score", json=body).json()

    assert problem["errors"] == [
        {"pointer": "/applicants/0/Home", "detail": "expected one of: own, rent, other, got 'castle'"},
        {"pointer": "/applicants/1/Debt~1Income~012m", "detail": "expected a number, got 'x'"},
    ]
    assert problem["error"] == "/applicants/0/Home: expected one of: own, rent, other, got 'castle' (and 1 more)"


def test_score_answers_each_applicant_and_names_the_model(
    client: httpx.Client, model: Model, named: dict[str, Any]
) -> None:
    """Id as given, probability, decision, points and warnings; name, version and hash of the model."""
    scores = model.score(np.array([[145.5, np.nan, 1.0, 1.0, 0.75]]))
    body = {"applicants": [{**named, "id": "A-17", "Amount": 145.5, "Income": None}], "reasons": 0}

    response = client.post("/score", json=body)

    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    expected = {
        "id": "A-17",
        "probability": scores.probability.item(),
        "decision": DECISIONS[scores.decision.item()],
        "points": int(model.contract.policy.score_points(scores.probability.item())),
        "reasons": [],
        "warnings": [
            {
                "field": "Amount",
                "detail": "Amount of the loan is 145.5 EUR, above the documented maximum of 100",
            },
            {"field": "Income", "detail": "Income: missing"},
        ],
    }
    name = {"name": "test", "version": "2026.01.02-abcdef01", "sha256": model.sha256}
    assert response.json() == {"results": [expected], "model": name}


def test_every_decision_is_given_as_its_word(client: httpx.Client, model: Model, applicants: Matrix) -> None:
    """accept, review or refuse, as the model decided."""
    expected = [DECISIONS[decision] for decision in model.score(applicants).decision]

    results = client.post("/score", json={"applicants": to_json(applicants)}).json()["results"]

    assert set(expected) == set(DECISIONS)
    assert [result["decision"] for result in results] == expected


def test_the_same_applicants_get_the_same_answer_by_name_by_vector_and_by_predict(
    client: httpx.Client, applicants: Matrix, fields: tuple[Field, ...]
) -> None:
    """Exactly the same probabilities."""
    by_name = {"applicants": [name_values(row, fields) for row in applicants.tolist()]}
    by_vector = {"applicants": to_json(applicants)}

    predicted = client.post("/predict", json={"data": to_json(applicants)}).json()
    named, vectors = (client.post("/score", json=body).json()["results"] for body in (by_name, by_vector))

    assert vectors == named
    assert [result["probability"] for result in named] == predicted


@pytest.mark.parametrize("accept", ["", "application/json", "text/csv", "text/csv, application/problem+json"])
def test_csv_is_answered_as_csv_unless_json_is_accepted(client: httpx.Client, model: Model, accept: str) -> None:
    """An Accept header with JSON gives JSON."""
    table = "Amount,Income,Home,Client,Debt/Income~12m\n1,,,True,1\n"

    response = client.post("/score", content=table, headers={**CSV, "accept": accept})

    if "json" in accept:
        assert response.json()["results"][0]["id"] is None
    else:
        assert response.text.partition("\r\n")[0].split(",") == list_columns(model.contract.policy)


@pytest.mark.parametrize("type", ["text/csv", "Text/CSV; charset=utf-8; header=present"])
def test_csv_is_recognised_by_its_content_type(client: httpx.Client, type: str) -> None:
    """With or without parameters, in any case."""
    table = "Amount,Income,Home,Client,Debt/Income~12m\n1,,,True,1\n"

    answers = [client.post("/score", content=table, headers={"content-type": one}) for one in (type, "text/plain")]

    assert [answer.status_code for answer in answers] == [200, 400]


@pytest.mark.parametrize("path", ["/score", "/predict", "/v2/models/test/infer", "/score as CSV"])
def test_a_byte_order_mark_before_a_body_is_ignored(client: httpx.Client, path: str, vector: list[Any]) -> None:
    """Two of them are 400."""
    bodies = {
        "/score": '{"applicants": [VECTOR]}',
        "/predict": '{"data": [VECTOR]}',
        "/v2/models/test/infer": '{"inputs":[{"name":"applicants","shape":[1,5],"datatype":"FP64","data":VECTOR}]}',
        "/score as CSV": "Amount,Income,Home,Client,Debt/Income~12m\n45.5,320,rent,True,0.75\n",
    }
    body = bodies[path].replace("VECTOR", str(vector)).encode()
    headers = CSV if path.endswith("CSV") else {}

    plain, marked, twice = (
        client.post(path.split()[0], content=content, headers=headers)
        for content in (body, BOM_UTF8 + body, BOM_UTF8 * 2 + body)
    )

    assert [answer.status_code for answer in (plain, marked, twice)] == [200, 200, 400]
    assert marked.content == plain.content


@pytest.mark.parametrize("path", ["/predict", "/score", "/score as CSV", "/v2/models/test/infer"])
@pytest.mark.parametrize(("rows", "status"), [(3, 200), (4, 413)])
def test_the_limit_of_rows_holds_on_every_path(
    model: Model, make_client: MakeClient, vector: list[Any], path: str, rows: int, status: int
) -> None:
    """MAX_ROWS applicants are answered, and one more is 413 with both numbers."""
    client = make_client(model, Settings(max_rows=3))
    if path.endswith("CSV"):
        table = "Amount,Income,Home,Client,Debt/Income~12m\n" + "1,,,True,1\n" * rows
        response = client.post("/score", content=table, headers=CSV)
    else:
        tensor = {"name": "applicants", "shape": [rows, 5], "datatype": "FP64", "data": [vector] * rows}
        key, content = {"/predict": ("data", vector), "/score": ("applicants", vector)}.get(path, ("inputs", tensor))
        response = client.post(path, json={key: [content] * (1 if key == "inputs" else rows)})

    assert response.status_code == status
    if status == 413:
        assert "too many applicants: got 4 rows, expected at most 3 rows" in response.json()["detail"]


def test_a_refused_body_leaves_no_trace_in_the_log(
    client: httpx.Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The log holds no value of a refused body."""
    client.post("/score", json={"applicants": [{"Amount": "private"}]})

    assert "private" not in caplog.text
    assert "private" not in capfd.readouterr().out
