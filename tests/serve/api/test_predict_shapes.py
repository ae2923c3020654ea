"""POST /predict over HTTP in every shape: the same probabilities to the bit, and never a status of 500."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from msgspec import structs

from model.session import Matrix, Model
from serve.schemas.shapes import MEMBERS
from serve.settings import Settings
from tests.serve.api.bodies import name_values, to_csv
from tests.serve.schemas.test_shapes import FAULTS, bodies_of

DEEP = 100_000

HOSTILE: list[str] = [
    "[" * DEEP,
    "[" * DEEP + "]" * DEEP,
    '{"Amount": ' * DEEP + "1" + "}" * DEEP,
    '{"inputs": ' * DEEP + "[]" + "}" * DEEP,
    *(f'{{"{member}": {"[" * depth}1{"]" * depth}}}' for member in MEMBERS for depth in (3, 900, 1010)),
    *(f"{'[' * depth}1{']' * depth}" for depth in (2, 3, 900, 1010)),
    '[{"Amount": 1e400}]',
    '{"Amount": -1e400}',
    f'{{"Amount": {"9" * 5000}}}',
    f'{{"columns": ["Amount"], "data": [[{"9" * 5000}]]}}',
    '[{"Amount": NaN}]',
    '{"Amount": [Infinity]}',
    '{"columns": [NaN], "data": [[1]]}',
    '{"Amount": "\\ud800"}',
    '{"\\ud800": 1}',
    "[,]",
    "[1",
    '{"columns": {"a": 1}, "data": {"b": [[]]}}',
    '{"columns": [["Amount"]], "data": [[1]]}',
    '{"columns": [null, {}], "data": [[1, 2]]}',
    '{"columns": ["Amount"], "data": {"Amount": [1]}}',
    '{"data": {"data": {"data": []}}}',
    '{"dataframe_split": {"data": [[1]]}}',
    '{"id": [1, 2]}',
    '{"id": [1, 2], "Amount": [1]}',
    '{"id": [[]], "Amount": [1], "Client": [true], "Debt/Income~12m": [1]}',
    '{"Amount": {}, "Client": {}, "Debt/Income~12m": {}}',
    '{"Amount": [{}], "Client": [[]], "Debt/Income~12m": ["x"]}',
    '{"Amount": [1], "Amount": [1], "Client": [true], "Debt/Income~12m": [1]}',
    '[{"Amount": 1, "Client": true, "Client": true, "Debt/Income~12m": 1}]',
]


def test_the_same_applicants_have_the_same_probabilities_in_every_shape(
    client: httpx.Client, model: Model, applicants: Matrix
) -> None:
    """A list of them, also for one flat object."""
    named = [name_values(row, model.contract.fields) for row in applicants.tolist()]
    expected = model.score(applicants).probability.tolist()

    answers = {shape: client.post("/predict", json=body).json() for shape, body in bodies_of(named).items()}

    assert {shape: answer for shape, answer in answers.items() if answer != expected[: len(answer)]} == {}
    assert {len(answer) for answer in answers.values()} == {1, len(applicants)}


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: body[:30])
def test_a_hostile_body_is_400(client: httpx.Client, body: str) -> None:
    """Deep nesting, numbers beyond float64, NaN, wrong types, mixed lengths, duplicates."""
    answer = client.post("/predict", content=body.encode())

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json()["errors"]


@pytest.mark.parametrize("name", FAULTS)
def test_an_invalid_body_is_400_with_pointers(client: httpx.Client, name: str) -> None:
    answer = client.post("/predict", content=json.dumps(FAULTS[name][0]))

    assert answer.status_code == 400
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer for pointer, _ in FAULTS[name][1]]


@pytest.mark.parametrize("rows", [1, 300, 5_000])
def test_many_applicants_are_read_in_every_shape(
    client: httpx.Client, model: Model, applicants: Matrix, rows: int
) -> None:
    """On the event loop, and in the thread for large bodies."""
    named = [name_values(row, model.contract.fields) for row in applicants.tolist()]
    many = [named[number % len(named)] for number in range(rows)]
    expected = model.score(applicants).probability.tolist()

    for shape, body in bodies_of(many).items():
        if " in " not in shape:
            answer = client.post("/predict", json=body).json()
            assert answer == [expected[number % len(named)] for number in range(len(answer))], shape


def test_the_id_column_of_the_model_is_an_id_at_every_door(
    model: Model, make_client: Callable[..., httpx.Client], named: dict[str, Any]
) -> None:
    """In /score as JSON and CSV, in /applicants and in the OpenAPI document; /predict takes it too."""
    client = make_client(structs.replace(model, contract=structs.replace(model.contract, id="LOAN_ID")))
    more = {"LOAN_ID": 7} | named
    table = to_csv([more]).replace(b"A-17", b"")

    scored = client.post("/score", json={"applicants": [more]}).json()["results"]
    of_table = client.post("/score", content=table, headers={"content-type": "text/csv", "accept": "application/json"})
    rows = client.post("/applicants", content=table, headers={"content-type": "text/csv"}).json()["rows"]
    applicant = client.get("/openapi.json").json()["components"]["schemas"]["Applicant"]

    assert [scored[0]["id"], of_table.json()["results"][0]["id"], rows[0]["id"]] == [7, "7", "7"]
    assert client.post("/predict", json=more).json() == [scored[0]["probability"]]
    assert list(applicant["properties"])[-2:] == ["id", "LOAN_ID"]


def test_unknown_fields_are_ignored_if_the_setting_says_so(
    model: Model, make_client: Callable[..., httpx.Client], named: dict[str, Any]
) -> None:
    """By default they are refused."""
    more = named | {"loan_purpose": "car"}
    bodies = {"/predict": more, "/score": {"applicants": [more]}}
    clients = [make_client(model, Settings(unknown_fields=chosen)) for chosen in ("refuse", "ignore")]

    statuses = [[client.post(path, json=body).status_code for path, body in bodies.items()] for client in clients]

    assert statuses == [[400, 400], [200, 200]]
    schemas = [client.get("/openapi.json").json()["components"]["schemas"] for client in clients]
    assert ["additionalProperties" in one["Applicant"] for one in schemas] == [True, False]
