"""read_applicants: valid values become their matrix values, and every invalid one a fault with its place."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from model.contract import MAX_MAGNITUDE, Field
from serve.schemas.applicants import find_faults, make_rules, read_applicants
from serve.schemas.problems import MAX_FAULTS, InvalidApplicants
from serve.schemas.responses import Fault

HERE = "/applicants"
NUMBER = "expected a number"
AMOUNT = "expected a number in EUR"
WITHIN = f"expected a number within ±{MAX_MAGNITUDE:g}"
DEBT = "Debt/Income~12m"
HOME = "expected one of: own, rent, other"
CLIENT = "expected one of: False, True"

numbers = st.integers(-(10**100), 10**100) | st.floats(-MAX_MAGNITUDE, MAX_MAGNITUDE)
texts = st.text(max_size=5) | st.sampled_from(["Amount", "Home", "own", "id", DEBT])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(texts, inner, max_size=6),
    max_leaves=20,
)


def cells_of(field: Field, *, by_index: bool) -> st.SearchStrategy[tuple[Any, float]]:
    """Valid JSON values of a field, each with its matrix value."""
    if field.kind == "number":
        allowed: st.SearchStrategy[tuple[Any, float]] = numbers.map(lambda value: (value, float(value)))
    else:
        values: list[tuple[Any, float]] = [(level, float(index)) for index, level in enumerate(field.levels)]
        values += [(level == "True", cell) for level, cell in values if level in ("False", "True")]
        if by_index:
            values += [(kind(index), float(index)) for index in range(len(field.levels)) for kind in (int, float)]
        allowed = st.sampled_from(values)
    return allowed | st.just((None, math.nan)) if field.nullable else allowed


def faults_of(rows: list[Any], fields: tuple[Field, ...]) -> list[Fault]:
    """The faults of invalid applicants."""
    with pytest.raises(InvalidApplicants, match=HERE) as caught:
        read_applicants(rows, make_rules(fields), HERE)
    return caught.value.problem.errors


def test_a_named_applicant_and_its_vector_are_the_same_cells(
    named: dict[str, Any], vector: list[Any], fields: tuple[Field, ...]
) -> None:
    """Texts and booleans by name, indexes in the vector: the same row."""
    expected = [[45.5, 320.0, 1.0, 1.0, 0.75]] * 2

    assert read_applicants([named, vector], make_rules(fields), HERE).matrix.tolist() == expected


def test_the_order_of_names_does_not_matter(named: dict[str, Any], fields: tuple[Field, ...]) -> None:
    turned = dict(reversed(named.items()))

    assert read_applicants([turned], make_rules(fields), HERE).matrix.tolist() == [[45.5, 320.0, 1.0, 1.0, 0.75]]


@pytest.mark.parametrize("is_told", [True, False], ids=["null", "left out"])
def test_a_nullable_field_may_be_null_or_left_out(
    named: dict[str, Any], fields: tuple[Field, ...], is_told: bool
) -> None:
    """Both are NaN in the matrix."""
    for name in ("Income", "Home"):
        named[name] = None
        if not is_told:
            del named[name]

    matrix = read_applicants([named], make_rules(fields), HERE).matrix

    np.testing.assert_array_equal(matrix, [[45.5, math.nan, math.nan, 1.0, 0.75]])


@given(data=st.data())
def test_any_applicant_made_of_allowed_names_reads_back_to_its_cells(
    data: st.DataObject, fields: tuple[Field, ...]
) -> None:
    """Random valid applicants by name, in any order, with and without nullable fields."""
    drawn = {field.name: data.draw(cells_of(field, by_index=False), field.name) for field in fields}
    expected = [[cell for _, cell in drawn.values()]]
    told = data.draw(st.permutations([name for name, (value, _) in drawn.items() if value is not None]))

    matrix = read_applicants([{name: drawn[name][0] for name in told}], make_rules(fields), HERE).matrix

    np.testing.assert_array_equal(matrix, expected)


@given(data=st.data())
def test_any_vector_made_of_allowed_values_reads_back_to_its_cells(
    data: st.DataObject, fields: tuple[Field, ...]
) -> None:
    """Random valid vectors, with levels as texts or indexes."""
    drawn = [data.draw(cells_of(field, by_index=True), field.name) for field in fields]

    matrix = read_applicants([[value for value, _ in drawn]], make_rules(fields), HERE).matrix

    np.testing.assert_array_equal(matrix, [[cell for _, cell in drawn]])


@given(rows=st.lists(json_values, max_size=4))
def test_arbitrary_json_is_read_or_refused_and_nothing_else(rows: list[Any], fields: tuple[Field, ...]) -> None:
    """Random JSON raises nothing but InvalidApplicants, and what is read passes find_faults."""
    with suppress(InvalidApplicants):
        assert find_faults(read_applicants(rows, make_rules(fields), HERE).matrix, fields) == []


@given(
    row=st.lists(
        st.none()
        | st.integers(-1, 4)
        | st.sampled_from([0.5, 1.0, MAX_MAGNITUDE, -MAX_MAGNITUDE, 2 * MAX_MAGNITUDE, math.inf]),
        min_size=5,
        max_size=5,
    ),
    limits=st.tuples(st.none() | st.integers(-1, 1), st.none() | st.integers(1, 3)),
)
def test_find_faults_agrees_with_read_applicants(
    row: list[float | None], limits: tuple[float | None, float | None], fields: tuple[Field, ...]
) -> None:
    """Random rows are valid for both or for neither, also where numbers have limits."""
    fields = (structs.replace(fields[0], lowest=limits[0], highest=limits[1]), *fields[1:])
    try:
        read_applicants([row], make_rules(fields), HERE)
    except InvalidApplicants:
        is_read = False
    else:
        is_read = True

    assert (not find_faults(np.array([row], dtype=np.float64), fields)) == is_read


def test_find_faults_names_the_first_wrong_row_of_each_field(fields: tuple[Field, ...]) -> None:
    """With the expected and the given value."""
    matrix = np.array([[1, 2, 0, 0, 3], [math.nan, 2, 3, 0, 3], [2e100, 2, 4, 0.5, 3]])

    assert [fault.detail for fault in find_faults(matrix, fields)] == [
        "applicant 1, Amount: expected a number in EUR within ±1e+100, got a missing value",
        "applicant 1, Home: expected the index of one of 3 levels, got 3",
        "applicant 2, Client: expected the index of one of 2 levels, got 0.5",
    ]


def test_find_faults_tells_the_limit_that_a_number_is_beyond(fields: tuple[Field, ...]) -> None:
    """Of either side; the limit itself is taken."""
    limited = (structs.replace(fields[0], lowest=-1.0), structs.replace(fields[1], highest=2.0), *fields[2:])
    matrix = np.array([[-1, 2, 0, 0, 3], [-1.5, math.nan, 0, 0, 3], [1, 2.5, 0, 0, 3]])

    assert [fault.detail for fault in find_faults(matrix, limited)] == [
        "applicant 1, Amount: expected a number in EUR of at least -1, got -1.5",
        "applicant 2, Income: expected a number of at most 2, got 2.5",
    ]


@pytest.mark.parametrize("id", ["A-17", "", 17, -1, 10**30, None])
def test_an_id_comes_back_as_given(named: dict[str, Any], fields: tuple[Field, ...], id: str | int | None) -> None:
    """A text or a whole number; null is the same as no id."""
    assert read_applicants([{"id": id, **named}], make_rules(fields), HERE).ids == (id,)


def test_an_id_is_optional(named: dict[str, Any], vector: list[Any], fields: tuple[Field, ...]) -> None:
    """A vector has none."""
    assert read_applicants([named, vector], make_rules(fields), HERE).ids == (None, None)


@pytest.mark.parametrize(
    ("id", "shown"), [(1.5, "1.5"), (True, "true"), ([], "a list"), ({}, "an object"), (math.nan, "nan")]
)
def test_another_id_is_refused(named: dict[str, Any], fields: tuple[Field, ...], id: object, shown: str) -> None:
    """Booleans, fractions, lists and objects."""
    expected = [Fault("/applicants/0/id", f"expected a text or a whole number, got {shown}")]

    assert faults_of([{"id": id, **named}], fields) == expected


def test_a_field_named_id_is_a_field(fields: tuple[Field, ...]) -> None:
    """If the model has a field `id`, its value goes to the model, not into the answer."""
    applicants = read_applicants([{"id": 3}], make_rules([structs.replace(fields[0], name="id")]), HERE)

    assert (applicants.matrix.tolist(), applicants.ids) == ([[3.0]], (None,))


def test_an_unknown_field_is_refused_with_the_known_ones(named: dict[str, Any], fields: tuple[Field, ...]) -> None:
    """A misspelt name must not become a missing value."""
    expected = [
        Fault("/applicants/0/amount", f"unknown field; expected one of: Amount, Income, Home, Client, {DEBT}"),
    ]

    assert faults_of([{"amount": 3, **named}], fields) == expected


def test_missing_required_fields_are_faults(fields: tuple[Field, ...]) -> None:
    """All fields of an empty object that are not nullable."""
    expected = [
        Fault("/applicants/0/Amount", f"missing; {AMOUNT}"),
        Fault("/applicants/0/Client", f"missing; {CLIENT}"),
        Fault("/applicants/0/Debt~1Income~012m", f"missing; {NUMBER}"),
    ]

    assert faults_of([{}], fields) == expected


WRONG: list[tuple[str, object, str]] = [
    ("Amount", None, f"null; this field can't be missing: {AMOUNT}"),
    ("Amount", "12", f"{AMOUNT}, got '12'"),
    ("Amount", True, f"{AMOUNT}, got true"),
    ("Amount", False, f"{AMOUNT}, got false"),
    ("Amount", [12], f"{AMOUNT}, got a list"),
    ("Amount", {"value": 12}, f"{AMOUNT}, got an object"),
    ("Amount", 1.1e100, f"{WITHIN}, got 1.1e+100"),
    ("Amount", -(10**101), f"{WITHIN}, got -1{'0' * 98}…"),
    ("Amount", math.nan, f"{WITHIN}, got nan"),
    ("Amount", -math.inf, f"{WITHIN}, got -inf"),
    ("Amount", "x" * 1000, f"{AMOUNT}, got '{'x' * 99}…"),
    ("Amount", "x" * 98, f"{AMOUNT}, got '{'x' * 98}'"),
    ("Home", "castle", f"{HOME}, got 'castle'"),
    ("Home", "Rent", f"{HOME}, got 'Rent'"),
    ("Home", True, f"{HOME}, got true"),
    ("Home", [], f"{HOME}, got a list"),
    ("Client", None, f"null; this field can't be missing: {CLIENT}"),
    ("Client", "yes", f"{CLIENT}, got 'yes'"),
    (DEBT, "1/2", f"{NUMBER}, got '1/2'"),
]


@pytest.mark.parametrize(("name", "value", "detail"), WRONG, ids=[f"{name}: {value!r:.20}" for name, value, _ in WRONG])
def test_a_value_that_cant_be_read_is_refused_at_its_name(
    named: dict[str, Any], fields: tuple[Field, ...], name: str, value: object, detail: str
) -> None:
    """The fault has the expected and the truncated given value, and a pointer escaped as RFC 6901 says."""
    pointer = {DEBT: "/applicants/0/Debt~1Income~012m"}.get(name, f"/applicants/0/{name}")

    assert faults_of([{**named, name: value}], fields) == [Fault(pointer, detail)]


@pytest.mark.parametrize(("name", "value", "detail"), WRONG, ids=[f"{name}: {value!r:.20}" for name, value, _ in WRONG])
def test_a_value_that_cant_be_read_is_refused_at_its_position(
    vector: list[Any], fields: tuple[Field, ...], name: str, value: object, detail: str
) -> None:
    """In a vector, with the same message."""
    column = [field.name for field in fields].index(name)
    vector[column] = value

    assert faults_of([vector], fields) == [Fault(f"/applicants/0/{column}", detail)]


def test_an_unknown_field_is_pointed_at_with_an_escaped_pointer(
    named: dict[str, Any], fields: tuple[Field, ...]
) -> None:
    """~ becomes ~0 and / becomes ~1, in unknown names too."""
    faults = faults_of([{**named, "~1/~0": 1}], fields)

    assert [fault.pointer for fault in faults] == ["/applicants/0/~01~1~00"]


@pytest.mark.parametrize(("length", "shown"), [(100, "y" * 100), (101, "y" * 100 + "…"), (10_000, "y" * 100 + "…")])
def test_a_long_unknown_name_is_truncated_in_its_pointer(
    named: dict[str, Any], fields: tuple[Field, ...], length: int, shown: str
) -> None:
    """To 100 characters, so that the answer stays small."""
    faults = faults_of([{**named, "y" * length: 1}], fields)

    assert [fault.pointer for fault in faults] == [f"/applicants/0/{shown}"]


def test_the_name_of_a_field_is_whole_in_its_pointer(named: dict[str, Any], fields: tuple[Field, ...]) -> None:
    """The name of a known field is never truncated."""
    long = structs.replace(fields[4], name="y" * 300)
    del named[DEBT]

    given, missing = (
        faults_of([{**named, **more}], (*fields[:4], long)) for more in ({long.name: "x"}, dict[str, Any]())
    )

    assert [fault.pointer for fault in (*given, *missing)] == [f"/applicants/0/{long.name}"] * 2


@pytest.mark.parametrize("index", [0, 1, 1.0])
def test_the_index_of_a_level_is_refused_by_name(
    named: dict[str, Any], fields: tuple[Field, ...], index: float
) -> None:
    """Indexes are allowed in vectors only."""
    assert faults_of([{**named, "Home": index}], fields) == [Fault("/applicants/0/Home", f"{HOME}, got {index}")]


@pytest.mark.parametrize("index", [3, -1, 0.5, 1e300, 10**200, math.nan])
def test_an_index_without_a_level_is_refused_in_a_vector(
    vector: list[Any], fields: tuple[Field, ...], index: float
) -> None:
    """Negative, fractional or too large."""
    vector[2] = index

    assert [fault.pointer for fault in faults_of([vector], fields)] == ["/applicants/0/2"]


@pytest.mark.parametrize(
    ("levels", "value", "cell"),
    [
        (("False", "True"), False, 0.0),
        (("False", "True"), "True", 1.0),
        (("true", "false"), True, 0.0),
        (("FALSE", "TRUE"), True, 1.0),
    ],
)
def test_a_boolean_is_the_level_of_its_word(
    fields: tuple[Field, ...], levels: tuple[str, ...], value: object, cell: float
) -> None:
    """If the levels are the words true and false, in any case and order."""
    field = structs.replace(fields[3], levels=levels)

    assert read_applicants([{field.name: value}], make_rules([field]), HERE).matrix.tolist() == [[cell]]


@pytest.mark.parametrize("width", [0, 4, 6])
def test_a_vector_of_another_width_is_refused_with_the_fields_in_order(fields: tuple[Field, ...], width: int) -> None:
    """The message lists the fields in order."""
    expected = [Fault("/applicants/0", f"expected 5 values (Amount, Income, Home, Client, {DEBT}), got {width}")]

    assert faults_of([[1] * width], fields) == expected


@pytest.mark.parametrize("row", [None, True, 3, 2.5, "Amount"])
def test_a_row_that_is_neither_object_nor_list_is_refused(fields: tuple[Field, ...], row: object) -> None:
    assert faults_of([row], fields) == [Fault("/applicants/0", "expected an object of fields or a list of 5 values")]


def test_an_empty_list_is_refused(fields: tuple[Field, ...]) -> None:
    assert faults_of([], fields) == [Fault(HERE, "expected at least one applicant, got an empty list")]


def test_all_faults_of_all_applicants_are_found_at_once(
    named: dict[str, Any], vector: list[Any], fields: tuple[Field, ...]
) -> None:
    by_name = {**named, "id": 1.5, "Amount": "x", "Home": "y", "z": 0}
    by_position = [None, *vector[1:3], 7, vector[4]]
    del by_name["Client"]

    faults = faults_of([by_name, named, by_position, 3, [1]], fields)

    assert {fault.pointer for fault in faults} == {
        "/applicants/0/id",
        "/applicants/0/Amount",
        "/applicants/0/Home",
        "/applicants/0/z",
        "/applicants/0/Client",
        "/applicants/2/0",
        "/applicants/2/3",
        "/applicants/3",
        "/applicants/4",
    }


@pytest.mark.parametrize(
    ("rows", "more"),
    [(MAX_FAULTS, f"and {MAX_FAULTS - 1} more"), (10**6, f"and at least {MAX_FAULTS} more")],
    ids=["at the limit", "beyond"],
)
def test_faults_beyond_the_limit_are_not_looked_for(fields: tuple[Field, ...], rows: int, more: str) -> None:
    """The search ends after MAX_FAULTS."""
    with pytest.raises(InvalidApplicants, match=rf"^/applicants/0: .* \({more}\)$") as caught:
        read_applicants([None] * rows, make_rules(fields), HERE)

    assert len(caught.value.problem.errors) == MAX_FAULTS
