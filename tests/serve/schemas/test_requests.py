"""RequestSchemas: valid bodies give the same matrix, ids and options as when read value by value."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, NoReturn

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from model.contract import MAX_MAGNITUDE, Field
from serve.schemas.applicants import Applicants, find_faults, make_rules, read_applicants
from serve.schemas.limits import CHANGE_SEARCH_ROWS
from serve.schemas.problems import HTTPProblem, InvalidApplicants
from serve.schemas.requests import RequestSchemas, to_matrix
from serve.schemas.responses import Fault
from tests.serve.schemas.readers import MAX_ROWS, PREDICT, READERS, SCORE, Fields, Reader, faults_of, read_score

values = (
    st.none()
    | st.booleans()
    | st.integers(-3, 4)
    | st.integers()
    | st.sampled_from(
        [
            10**100,
            -(10**100),
            10**101,
            0.5,
            1.0,
            2.0,
            3.0,
            -0.0,
            -1.0,
            MAX_MAGNITUDE,
            -MAX_MAGNITUDE,
            1.1 * MAX_MAGNITUDE,
        ]
    )
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["own", "rent", "other", "Own", "True", "False", "true", "1", "", "12", "a:b"])
    | st.lists(st.integers(0, 1), max_size=2)
    | st.dictionaries(st.sampled_from(["a", "id"]), st.integers(0, 1), max_size=1)
)
"""Valid, invalid and almost valid values for each kind of field."""


@pytest.fixture(scope="module")
def schemas(fields: Fields) -> RequestSchemas:
    """The schemas of the model."""
    return RequestSchemas(fields, MAX_ROWS)


def likely(field: Field) -> st.SearchStrategy[Any]:
    """Mostly valid values of a field: five random ones would almost never be valid."""
    if field.kind == "number":
        right: st.SearchStrategy[Any] = st.integers(0, 100) | st.floats(0, 100)
    else:
        right = st.sampled_from([*field.levels, *range(len(field.levels)), 0.0, 1.0]) | st.booleans()
    return right | right | right | values


def refuse(*_: object, **__: object) -> NoReturn:
    """Replaces the reading value by value, so that only the msgspec types decide."""
    raise InvalidApplicants([Fault("", "not read by the types")])


def by_types(schemas: RequestSchemas, applicants: list[Any]) -> Applicants | None:
    """What the msgspec types read; None if they reject it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("serve.schemas.requests.read_score_value_by_value", refuse)
        return read_with(schemas, applicants)


def by_cells(schemas: RequestSchemas, applicants: list[Any]) -> Applicants | None:
    """What the reading value by value gives; None if it rejects it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schemas, "_decode_score", None)
        return read_with(schemas, applicants)


def read_with(schemas: RequestSchemas, applicants: list[Any]) -> Applicants | None:
    """The applicants of a POST /score; None if they are refused."""
    try:
        request = schemas.read_score(json.dumps({"applicants": applicants}).encode(), on_event_loop=False)
    except InvalidApplicants:
        return None
    return Applicants(to_matrix(request.rows, len(schemas.fields)), tuple(request.ids))


def check_same(left: Applicants | None, right: Applicants | None) -> None:
    """Both reject the applicants, or both read exactly the same."""
    assert (left is None) == (right is None)
    if left is not None and right is not None:
        np.testing.assert_array_equal(left.matrix, right.matrix)
        assert left.ids == right.ids


def twice(name: str) -> Fault:
    """The fault of a duplicate member."""
    return Fault("", f"the member {name!r} appears twice in one object, expected once")


@given(data=st.data())
def test_named_applicants_are_read_the_same_both_ways(data: st.DataObject, schemas: RequestSchemas) -> None:
    """Random members, missing, null, unknown or of another type, with and without id."""
    applicant = {field.name: data.draw(likely(field), field.name) for field in schemas.fields}
    for name in data.draw(st.sets(st.sampled_from(["Income", "Income", "Home", "Amount"]), max_size=2), "left out"):
        del applicant[name]
    if data.draw(st.booleans(), "has id"):
        applicant["id"] = data.draw(values, "id")
    if data.draw(st.integers(0, 9), "has unknown") == 0:
        applicant["amount"] = 1

    check_same(by_types(schemas, [applicant]), by_cells(schemas, [applicant]))


@given(data=st.data())
def test_vectors_are_read_the_same_both_ways(data: st.DataObject, schemas: RequestSchemas) -> None:
    """Of any width, with levels as texts, booleans or indexes."""
    vector = [data.draw(likely(field), field.name) for field in schemas.fields]
    width = data.draw(st.sampled_from([5, 5, 5, 4, 6, 0]), "width")

    cut = [*vector, 1][:width]

    check_same(by_types(schemas, [cut]), by_cells(schemas, [cut]))


@pytest.mark.parametrize("padding", [0, 5_000], ids=["small", "large"])
@given(data=st.data())
def test_rows_of_predict_are_read_the_same_both_ways(
    data: st.DataObject, schemas: RequestSchemas, padding: int
) -> None:
    """What the types take, the reading value by value takes too; that takes levels as texts, and booleans, besides."""
    row = [data.draw(likely(field), field.name) for field in schemas.fields]
    body = json.dumps({"data": [row]}).encode() + b" " * padding
    rules = structs.replace(make_rules(schemas.fields), is_lenient=True)
    try:
        expected = read_applicants([row], rules, "/data").matrix
    except InvalidApplicants:
        expected = None
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("serve.schemas.requests.read_shapes", refuse)
            rows = schemas.read_predict(body, on_event_loop=False)
    except InvalidApplicants:
        assert expected is None or any(isinstance(value, str | bool) for value in row)
    else:
        np.testing.assert_array_equal(to_matrix(rows, len(schemas.fields)), expected)


@pytest.mark.parametrize("index", [1, 1.0, "rent"])
def test_a_level_of_a_vector_has_three_spellings(schemas: RequestSchemas, vector: list[Any], index: object) -> None:
    """Its text, its index, or its index as a float."""
    given = by_types(schemas, [[*vector[:2], index, *vector[3:]]])

    assert given is not None
    assert given.matrix.tolist() == [vector]


@pytest.mark.parametrize("level", [1, 1.0, True, "Rent", 3])
def test_a_level_by_name_is_its_text_alone(schemas: RequestSchemas, named: dict[str, Any], level: object) -> None:
    """Indexes are allowed in vectors only."""
    assert by_types(schemas, [{**named, "Home": level}]) is None


@pytest.mark.parametrize("way", ["null", "left out"])
def test_null_and_left_out_are_both_missing(schemas: RequestSchemas, named: dict[str, Any], way: str) -> None:
    """Of a nullable field; otherwise both are refused."""
    for name, is_allowed in (("Income", True), ("Home", True), ("Amount", False), ("Client", False)):
        applicant = {**named, name: None}
        if way == "left out":
            del applicant[name]

        given = by_types(schemas, [applicant])

        assert (given is not None) == is_allowed
        if given is not None:
            assert np.isnan(given.matrix).sum() == 1


def test_a_field_named_id_is_a_field(fields: Fields) -> None:
    """If the model has a field `id`, its value goes to the model, not into the answer."""
    given = by_types(RequestSchemas([structs.replace(fields[0], name="id")], MAX_ROWS), [{"id": 3}])

    assert given is not None
    assert (given.matrix.tolist(), given.ids) == ([[3.0]], (None,))


@pytest.mark.parametrize(
    ("levels", "value", "cell"),
    [
        (("False", "True"), False, 0.0),
        (("true", "false"), True, 0.0),
        (("FALSE", "TRUE"), True, 1.0),
        (("a",), "a", 0.0),
    ],
)
def test_a_boolean_is_the_level_of_its_word(
    fields: Fields, levels: tuple[str, ...], value: object, cell: float
) -> None:
    """If the levels are the words true and false, in any case and order."""
    field = structs.replace(fields[3], levels=levels)

    given = by_types(RequestSchemas([field], MAX_ROWS), [{field.name: value}, [value]])

    assert given is not None
    assert given.matrix.tolist() == [[cell]] * 2


@given(rows=st.lists(st.lists(st.none() | st.floats(allow_nan=False), min_size=3, max_size=3), max_size=5))
def test_rows_become_a_matrix_with_nan_where_nothing_is(rows: list[list[float | None]]) -> None:
    """float64, shape (n, width), with and without missing values, and for no rows."""
    matrix = to_matrix(rows, 3)

    assert (matrix.shape, matrix.dtype.name) == ((len(rows), 3), "float64")
    np.testing.assert_array_equal(matrix, np.array(rows, dtype=np.float64).reshape(-1, 3))


def test_rows_of_numbers_become_the_matrix(reader: Reader, fields: Fields) -> None:
    """Values unchanged, null as NaN."""
    rows = [[45.5, 320, 1, 1, 0.75], [0, None, None, 0, 1e-9]]

    matrix = reader.read(json.dumps({reader.key: rows}).encode(), fields)

    np.testing.assert_array_equal(matrix, np.array(rows, dtype=np.float64))


@pytest.mark.parametrize("number", ["1e100", "5e-324", "0.1", "-0.0", "123456789012345678", "1" + "0" * 100])
def test_every_digit_of_a_number_arrives(reader: Reader, fields: Fields, number: str) -> None:
    """The value is the nearest float64."""
    body = f'{{"{reader.key}": [[{number}, null, null, 0, 0]]}}'.encode()

    assert reader.read(body, fields)[:, 0].tolist() == [float(number)]


def test_a_level_in_a_vector_of_score_may_be_its_text(fields: Fields, vector: list[Any]) -> None:
    in_words = [*vector[:2], "rent", True, vector[4]]

    request = read_score(json.dumps({"applicants": [in_words]}).encode(), fields)

    assert [list(row) for row in request.rows] == [vector]


def test_ids_come_with_their_applicants(named: dict[str, Any], vector: list[Any], fields: Fields) -> None:
    """In the order of the applicants, None where not given."""
    body = json.dumps({"applicants": [{**named, "id": "A"}, vector, {**named, "id": 7}]}).encode()

    assert list(read_score(body, fields).ids) == ["A", None, 7]


@pytest.mark.parametrize(
    ("options", "expected"),
    [("", (4, False)), (', "reasons": 0', (0, False)), (', "reasons": 7, "what_would_change": false', (7, False))],
)
@pytest.mark.parametrize("is_typed", [True, False], ids=["typed", "by cells"])
def test_options_of_score_have_defaults(
    fields: Fields, options: str, expected: tuple[int, bool], is_typed: bool
) -> None:
    """Four reasons and no changes, however the body is read."""
    names = ["Amount", "Income", "Home", "Client", "Debt" if is_typed else 'Debt"']
    renamed = tuple(structs.replace(field, name=name) for field, name in zip(fields, names, strict=True))

    request = read_score(f'{{"applicants": [[1, 2, 0, 0, 3]]{options}}}'.encode(), renamed)

    assert (request.reasons, request.what_would_change) == expected


def test_a_row_more_than_allowed_is_413(reader: Reader, fields: Fields) -> None:
    """The message has both numbers, also for an invalid body."""
    right, wrong = "[1, 2, 0, 0, 3]", "[]"

    allowed = reader.read(f'{{"{reader.key}": [{", ".join([right] * MAX_ROWS)}]}}'.encode(), fields)
    refused = []
    for row in (right, wrong):
        with pytest.raises(HTTPProblem, match="got 21 rows, expected at most 20 rows") as caught:
            reader.read(f'{{"{reader.key}": [{", ".join([row] * (MAX_ROWS + 1))}]}}'.encode(), fields)
        refused.append(caught.value.status)

    assert (len(allowed), refused) == (MAX_ROWS, [413, 413])


@pytest.mark.parametrize("row", ["[1, 2, 0, 0, 3]", "[]"], ids=["right", "wrong"])
def test_looking_for_changes_counts_as_many_rows(fields: Fields, row: str) -> None:
    """An applicant counts as CHANGE_SEARCH_ROWS rows."""
    schemas = RequestSchemas(fields, CHANGE_SEARCH_ROWS)
    body = f'{{"applicants": [{row}, {row}], "what_would_change": true}}'.encode()

    with pytest.raises(HTTPProblem, match="got 2 rows, expected at most 1 rows with what_would_change"):
        schemas.read_score(body, on_event_loop=False)


@pytest.mark.parametrize("first", ["[[1]]", "[[1, 2, 0, 0, 3]]"], ids=["wrong", "the same"])
def test_a_duplicate_member_of_the_body_is_refused(reader: Reader, fields: Fields, first: str) -> None:
    """It is ambiguous which one counts."""
    body = f'{{"{reader.key}": {first}, "{reader.key}": [[1, 2, 0, 0, 3]]}}'.encode()

    assert faults_of(reader, body, fields) == [twice(reader.key)]


@pytest.mark.parametrize("second", ['"Amount"', r'"\u0041mount"'], ids=["as it is", "escaped"])
def test_a_duplicate_field_is_refused(fields: Fields, named: dict[str, Any], second: str) -> None:
    """Also if its name is escaped, and beside texts with colons."""
    body = f'{{"applicants": [{json.dumps({"id": "a:b", **named})[:-1]}, {second}: 1}}]}}'.encode()

    assert faults_of(SCORE, body, fields) == [twice("Amount")]


@pytest.mark.parametrize("left_out", [[], ["Home"], ["Home", "Income"]], ids=len)
@pytest.mark.parametrize("more", [{}, {"id": 1}], ids=["no id", "id"])
@pytest.mark.parametrize("options", [{}, {"reasons": 2}, {"reasons": 2, "what_would_change": False}], ids=len)
def test_a_duplicate_is_found_beside_any_other_members(
    fields: Fields, named: dict[str, Any], left_out: list[str], more: dict[str, Any], options: dict[str, Any]
) -> None:
    """With and without ids, nullable fields and options."""
    applicant = {name: value for name, value in {**more, **named}.items() if name not in left_out}
    head = json.dumps(options | {"applicants": 0}).removesuffix("0}")

    body = f'{head}[{json.dumps(applicant)[:-1]}, "Client": true}}]}}'.encode()

    assert faults_of(SCORE, body, fields) == [twice("Client")]


def test_a_body_without_colons_in_its_texts_is_read_once(
    fields: Fields, named: dict[str, Any], vector: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count of colons suffices; json is not called."""
    less = {name: value for name, value in named.items() if name != "Home"}
    score = json.dumps({"applicants": [{"id": 1, **named}, named, less, vector], "reasons": 0}).encode()
    predict = json.dumps({"data": [vector]}).encode()
    monkeypatch.setattr("serve.schemas.requests.json", SimpleNamespace(loads=refuse))

    assert len(SCORE.read(score, fields)) == 4
    assert len(PREDICT.read(predict, fields)) == 1


@pytest.mark.parametrize("id", ["a:b", "::::", '":"', "\\:"])
def test_a_text_with_colons_is_no_duplicate(fields: Fields, named: dict[str, Any], id: str) -> None:
    body = json.dumps({"applicants": [{"id": id, **named}]}).encode()

    assert list(read_score(body, fields).ids) == [id]


def test_hundreds_of_thousands_of_equal_members_are_found_in_one_pass(fields: Fields) -> None:
    """The time grows linearly with the number of members."""
    members = ", ".join(['"Amount": 1'] * 300_000)
    body = f'{{"applicants": [{{{members}, "Client": true, "Debt/Income~12m": 1}}]}}'.encode()

    assert faults_of(SCORE, body, fields) == [twice("Amount")]


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_a_byte_order_mark_is_ignored(reader: Reader, fields: Fields, vector: list[Any], kind: type[bytes]) -> None:
    """In bytes and in a bytearray, as decompressed bodies are."""
    body = kind(BOM_UTF8 + json.dumps({reader.key: [vector]}).encode())

    assert reader.read(body, fields).tolist() == [vector]


@pytest.mark.parametrize("count", [2, 3, 1_000, 100_000])
def test_several_byte_order_marks_are_refused(reader: Reader, fields: Fields, vector: list[Any], count: int) -> None:
    """Even thousands, without recursion or copies."""
    (fault,) = faults_of(reader, BOM_UTF8 * count + json.dumps({reader.key: [vector]}).encode(), fields)

    assert fault.pointer == ""
    assert "malformed" in fault.detail


def test_a_fault_after_a_byte_order_mark_is_named_at_its_place(reader: Reader, fields: Fields) -> None:
    """And duplicates are still found."""
    wrong = BOM_UTF8 + f'{{"{reader.key}": [["x", 2, 0, 0, 3]]}}'.encode()
    repeated = BOM_UTF8 + f'{{"{reader.key}": [[1, 2, 0, 0, 3]], "{reader.key}": [[1, 2, 0, 0, 3]]}}'.encode()

    assert [fault.pointer for fault in faults_of(reader, wrong, fields)] == [f"/{reader.key}/0/0"]
    assert faults_of(reader, repeated, fields) == [twice(reader.key)]


@pytest.mark.parametrize("name", ['a "b"', "a\\b", "a\nb", "a\tb", "a\x00b", "Größe", "收入", "x" * 300, "", "field_0"])
def test_a_field_may_have_any_name(fields: Fields, vector: list[Any], name: str) -> None:
    """Also one that msgspec doesn't allow as the name of a member."""
    renamed = (*fields[:1], structs.replace(fields[1], name=name), *fields[2:])
    applicants = [{"Amount": 45.5, name: 320, "Home": "rent", "Client": True, "Debt/Income~12m": 0.75, "id": "A"}]
    applicants += [{**applicants[0], name: None, "id": 7}]

    request = read_score(json.dumps({"applicants": applicants}).encode(), renamed)

    without_second = [*vector[:1], np.nan, *vector[2:]]
    np.testing.assert_array_equal(to_matrix(request.rows, len(renamed)), [vector, without_second])
    assert list(request.ids) == ["A", 7]


@pytest.mark.parametrize(("value", "fault"), [(-1, "greater than -1, got -1"), (20.5, "of at most 20, got 20.5")])
def test_a_number_beyond_the_limits_of_its_field_is_a_fault(
    reader: Reader, value: float, fault: str, fields: Fields, vector: list[Any]
) -> None:
    """Beside numbers at the limits, which are read."""
    limited = (structs.replace(fields[0], lowest=np.nextafter(-1.0, 0).item(), highest=20.0), *fields[1:])
    rows = [[amount, *vector[1:]] for amount in (-0.9999999999999999, 20, value)]

    assert reader.read(json.dumps({reader.key: rows[:2]}).encode(), limited)[:, 0].tolist() == [-0.9999999999999999, 20]
    assert faults_of(reader, json.dumps({reader.key: rows}).encode(), limited) == [
        Fault(f"/{reader.key}/2/0", f"expected a number {fault}")
    ]


@given(body=st.binary(max_size=200) | st.text("[]{}\"'\\:,.eE+-0123456789naltrufs d", max_size=60).map(str.encode))
def test_arbitrary_bytes_are_read_or_refused_and_nothing_else(body: bytes, fields: Fields) -> None:
    """Random bytes raise nothing but InvalidApplicants."""
    for reader in READERS.values():
        with suppress(InvalidApplicants):
            assert find_faults(reader.read(body, fields), fields) == []


@given(data=st.data())
def test_a_body_with_one_changed_byte_is_read_or_refused_and_nothing_else(data: st.DataObject, fields: Fields) -> None:
    """Raises nothing but InvalidApplicants."""
    for reader in READERS.values():
        body = bytearray(json.dumps({reader.key: [[45.5, None, "rent", True, 0.75], [1, 2, 0, 0, 3]]}).encode())
        body[data.draw(st.integers(0, len(body) - 1), "place")] = data.draw(st.integers(0, 255), "byte")

        with suppress(InvalidApplicants):
            assert find_faults(reader.read(bytes(body), fields), fields) == []
