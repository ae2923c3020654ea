"""Fields may have any name: every request format works, with the same probabilities as for plain names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs
from openapi_spec_validator import OpenAPIV31SpecValidator
from prometheus_client.parser import text_string_to_metric_families
from sklearn.pipeline import Pipeline

from model.contract import ContractError
from model.loading import load_model
from model.session import Matrix, Model
from serve.settings import Settings
from tests.serve.api.bodies import name_values, to_csv, to_field_tensors, to_json
from train.export import draw_reference, export
from train.readers.describe import describe

MakeClient = Callable[..., httpx.Client]

QUIET = Settings(log_level="warning")

NAMES = {
    "quotes": ['"', 'a "b" c', "'", '""', "`"],
    "backslashes": ["\\", "a\\b", "\\\\", '\\"', "\\n"],
    "line breaks": ["a\nb", "a\r\nb", "c\nd", "a\rb", "a\n\nb\u2028c"],
    "tabs": ["a\tb", "a\x0bb", "a\x0cb", "\x1b[0m", "\x7f"],
    "blanks around them": [" a", "b ", "  c  ", "\td", "e\u00a0"],
    "other scripts": ["Größe", "收入", "доход", "الدخل", "💰 income"],
    "300 characters": ["x" * 300, "y" * 299 + '"', "ü" * 300, "\n" * 300, "a b " * 75],
    "delimiters": ["a;b;c;d;e;f;g;h", "a,b", ";", ",", "a;b,c\n;"],
    "JSON": ["{", "[]", ":", '":"', "null"],
    "pointers": ["/", "~", "~1", "/a~0/b", "a/b"],
    "patterns": ["{name}", "%s", "{{data}}", "$ref", "</script>"],
    "names of the API": ["id", "applicants", "data", "reasons", "inputs"],
    "names of the types": ["field_1", "field_0", "field_4", "field_2", "field_3"],
    "id, with a quote beside it": ["id", '"', "a", "b", "c"],
}

names = st.lists(
    (st.text(max_size=8) | st.text("\";,\\\n\r\t' idé漢{}.[]`$~/:", max_size=4)).filter(
        lambda name: name.strip() and "\0" not in name and (name == "id" or name.strip() != "id")
    ),
    min_size=5,
    max_size=5,
    unique_by=str.strip,
)
"""Any five names that a table can have: different from each other, and from the id, without blanks, and not empty."""


def rename(model: Model, names: Sequence[str]) -> Model:
    """The model with other field names in its contract."""
    fields = [structs.replace(field, name=name) for field, name in zip(model.contract.fields, names, strict=True)]
    return structs.replace(model, contract=structs.replace(model.contract, fields=tuple(fields)))


def ask_in_every_way(client: httpx.Client, model: Model, rows: Matrix) -> dict[str, Any]:
    """Request format → the probabilities that it gives."""
    fields = model.contract.fields
    named = [name_values(row, fields) for row in rows.tolist()]
    json_of_csv = {"content-type": "text/csv", "accept": "application/json"}
    scored = {
        "by name": client.post("/score", json={"applicants": named}),
        "by vector": client.post("/score", json={"applicants": to_json(rows)}),
        "CSV": client.post("/score", content=to_csv(named), headers=json_of_csv),
        "CSV with semicolons": client.post("/score", content=to_csv(named, ";"), headers=json_of_csv),
    }
    inferred = client.post("/v2/models/test/infer", json=to_field_tensors(named, fields))
    return {way: [one["probability"] for one in answer.json()["results"]] for way, answer in scored.items()} | {
        "infer": inferred.json()["outputs"][0]["data"],
        "predict": client.post("/predict", json={"data": to_json(rows)}).json(),
        "records": client.post("/predict", json=named).json(),
        "columns": client.post("/predict", json={name: [one[name] for one in named] for name in named[0]}).json(),
    }


@pytest.fixture(params=NAMES.values(), ids=list(NAMES))
def renamed(request: pytest.FixtureRequest, model: Model) -> Model:
    """The model with each kind of unusual names."""
    return rename(model, request.param)


def test_every_request_format_takes_any_name(
    renamed: Model, model: Model, make_client: MakeClient, applicants: Matrix
) -> None:
    """JSON, CSV and tensors give exactly the probabilities of plain names."""
    expected = model.score(applicants).probability.tolist()

    answers = ask_in_every_way(make_client(renamed, QUIET), renamed, applicants)

    assert answers == dict.fromkeys(answers, expected)


@settings(max_examples=30)
@given(names=names)
def test_every_request_format_takes_random_names(
    names: list[str], model: Model, make_client: MakeClient, applicants: Matrix
) -> None:
    """The same for five random names."""
    renamed, rows = rename(model, names), applicants[:3]

    answers = ask_in_every_way(make_client(renamed, QUIET), renamed, rows)

    assert answers == dict.fromkeys(answers, model.score(rows).probability.tolist())


@pytest.mark.parametrize("name", ["a ", "a\0"], ids=ascii)
def test_a_name_that_no_table_can_have_is_refused(model: Model, make_client: MakeClient, name: str) -> None:
    """At the start: the same as another but for blanks, or with a zero byte."""
    with pytest.raises(ContractError, match="the model file can't be served"):
        make_client(rename(model, ["a", name, "c", "d", "e"]), QUIET)


def test_the_openapi_document_has_the_names(renamed: Model, make_client: MakeClient) -> None:
    """The document is valid, names every field in order, and its example is answered."""
    client = make_client(renamed, QUIET)
    names = [field.name for field in renamed.contract.fields]

    document = client.get("/openapi.json").json()

    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    applicant = document["components"]["schemas"]["Applicant"]
    assert [name for name in applicant["properties"] if name != "id" or "id" in names] == names
    assert applicant["required"] == [field.name for field in renamed.contract.fields if not field.nullable]
    example = document["paths"]["/score"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert set(example["applicants"][0]) == {"id", *names}
    assert client.post("/score", json=example).status_code == 200


def test_model_pages_and_metrics_have_the_names(renamed: Model, make_client: MakeClient) -> None:
    """GET /model, the home page and GET /metrics work with any name."""
    client = make_client(renamed, QUIET)
    names = [field.name for field in renamed.contract.fields]

    told = [field["name"] for field in client.get("/model").json()["fields"]]
    families = text_string_to_metric_families(client.get("/metrics").text)
    counted = {
        sample.labels["field"]
        for family in families
        for sample in family.samples
        if sample.name == "credit_missing_values_total"
    }

    assert told == names
    assert counted == set(names)
    assert [client.get(path).status_code for path in ("/", "/docs")] == [200, 200]


def test_faults_reasons_and_warnings_have_the_names(renamed: Model, make_client: MakeClient) -> None:
    """The pointer of a fault is escaped as RFC 6901 says and never truncated."""
    client, fields = make_client(renamed, QUIET), renamed.contract.fields
    right = name_values([200.0, -1.0, 1.0, 0.0, 3.0], fields)

    faults = client.post("/score", json={"applicants": [right | {fields[0].name: "x"}]}).json()["errors"]
    (result,) = client.post("/score", json={"applicants": [right]}).json()["results"]

    escaped = fields[0].name.replace("~", "~0").replace("/", "~1")
    assert [fault["pointer"] for fault in faults] == [f"/applicants/0/{escaped}"]
    assert [warning["field"] for warning in result["warnings"]] == [fields[at].name for at in (0, 1, 4)]
    assert {reason["field"] for reason in result["reasons"]} <= {field.name for field in fields}
    assert result["reasons"]


@pytest.mark.parametrize("kind", ["quotes", "backslashes", "line breaks", "300 characters", "names of the API"])
def test_a_model_is_exported_and_loaded_with_any_names(
    kind: str, model: Model, pipeline: Pipeline, training_rows: Matrix, make_client: MakeClient, applicants: Matrix
) -> None:
    """The exported file passes its self-test."""
    contract = rename(model, NAMES[kind]).contract
    loaded = load_model(export(describe(pipeline), contract, draw_reference(training_rows, 5)))

    answers = ask_in_every_way(make_client(loaded, QUIET), loaded, applicants)

    assert [field.name for field in loaded.contract.fields] == NAMES[kind]
    assert answers == dict.fromkeys(answers, model.score(applicants).probability.tolist())
    assert msgspec.json.decode(make_client(loaded, QUIET).get("/openapi.json").content)["openapi"] == "3.1.0"
