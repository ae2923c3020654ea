"""The id column of the table is an id beside `id`; fields that the model does not know are refused or ignored."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from model.dialect import NO_OPTIONS
from serve.schemas.csv import read_csv
from serve.schemas.problems import InvalidApplicants
from serve.schemas.requests import RequestSchemas
from serve.schemas.responses import Fault
from tests.serve.schemas.readers import MAX_ROWS, Fields
from tests.serve.schemas.test_requests import by_cells, by_types, check_same

LOAN = "LOAN_ID"


@pytest.fixture(scope="module")
def schemas(fields: Fields) -> RequestSchemas:
    """The schemas of a model with an id column."""
    return RequestSchemas(fields, MAX_ROWS, LOAN)


@pytest.fixture(scope="module")
def ignoring(fields: Fields) -> RequestSchemas:
    """The same, where unknown fields are ignored."""
    return RequestSchemas(fields, MAX_ROWS, LOAN, ignores_unknown=True)


def ids_of(schemas: RequestSchemas, *applicants: dict[str, Any]) -> list[str | int | None]:
    """The ids of a POST /score."""
    return [*schemas.read_score(json.dumps({"applicants": applicants}).encode(), on_event_loop=False).ids]


def faults_of(schemas: RequestSchemas, applicant: dict[str, Any]) -> list[Fault]:
    """The faults of a POST /score of an applicant."""
    with pytest.raises(InvalidApplicants) as caught:
        ids_of(schemas, applicant)
    return caught.value.faults


def ids_of_table(schemas: RequestSchemas, *columns: tuple[str, str], fields: Fields) -> list[str | int | None]:
    """The ids of a CSV with one row and these columns before those of an applicant."""
    header = ",".join([name for name, _ in columns] + ["Amount,Income,Home,Client,Debt/Income~12m"])
    row = ",".join([cell for _, cell in columns] + ["1,2,own,True,3"])
    return [*read_csv(schemas, f"{header}\n{row}\n".encode(), NO_OPTIONS, on_event_loop=False).ids]


@pytest.mark.parametrize("id", [7, "7", "A-17", None, 7.0])
def test_the_id_column_is_an_id(schemas: RequestSchemas, named: dict[str, Any], id: str | int | None) -> None:
    """It comes back as `id` would; both may be given if they are the same."""
    assert ids_of(schemas, named | {LOAN: id}, named | {"id": id}, named | {"id": id, LOAN: id}) == [id] * 3
    assert ids_of(schemas, named | {"id": id, LOAN: None}, named | {"id": None, LOAN: id}) == [id] * 2


@pytest.mark.parametrize("second", [8, "7", "A"])
def test_two_different_ids_are_refused(schemas: RequestSchemas, named: dict[str, Any], second: str | int) -> None:
    expected = f"the applicant has two ids, 7 and {second!r}; send one, or the same twice"

    assert faults_of(schemas, named | {"id": 7, LOAN: second}) == [Fault(f"/applicants/0/{LOAN}", expected)]


def test_an_id_column_that_is_no_id_is_refused(schemas: RequestSchemas, named: dict[str, Any]) -> None:
    expected = "expected a text or a whole number, got a list"

    assert faults_of(schemas, named | {LOAN: []}) == [Fault(f"/applicants/0/{LOAN}", expected)]


def test_a_field_with_the_name_of_the_id_column_is_a_field(fields: Fields) -> None:
    """Its value goes to the model; `id` is the id."""
    schemas = RequestSchemas(fields[:1], MAX_ROWS, "Amount")

    assert ids_of(schemas, {"Amount": 3}, {"Amount": 3, "id": 4}) == [None, 4]


def test_an_id_column_beside_a_field_named_id_is_the_id(fields: Fields) -> None:
    """The field's value goes to the model."""
    schemas = RequestSchemas([structs.replace(fields[0], name="id")], MAX_ROWS, LOAN)

    assert ids_of(schemas, {"id": 3}, {"id": 3, LOAN: "x"}) == [None, "x"]


@pytest.mark.parametrize("name", ['"', "a\\b", "x y", "field_0", "id_0", "Größe"])
def test_an_id_column_may_have_any_name(fields: Fields, named: dict[str, Any], name: str) -> None:
    assert ids_of(RequestSchemas(fields, MAX_ROWS, name), named | {name: 7}) == [7]


@given(data=st.data())
def test_ids_are_read_the_same_both_ways(
    data: st.DataObject, schemas: RequestSchemas, ignoring: RequestSchemas
) -> None:
    """By the types and value by value, with none, one or two ids, and with unknown fields."""
    applicant: dict[str, Any] = {"Amount": 1, "Client": True, "Debt/Income~12m": 2}
    ids = st.sampled_from([7, 7.0, "7", 8, None, 1.5, True, "A", 10**30, 1e30])
    for name in data.draw(st.sets(st.sampled_from(["id", LOAN])), "names"):
        applicant[name] = data.draw(ids, name)
    if data.draw(st.booleans(), "has unknown"):
        applicant["amount"] = data.draw(st.sampled_from([1, [1], {"a": 1}, {}]), "unknown")

    for chosen in (schemas, ignoring):
        check_same(by_types(chosen, [applicant]), by_cells(chosen, [applicant]))


def test_the_id_column_of_a_table_is_its_id(schemas: RequestSchemas, fields: Fields) -> None:
    """Alone, or beside `id` if it is blank or the same."""
    assert ids_of_table(schemas, (LOAN, "7"), fields=fields) == ["7"]
    assert ids_of_table(schemas, (f" {LOAN} ", " 7 "), ("id", ""), fields=fields) == ["7"]
    assert ids_of_table(schemas, (LOAN, "7"), ("id", "7"), fields=fields) == ["7"]
    assert ids_of_table(schemas, ("other", "7"), fields=fields) == [None]


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ([("id", "7"), (LOAN, "8")], Fault(f"/lines/2/{LOAN}", "the applicant has two ids, '7' and '8'; send one")),
        ([(LOAN, "")], Fault(f"/lines/2/{LOAN}", "missing; expected the id of the row")),
        ([(LOAN, "7"), (LOAN, "7")], Fault("/lines/1", f"the table has 2 columns '{LOAN}'; rename all but one")),
    ],
    ids=["two ids", "blank", "two columns"],
)
def test_an_id_column_that_leaves_the_id_open_is_refused(
    schemas: RequestSchemas, fields: Fields, columns: list[tuple[str, str]], fault: Fault
) -> None:
    with pytest.raises(InvalidApplicants) as caught:
        ids_of_table(schemas, *columns, fields=fields)

    (found,) = caught.value.faults
    assert (found.pointer, found.detail.startswith(fault.detail)) == (fault.pointer, True)


@pytest.mark.parametrize("unknown", [1, "a:b", [1], {"deep": {"er": 1}}, None])
def test_unknown_fields_can_be_ignored(
    ignoring: RequestSchemas, schemas: RequestSchemas, named: dict[str, Any], vector: list[Any], unknown: object
) -> None:
    """In /score and in every shape of /predict."""
    applicant = named | {"amount": unknown, "data": unknown}
    score = json.dumps({"applicants": [applicant | {"id": 7}]}).encode()
    read = ignoring.read_score(score, on_event_loop=False)
    bodies = [
        applicant,
        [applicant],
        {"instances": [applicant]},
        {name: [value] for name, value in applicant.items()},
        {"dataframe_split": {"columns": list(applicant), "data": [list(applicant.values())]}},
    ]

    assert ([list(row) for row in read.rows], list(read.ids)) == ([vector], [7])
    for body in bodies:
        content = json.dumps(body).encode()
        assert [list(row) for row in ignoring.read_predict(content, on_event_loop=False)] == [vector]
        with pytest.raises(InvalidApplicants, match="unknown field; expected one of: Amount, Income"):
            schemas.read_predict(content, on_event_loop=False)


def test_a_misspelt_required_field_is_told_even_if_unknown_fields_are_ignored(
    ignoring: RequestSchemas, named: dict[str, Any]
) -> None:
    misspelt = {name.lower(): value for name, value in named.items()}

    expected = ["/applicants/0/Amount", "/applicants/0/Client", "/applicants/0/Debt~1Income~012m"]

    assert [fault.pointer for fault in faults_of(ignoring, misspelt)] == expected


@pytest.mark.parametrize(
    "body", ['{"applicants": [[1, 2, 0, 0, 3]], "reason": 1}', '{"data": [[1, 2, 0, 0, 3]], "x": 1}']
)
def test_members_beside_the_applicants_are_never_ignored(ignoring: RequestSchemas, body: str) -> None:
    """They are options of the request, not fields."""
    read = ignoring.read_score if "applicants" in body else ignoring.read_predict

    with pytest.raises(InvalidApplicants, match="unknown"):
        read(body.encode(), on_event_loop=False)


def test_duplicates_are_found_among_ignored_fields(ignoring: RequestSchemas, named: dict[str, Any]) -> None:
    """Which of the two counts would be open if it were a field."""
    body = f'{{"applicants": [{json.dumps(named)[:-1]}, "x": 1, "x": 2}}]}}'

    with pytest.raises(InvalidApplicants, match="'x' appears twice"):
        ignoring.read_score(body.encode(), on_event_loop=False)
