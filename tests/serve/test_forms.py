"""The typed forms and the reader of single cells are two ways to one verdict and one matrix."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from serve.applicants import Applicants, read_applicants
from serve.contract import LARGEST, Field
from serve.forms import Forms, to_matrix
from serve.problems import InvalidApplicants

MOST_ROWS = 10

values = (
    st.none()
    | st.booleans()
    | st.integers(-3, 4)
    | st.integers()
    | st.sampled_from([10**100, -(10**100), 10**101, 0.5, 1.0, 2.0, 3.0, -0.0, -1.0, LARGEST, -LARGEST, 1.1 * LARGEST])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["own", "rent", "other", "Own", "True", "False", "true", "1", "", "12", "a:b"])
    | st.lists(st.integers(0, 1), max_size=2)
    | st.dictionaries(st.sampled_from(["a", "id"]), st.integers(0, 1), max_size=1)
)
"""Right and wrong for each kind of field, and what is nearly right."""


@pytest.fixture(scope="module")
def forms(fields: tuple[Field, ...]) -> Forms:
    """The forms of the model."""
    return Forms(fields, MOST_ROWS)


def likely(field: Field) -> st.SearchStrategy[Any]:
    """Values of a field that are often right: an applicant with five wild ones would never be."""
    if field.kind == "number":
        right: st.SearchStrategy[Any] = st.integers(0, 100) | st.floats(0, 100)
    else:
        right = st.sampled_from([*field.levels, *range(len(field.levels)), 0.0, 1.0]) | st.booleans()
    return right | right | right | values


def by_forms(forms: Forms, applicants: list[Any]) -> Applicants | None:
    """What the forms make of applicants, None if they refuse."""
    try:
        decoded: Any = forms.decode_score(json.dumps({"applicants": applicants}))
    except msgspec.ValidationError:
        return None
    read = [forms.read(applicant) for applicant in decoded.applicants]
    return Applicants(
        to_matrix([applicant.row for applicant in read], len(forms.fields)), tuple(applicant.id for applicant in read)
    )


def by_cells(forms: Forms, applicants: list[Any]) -> Applicants | None:
    """What the reader of cells makes of the same applicants, None if it refuses."""
    try:
        return read_applicants(json.loads(json.dumps(applicants)), forms.fields, "/applicants")
    except InvalidApplicants:
        return None


def check_same(left: Applicants | None, right: Applicants | None) -> None:
    """Both refused, or both read the same to the bit."""
    assert (left is None) == (right is None)
    if left is not None and right is not None:
        np.testing.assert_array_equal(left.matrix, right.matrix)
        assert left.ids == right.ids


@given(data=st.data())
def test_named_applicants_mean_the_same_either_way(data: st.DataObject, forms: Forms) -> None:
    """Members left out, null, unknown, of any type, with an id or without: one verdict, one matrix, one id."""
    applicant = {field.name: data.draw(likely(field), field.name) for field in forms.fields}
    for name in data.draw(st.sets(st.sampled_from(["Income", "Income", "Home", "Amount"]), max_size=2), "left out"):
        del applicant[name]
    if data.draw(st.booleans(), "has id"):
        applicant["id"] = data.draw(values, "id")
    if data.draw(st.integers(0, 9), "has unknown") == 0:
        applicant["amount"] = 1

    check_same(by_forms(forms, [applicant]), by_cells(forms, [applicant]))


@given(data=st.data())
def test_vectors_mean_the_same_either_way(data: st.DataObject, forms: Forms) -> None:
    """Of the right width or not, levels as texts, booleans or indices."""
    vector = [data.draw(likely(field), field.name) for field in forms.fields]
    width = data.draw(st.sampled_from([5, 5, 5, 4, 6, 0]), "width")

    cut = [*vector, 1][:width]

    check_same(by_forms(forms, [cut]), by_cells(forms, [cut]))


@given(data=st.data())
def test_rows_mean_the_same_either_way(data: st.DataObject, forms: Forms) -> None:
    """POST /predict takes numbers alone: what its form refuses, the reader of cells refuses too, and the other way."""
    row = [data.draw(likely(field), field.name) for field in forms.fields]
    try:
        decoded: Any = forms.decode_predict(json.dumps({"data": [row]}))
    except msgspec.ValidationError:
        with pytest.raises(InvalidApplicants, match="/data/0"):
            read_applicants([row], forms.fields, "/data", only_numbers=True)
    else:
        expected = read_applicants([row], forms.fields, "/data", only_numbers=True).matrix
        np.testing.assert_array_equal(expected, to_matrix(decoded.data, len(forms.fields)))


@pytest.mark.parametrize("index", [1, 1.0, "rent"])
def test_a_level_of_a_vector_has_three_spellings(forms: Forms, vector: list[Any], index: object) -> None:
    """Its text, its index, and its index as whoever takes it from a matrix writes it."""
    given = by_forms(forms, [[*vector[:2], index, *vector[3:]]])

    assert given is not None
    assert [vector] == given.matrix.tolist()


@pytest.mark.parametrize("level", [1, 1.0, True, "Rent", 3])
def test_a_level_by_name_is_its_text_alone(forms: Forms, named: dict[str, Any], level: object) -> None:
    """Only a vector speaks the language of the graph."""
    assert by_forms(forms, [{**named, "Home": level}]) is None


@pytest.mark.parametrize("way", ["null", "left out"])
def test_null_and_left_out_are_both_missing(forms: Forms, named: dict[str, Any], way: str) -> None:
    """For a field that may be missing; one that can't is refused either way."""
    for name, is_allowed in (("Income", True), ("Home", True), ("Amount", False), ("Client", False)):
        applicant = {**named, name: None}
        if way == "left out":
            del applicant[name]

        given = by_forms(forms, [applicant])

        assert is_allowed == (given is not None)
        if given is not None:
            assert 1 == np.isnan(given.matrix).sum()


def test_the_members_of_an_applicant_are_counted(forms: Forms, named: dict[str, Any], vector: list[Any]) -> None:
    """So that one that is there twice is noticed: with id, without, with a field left out, and none in a vector."""
    less = {name: value for name, value in named.items() if name != "Home"}
    decoded: Any = forms.decode_score(json.dumps({"applicants": [{"id": 1, **named}, named, less, vector]}))

    assert [6, 5, 4, 0] == [forms.read(applicant).members for applicant in decoded.applicants]


def test_a_field_named_id_is_a_field(fields: tuple[Field, ...]) -> None:
    """Where the model itself asks for `id`, its value goes to the graph and not to the answer."""
    given = by_forms(Forms([structs.replace(fields[0], name="id")], MOST_ROWS), [{"id": 3}])

    assert given is not None
    assert ([[3.0]], (None,)) == (given.matrix.tolist(), given.ids)


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
    fields: tuple[Field, ...], levels: tuple[str, ...], value: object, cell: float
) -> None:
    """In the capitals and the order of its table."""
    field = structs.replace(fields[3], levels=levels)

    given = by_forms(Forms([field], MOST_ROWS), [{field.name: value}, [value]])

    assert given is not None
    assert [[cell]] * 2 == given.matrix.tolist()


@given(rows=st.lists(st.lists(st.none() | st.floats(allow_nan=False), min_size=3, max_size=3), max_size=5))
def test_rows_become_a_matrix_with_nan_where_nothing_is(rows: list[list[float | None]]) -> None:
    """float64, shape (n, width), also for no rows and for rows without gaps."""
    matrix = to_matrix(rows, 3)

    assert ((len(rows), 3), "float64") == (matrix.shape, matrix.dtype.name)
    np.testing.assert_array_equal(np.array(rows, dtype=np.float64).reshape(-1, 3), matrix)
