"""The shapes of POST /predict: the same applicants in each are the same matrix; all else is refused at its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from model.contract import Field
from model.session import Matrix
from serve.schemas.applicants import find_faults
from serve.schemas.limits import MAX_EVENT_LOOP_CELLS, MAX_EVENT_LOOP_JSON_BYTES, Offload
from serve.schemas.problems import HTTPProblem, InvalidApplicants
from serve.schemas.requests import RequestSchemas, to_matrix
from serve.schemas.responses import Fault
from serve.schemas.shapes import MEMBERS
from tests.serve.schemas.readers import MAX_ROWS, PREDICT, Fields, faults_of
from tests.serve.schemas.test_applicants import cells_of, json_values

Applicants = list[dict[str, Any]]


def by_columns(applicants: Applicants) -> dict[str, list[Any]]:
    """The values of each field."""
    return {name: [one[name] for one in applicants] for name in applicants[0]}


def split(applicants: Applicants) -> dict[str, Any]:
    """Pandas' split orient."""
    rows = [list(one.values()) for one in applicants]
    return {"index": [*range(len(rows))], "columns": list(applicants[0]), "data": rows}


SHAPES: dict[str, Callable[[Applicants], Any]] = {
    "records": lambda applicants: applicants,
    "rows": lambda applicants: [list(one.values()) for one in applicants],
    "records and rows": lambda applicants: [applicants[0], *(list(one.values()) for one in applicants[1:])],
    "columns": by_columns,
    "columns by row": lambda applicants: {
        name: {f"row {n}": value for n, value in enumerate(column)} for name, column in by_columns(applicants).items()
    },
    "split": split,
}
WHOLE = {"one object": lambda applicants: applicants[0], **SHAPES}
"""The object is the first applicant alone."""


def read(body: Any, fields: Sequence[Field], **options: Any) -> Matrix:
    """The matrix of a body of POST /predict."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    schemas = RequestSchemas(fields, MAX_ROWS, **options)
    return to_matrix(schemas.read_predict(content, on_event_loop=False), len(fields))


def bodies_of(applicants: Applicants) -> dict[str, Any]:
    """Every shape, alone and in each member."""
    found = {}
    for shape, make in WHOLE.items():
        content = make(applicants)
        found[shape] = content
        found |= {f"{shape} in {member}": {member: content} for member in MEMBERS}
    return found


def check_every_shape(applicants: Applicants, matrix: Matrix, fields: Sequence[Field]) -> None:
    """Every shape of the applicants gives their matrix, to the bit."""
    for shape, body in bodies_of(applicants).items():
        rows = 1 if shape.startswith("one object") else len(applicants)
        assert read(body, fields).tobytes() == matrix[:rows].tobytes(), shape


@given(data=st.data())
def test_the_same_applicants_are_the_same_matrix_in_every_shape(data: st.DataObject, fields: Fields) -> None:
    """Random valid values, null too."""
    drawn = [
        [data.draw(cells_of(field, by_index=False), field.name) for field in fields]
        for _ in range(data.draw(st.integers(1, 3), "rows"))
    ]
    applicants = [{field.name: value for field, (value, _) in zip(fields, row, strict=True)} for row in drawn]

    check_every_shape(applicants, np.array([[cell for _, cell in row] for row in drawn]), fields)


@pytest.mark.parametrize(
    "names",
    [
        ["data", "instances", "columns", "index", "inputs"],
        ["columns", "data", "Home", "Client", "Debt"],
        ["data", "Income", "Home", "Client", "Debt"],
        ["Amount", "columns", "Home", "Client", "Debt"],
        ["dataframe_split", "dataframe_records", "id", "data", "index"],
        ["0", "1", "row 0", '"', "a/b~c"],
    ],
    ids="-".join,
)
def test_a_field_may_have_the_name_of_a_member(fields: Fields, names: list[str]) -> None:
    """The model's fields decide what an object means."""
    renamed = [structs.replace(field, name=name) for field, name in zip(fields, names, strict=True)]
    matrix = np.array([[45.5, 320, 1, 1, 0.75], [45.5, np.nan, 0, 0, 2]])
    applicants = [
        dict(zip(names, row, strict=True)) for row in ([45.5, 320, "rent", True, 0.75], [45.5, None, "own", False, 2])
    ]

    check_every_shape(applicants, matrix, renamed)


@pytest.mark.parametrize("name", ["data", "instances", "columns"])
def test_the_only_field_may_have_the_name_of_a_member(fields: Fields, name: str) -> None:
    """One value, a column of values, a row and a record are told apart."""
    only = [structs.replace(fields[0], name=name)]
    bodies = [{name: 3}, {name: [3]}, {name: {"0": 3}}, [{name: 3}], [[3]], {"data": [[3]]}, {"instances": [{name: 3}]}]

    assert [read(body, only).tolist() for body in bodies] == [[[3.0]]] * len(bodies)


def test_booleans_are_numbers_or_the_levels_of_their_words(fields: Fields, named: dict[str, Any]) -> None:
    """True and false are 1 and 0 of a number, True and False of a category with these levels; never an index."""
    given = named | {"Amount": True, "Income": False}

    assert read(given, fields).tolist() == [[1.0, 0.0, 1.0, 1.0, 0.75]]
    assert read({"data": [[True, False, "rent", False, 1]]}, fields).tolist() == [[1.0, 0.0, 1.0, 0.0, 1.0]]
    assert [fault.pointer for fault in faults_of(PREDICT, json.dumps(named | {"Home": True}).encode(), fields)] == [
        "/Home"
    ]


@pytest.mark.parametrize("value", [3, 3.0, "3"])
def test_a_level_that_is_a_whole_number_may_be_a_number_by_name(fields: Fields, value: object) -> None:
    """It is never taken for an index, which a row of values has."""
    field = structs.replace(fields[2], name="Rooms", levels=("1", "3", "2"))

    assert read({"Rooms": value}, [field]).tolist() == [[1.0]]
    assert read({"Rooms": [value]}, [field]).tolist() == [[1.0]]
    assert read([[2]], [field]).tolist() == [[2.0]]


@pytest.mark.parametrize("value", [0, 4, 1.5, -1, 1e300, 10**20])
def test_another_number_is_no_level(fields: Fields, value: object) -> None:
    field = structs.replace(fields[2], name="Rooms", levels=("1", "3", "2", "1e+300", str(10**20)))

    with pytest.raises(InvalidApplicants, match="/Rooms: expected one of: 1, 3, 2"):
        read({"Rooms": value}, [field])


AMOUNT, REST = {"Amount": 1}, {"Client": True, "Debt/Income~12m": 1}

FAULTS: dict[str, tuple[Any, list[tuple[str, str]]]] = {
    "null": (None, [("", "got null")]),
    "a text": ("data", [("", "got 'data'")]),
    "an empty list": ([], [("", "expected at least one applicant, got an empty list")]),
    "an empty list in a member": ({"instances": []}, [("/instances", "expected at least one applicant")]),
    "an empty object": ({}, [("", "with none of the model's fields (Amount, Income, Home, Client, Debt/Income~12m)")]),
    "an empty object in a member": ({"inputs": {}}, [("/inputs", "with none of the model's fields")]),
    "another member": ({"rows": [[1, 2, 0, 0, 3]]}, [("", "one of the members data, instances, inputs")]),
    "two members": ({"data": [[1, 2, 0, 0, 3]], "inputs": []}, [("/inputs", "expected none beside data")]),
    "a member and a field": (
        {"data": [[1, 2, 0, 0, 3]], **AMOUNT, **REST},
        [("/data", "unknown field; expected one of: Amount, Income")],
    ),
    "empty records": ([{}], [("/0/Amount", "missing"), ("/0/Client", "missing"), ("/0/Debt~1Income~012m", "missing")]),
    "numbers": ([1, [1, 2, 0, 0, 3]], [("/0", "expected an object of fields or a list of 5 values")]),
    "a short row": (
        {"data": [[1, "x", 9, 0, 3], [1]]},
        [("/data/0/1", "a number"), ("/data/0/2", "one of"), ("/data/1", "5 values")],
    ),
    "a flat object": (
        {**AMOUNT, **REST, "Home": "castle", "amount": 1},
        [("/amount", "unknown field"), ("/Home", "castle")],
    ),
    "a wrong id": ({**AMOUNT, **REST, "id": 1.5}, [("/id", "expected a text or a whole number, got 1.5")]),
    "a list in a flat object": (
        {**AMOUNT, **REST, "Home": ["own"]},
        [("/Amount", "got 1"), ("/Client", "got true"), ("/Debt~1Income~012m", "got 1")],
    ),
    "columns": (
        {"Amount": [1, "x"], "Client": [None, True], "Debt/Income~12m": [1, 2], "amount": []},
        [("/amount", "unknown field")],
    ),
    "values of columns": (
        {"Amount": [1, "x"], "Client": [None, True], "Debt/Income~12m": [1, 2]},
        [("/Client/0", "null"), ("/Amount/1", "expected a number in EUR, got 'x'")],
    ),
    "columns of other lengths": (
        {"Amount": [1, 2], "Client": [True], "Debt/Income~12m": [1, 2, 3]},
        [("/Client", "expected 2 values, of the same rows as 'Amount'; got 1"), ("/Debt~1Income~012m", "got 3")],
    ),
    "columns of other rows": (
        {"Amount": {"a": 1}, "Client": {"b": True}, "Debt/Income~12m": {"a": "x"}},
        [("/Client", "expected 1 values, of the same rows as 'Amount'; got 1 of other rows")],
    ),
    "a value of a row": (
        {"Amount": {"a/b": "x"}, "Client": {"a/b": True}, "Debt/Income~12m": {"a/b": 1}},
        [("/Amount/a~1b", "expected a number in EUR, got 'x'")],
    ),
    "no rows": ({"Amount": [], "Client": [], "Debt/Income~12m": []}, [("/Amount", "at least one applicant")]),
    "split without rows": ({"columns": ["Amount", *REST], "data": []}, [("/data", "at least one applicant")]),
    "split of no lists": ({"columns": "Amount", "data": 1}, [("/columns", "got 'Amount'"), ("/data", "got 1")]),
    "split with a short row": (
        {"columns": ["Amount", *REST], "data": [[1, True, 1], [1], 7]},
        [("/data/1", "a list of 3 values"), ("/data/2", "a list of 3 values")],
    ),
    "split with a wrong value": (
        {"dataframe_split": {"columns": ["Amount", *REST], "data": [["x", True, 1]]}},
        [("/dataframe_split/data/0/0", "got 'x'")],
    ),
    "split with other columns": (
        {"columns": ["amount", *REST], "data": [[1, True, 1]]},
        [("/columns", "amount: unknown field"), ("/columns", "Amount: missing")],
    ),
    "split with a column twice": ({"columns": ["Amount", "Amount"], "data": [[1, 1]]}, [("/columns/1", "each once")]),
    "split with a number": ({"columns": [1], "data": [[1]]}, [("/columns/0", "the name of a field")]),
    "split with more": (
        {"columns": [], "data": [], "name": 1},
        [("/name", "expected none beside columns, data, index")],
    ),
}
"""Body, and each fault: pointer, part of its text."""


@pytest.mark.parametrize(("body", "expected"), FAULTS.values(), ids=list(FAULTS))
def test_every_fault_is_told_at_its_place(body: Any, expected: list[tuple[str, str]], fields: Fields) -> None:
    faults = faults_of(PREDICT, json.dumps(body).encode(), fields)

    assert [fault.pointer for fault in faults] == [pointer for pointer, _ in expected]
    assert [part for (_, part), fault in zip(expected, faults, strict=True) if part not in fault.detail] == []


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 5000], ids=["1e400", "-1e400", "5000 digits"])
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ('{"Amount": [1, NUMBER]}', "/Amount/1"),
        ('{"Amount": NUMBER}', "/Amount"),
        ("[[1], [1, NUMBER]]", "/1/1"),
        ('[{"Amount": NUMBER}]', "/0"),
        ('{"inputs": [{"Amount": NUMBER}]}', "/inputs/0"),
        ('{"a/b": {"c": [NUMBER]}}', "/a~1b"),
    ],
)
def test_a_number_beyond_float64_is_refused_as_near_as_can_be_told(
    fields: Fields, body: str, pointer: str, number: str
) -> None:
    """Down to the first object inside."""
    (fault,) = faults_of(PREDICT, body.replace("NUMBER", number).encode(), fields)

    assert (fault.pointer, "out of range" in fault.detail) == (pointer, True)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ('{"Amount": 1, "Amount": 2, "Client": true, "Debt/Income~12m": 1}', "Amount"),
        ('[{"Amount": 1, "Client": true, "Client": true, "Debt/Income~12m": 1}]', "Client"),
        ('{"instances": [[1, 2, 0, 0, 3]], "instances": [[1, 2, 0, 0, "rent"]]}', "instances"),
    ],
)
def test_a_duplicate_member_is_refused(fields: Fields, body: str, name: str) -> None:
    """In the body and in its applicants."""
    with pytest.raises(InvalidApplicants, match="twice") as caught:
        read(body.replace('"rent"', "0.5").replace("0.5]", "3]").encode(), fields)

    assert caught.value.faults == [Fault("", f"the member {name!r} appears twice in one object, expected once")]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_more_than_allowed_is_413(fields: Fields, named: dict[str, Any], shape: str) -> None:
    """Also if a value is wrong."""
    body = SHAPES[shape]([named | {"Amount": "x"}] * (MAX_ROWS + 1))

    with pytest.raises(HTTPProblem, match="got 21 rows, expected at most 20 rows") as caught:
        read(body, fields)
    assert caught.value.status == 413


@pytest.mark.parametrize("size", [MAX_EVENT_LOOP_JSON_BYTES, MAX_EVENT_LOOP_JSON_BYTES + 1])
def test_a_large_body_is_not_read_on_the_event_loop(fields: Fields, named: dict[str, Any], size: int) -> None:
    body = json.dumps([named]).encode().ljust(size)
    schemas = RequestSchemas(fields, MAX_ROWS)

    if size <= MAX_EVENT_LOOP_JSON_BYTES:
        assert len(schemas.read_predict(body, on_event_loop=True)) == 1
    else:
        with pytest.raises(Offload):
            schemas.read_predict(body, on_event_loop=True)


def test_many_values_are_not_read_on_the_event_loop(fields: Fields) -> None:
    rows = MAX_EVENT_LOOP_CELLS // len(fields) + 1
    schemas = RequestSchemas(fields, rows)

    with pytest.raises(Offload):
        schemas.read_predict(
            json.dumps({"Amount": [1] * rows, "Client": [1] * rows, "Debt/Income~12m": [1] * rows}).encode(),
            on_event_loop=True,
        )


@given(
    body=json_values | st.dictionaries(st.sampled_from([*MEMBERS, "columns", "index", "Amount", "Client"]), json_values)
)
def test_arbitrary_json_is_read_or_refused_and_nothing_else(body: Any, fields: Fields) -> None:
    """Random JSON raises nothing but InvalidApplicants, and what is read passes find_faults."""
    with suppress(InvalidApplicants):
        assert find_faults(read(body, fields), fields) == []
