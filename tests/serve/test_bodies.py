"""Reading raw bodies: whatever bytes arrive, either a matrix comes out or a 400 with its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.applicants import fits
from serve.bodies import BYTES_OF_MANY, ROWS_OF_CHANGES, ScoreRequest, read_predict, read_score
from serve.contract import Field
from serve.forms import Forms, to_matrix
from serve.messages import Fault
from serve.model import Matrix
from serve.problems import MOST_FAULTS, InvalidApplicants, Refusal

DEEP = 100_000
"""Levels of nesting, far beyond any stack."""

MOST_ROWS = 20
"""What a body may hold here."""

Fields = tuple[Field, ...]

forms_of = cache(lambda fields: Forms(fields, MOST_ROWS))


@dataclass(frozen=True, slots=True)
class Reader:
    """One of the readers, by the key that its body has; large bodies of numbers are read in another way."""

    key: str
    read: Callable[[bytes, Fields], Matrix]


def ask_predict(body: bytes, fields: Fields) -> Matrix:
    """The matrix of a POST /predict."""
    return to_matrix(read_predict(body, forms_of(fields), MOST_ROWS), len(fields))


def ask_score(body: bytes, fields: Fields) -> ScoreRequest:
    """The request of a POST /score."""
    return read_score(body, forms_of(fields), MOST_ROWS)


READERS = [
    Reader("data", ask_predict),
    Reader("applicants", lambda body, fields: to_matrix(ask_score(body, fields).rows, len(fields))),
    Reader("data", lambda body, fields: ask_predict(body.ljust(BYTES_OF_MANY), fields)),
]


def twice(name: str) -> Fault:
    """What is said of a member that an object names twice."""
    return Fault("", f"the member {name!r} appears twice in one object, expected once")


@pytest.fixture(params=READERS, ids=["data", "applicants", "data of a large body"])
def reader(request: pytest.FixtureRequest) -> Reader:
    """Each reader in turn."""
    chosen: Reader = request.param
    return chosen


def faults_of(reader: Reader, body: bytes, fields: Fields) -> list[Fault]:
    """The faults that a reader finds."""
    with pytest.raises(InvalidApplicants, match=": ") as caught:
        reader.read(body, fields)
    return caught.value.faults


def test_rows_of_numbers_become_the_matrix(reader: Reader, fields: tuple[Field, ...]) -> None:
    """Values travel unchanged, null is NaN."""
    rows = [[45.5, 320, 1, 1, 0.75], [0, None, None, 0, 1e-9]]

    matrix = reader.read(json.dumps({reader.key: rows}).encode(), fields)

    np.testing.assert_array_equal(np.array(rows, dtype=np.float64), matrix)


def test_a_level_in_a_vector_of_score_may_be_its_text(fields: tuple[Field, ...], vector: list[Any]) -> None:
    """A client that has texts needn't know the indices."""
    in_words = [*vector[:2], "rent", True, vector[4]]

    asked = ask_score(json.dumps({"applicants": [in_words]}).encode(), fields)

    assert [vector] == [list(row) for row in asked.rows]


def test_predict_takes_numbers_alone(fields: tuple[Field, ...], vector: list[Any]) -> None:
    """A text or a boolean is a wrong type there, also where it would be a level: each is named."""
    body = json.dumps({"data": [[*vector[:2], "rent", True, vector[4]]]}).encode()

    with pytest.raises(InvalidApplicants, match="expected a number") as caught:
        ask_predict(body, fields)
    assert ["/data/0/2", "/data/0/3"] == [fault.pointer for fault in caught.value.faults]


def test_ids_come_with_their_applicants(named: dict[str, Any], vector: list[Any], fields: tuple[Field, ...]) -> None:
    """In the order of the applicants, None where not given."""
    body = json.dumps({"applicants": [{**named, "id": "A"}, vector, {**named, "id": 7}]}).encode()

    assert ["A", None, 7] == list(ask_score(body, fields).ids)


@pytest.mark.parametrize("number", ["1e100", "5e-324", "0.1", "-0.0", "123456789012345678", "1" + "0" * 100])
def test_every_digit_of_a_number_arrives(reader: Reader, fields: tuple[Field, ...], number: str) -> None:
    """The cell is the float64 nearest to what was written."""
    body = f'{{"{reader.key}": [[{number}, null, null, 0, 0]]}}'.encode()

    assert [float(number)] == reader.read(body, fields)[:, 0].tolist()


@pytest.mark.parametrize("first", ["[[1]]", "[[1, 2, 0, 0, 3]]"], ids=["wrong", "the same"])
def test_a_key_that_is_there_twice_is_refused(reader: Reader, fields: tuple[Field, ...], first: str) -> None:
    """Which of the two is meant can't be known, so the last must not win silently."""
    body = f'{{"{reader.key}": {first}, "{reader.key}": [[1, 2, 0, 0, 3]]}}'.encode()

    assert [twice(reader.key)] == faults_of(reader, body, fields)


@pytest.mark.parametrize("second", ['"Amount"', r'"\u0041mount"'], ids=["as it is", "escaped"])
def test_a_field_that_is_there_twice_is_refused(fields: tuple[Field, ...], named: dict[str, Any], second: str) -> None:
    """In an applicant as in the body, however it is written, and beside texts that hold colons."""
    body = f'{{"applicants": [{json.dumps({"id": "a:b", **named})[:-1]}, {second}: 1}}]}}'.encode()

    assert [twice("Amount")] == faults_of(READERS[1], body, fields)


@pytest.mark.parametrize("id", ["a:b", "::::", '":"', "\\:"])
def test_a_text_with_colons_is_no_duplicate(fields: tuple[Field, ...], named: dict[str, Any], id: str) -> None:
    """Colons are counted to find duplicates quickly; those of a text don't deceive."""
    body = json.dumps({"applicants": [{"id": id, **named}]}).encode()

    assert [id] == list(ask_score(body, fields).ids)


def test_hundreds_of_thousands_of_equal_members_are_found_in_one_pass(fields: tuple[Field, ...]) -> None:
    """Work grows with the body, not with its square, which would be hours here."""
    members = ", ".join(['"Amount": 1'] * 300_000)
    body = f'{{"applicants": [{{{members}, "Client": true, "Debt/Income~12m": 1}}]}}'.encode()

    assert [twice("Amount")] == faults_of(READERS[1], body, fields)


def test_no_depth_of_nesting_is_too_deep_for_one_reader_alone(reader: Reader, fields: tuple[Field, ...]) -> None:
    """Two readers of JSON with different depths look at a body: every depth is refused by one or the other."""
    for depth in range(900, 1010):
        for begin, end in ("[", "]"), ('{"a":', "}"):
            inner = begin * depth + "1" + end * depth
            for body in (f'{{"{reader.key}": [{inner}]}}', f'{{"{reader.key}": [[{inner}]]}}'):
                assert faults_of(reader, body.encode(), fields)


def test_a_row_more_than_allowed_is_413(reader: Reader, fields: tuple[Field, ...]) -> None:
    """So many rows are read; one more is refused with the number given and the number allowed, right or wrong."""
    right, wrong = "[1, 2, 0, 0, 3]", "[]"

    allowed = reader.read(f'{{"{reader.key}": [{", ".join([right] * MOST_ROWS)}]}}'.encode(), fields)
    refusals = []
    for row in (right, wrong):
        with pytest.raises(Refusal, match="got 21 rows, expected at most 20 rows") as caught:
            reader.read(f'{{"{reader.key}": [{", ".join([row] * (MOST_ROWS + 1))}]}}'.encode(), fields)
        refusals.append(caught.value.status)

    assert (MOST_ROWS, [413, 413]) == (len(allowed), refusals)


@pytest.mark.parametrize("row", ["[1, 2, 0, 0, 3]", "[]"], ids=["right", "wrong"])
def test_looking_for_changes_counts_as_many_rows(fields: tuple[Field, ...], row: str) -> None:
    """It takes as long: one applicant is as many as rows may be here, two are too many."""
    forms = forms_of(fields)
    body = f'{{"applicants": [{row}, {row}], "what_would_change": true}}'.encode()

    with pytest.raises(
        Refusal, match=f"got {2 * ROWS_OF_CHANGES} rows, expected at most {ROWS_OF_CHANGES} rows, where"
    ):
        read_score(body, forms, ROWS_OF_CHANGES)


@pytest.mark.parametrize(
    ("options", "expected"),
    [("", (4, False)), (', "reasons": 0', (0, False)), (', "reasons": 7, "what_would_change": false', (7, False))],
)
def test_options_of_score_have_defaults(fields: tuple[Field, ...], options: str, expected: tuple[int, bool]) -> None:
    """Four reasons and no search for changes, unless told otherwise; the same in a body with a slow reading."""
    for amount in ("1", "1.5e0"):
        asked = ask_score(f'{{"applicants": [[{amount}, 2, 0, 0, 3]]{options}}}'.encode(), fields)

        assert expected == (asked.reasons, asked.what_would_change)


@pytest.mark.parametrize(
    ("option", "pointer"),
    [('"reasons": -1', "/reasons"), ('"reasons": "4"', "/reasons"), ('"what_would_change": 1', "/what_would_change")],
)
def test_a_wrong_option_of_score_is_refused_at_its_name(fields: tuple[Field, ...], option: str, pointer: str) -> None:
    """An option has a type too."""
    (fault,) = faults_of(READERS[1], f'{{"applicants": [[1, 2, 0, 0, 3]], {option}}}'.encode(), fields)

    assert pointer == fault.pointer


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("", "truncated"),
        (" ", "truncated"),
        ("{", "truncated"),
        ('{"KEY": [[1, 2', "truncated"),
        ("nonsense", "malformed"),
        ("KEY=1", "malformed"),
        ('{"KEY": [[1, 2, 0, 0, 3]]} x', "malformed"),
        ('{"KEY": [[NaN, 2, 0, 0, 3]]}', "malformed"),
        ('{"KEY": [[Infinity, 2, 0, 0, 3]]}', "malformed"),
        ('{"KEY": [[-Infinity, 2, 0, 0, 3]]}', "malformed"),
        ('{"KEY": [[01, 2, 0, 0, 3]]}', "malformed"),
        ('{"KEY": [[1, 2, 0, 0, 3,]]}', "malformed"),
        ("{'KEY': [[1, 2, 0, 0, 3]]}", "malformed"),
        (r'{"KEY": [["\ud800 lone surrogate", 2, 0, 0, 3]]}', "surrogate"),
        (r'{"KEY": [["\udc00 lone surrogate", 2, 0, 0, 3]]}', "surrogate"),
        (r'{"\ud800 lone surrogate": 1, "KEY": []}', "surrogate"),
        ("[[1, 2, 0, 0, 3]]", "Expected `object`, got `array`"),
        ("null", "Expected `object`, got `null`"),
        ('"KEY"', "Expected `object`, got `str`"),
        ("{}", "missing required field `KEY`"),
        ('{"KEY": [[1, 2, 0, 0, 3]], "extra": 1}', "unknown field `extra`"),
    ],
)
def test_a_body_that_isnt_what_was_asked_for_is_refused_as_a_whole(
    reader: Reader, fields: tuple[Field, ...], body: str, detail: str
) -> None:
    """Not JSON, or not an object with the one key: the pointer is the empty one, the whole body."""
    (fault,) = faults_of(reader, body.replace("KEY", reader.key).encode(), fields)

    assert "" == fault.pointer
    assert detail.replace("KEY", reader.key) in fault.detail


def test_a_key_with_another_name_is_unknown_and_missing(reader: Reader, fields: tuple[Field, ...]) -> None:
    """Both are said, so that a typo is seen at once."""
    details = [fault.detail for fault in faults_of(reader, b'{"rows": [[1, 2, 0, 0, 3]]}', fields)]

    assert ["Object contains unknown field `rows`", f"Object missing required field `{reader.key}`"] == details


def test_faults_of_all_members_are_found_at_once(fields: tuple[Field, ...]) -> None:
    """Options, unknown members and applicants, whichever comes first in the body."""
    body = b'{"extra": 1, "reasons": -1, "applicants": [[1, 2, 0, 0, 3], 7, [1, 2, 9, 0, 3]], "what_would_change": 1}'

    pointers = [fault.pointer for fault in faults_of(READERS[1], body, fields)]

    assert ["", "/reasons", "/what_would_change", "/applicants/1", "/applicants/2/2"] == pointers


def test_a_number_out_of_range_hides_no_other_member(fields: tuple[Field, ...]) -> None:
    """Nothing can be said of the applicants beside it."""
    body = b'{"applicants": [[1e400], 7], "reasons": -1}'

    assert ["/applicants/0/0", "/reasons"] == [fault.pointer for fault in faults_of(READERS[1], body, fields)]


def test_thousands_of_unknown_members_are_not_all_listed(reader: Reader, fields: tuple[Field, ...]) -> None:
    """The answer stays small."""
    members = ", ".join(f'"{number}": 0' for number in range(10_000))

    assert MOST_FAULTS == len(faults_of(reader, f"{{{members}}}".encode(), fields))


@pytest.mark.parametrize("value", ["null", "1", '"text"', "{}", "true"])
def test_anything_but_a_list_under_the_key_is_refused_there(
    reader: Reader, fields: tuple[Field, ...], value: str
) -> None:
    """The pointer is the key."""
    (fault,) = faults_of(reader, f'{{"{reader.key}": {value}}}'.encode(), fields)

    assert f"/{reader.key}" == fault.pointer
    assert "Expected `array`, got" in fault.detail


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 5000], ids=["1e400", "-1e400", "5000 digits"])
def test_a_number_beyond_float64_is_refused_at_its_place(
    reader: Reader, fields: tuple[Field, ...], number: str
) -> None:
    """It is no number that a computer can calculate with."""
    (fault,) = faults_of(reader, f'{{"{reader.key}": [[0, 0, 0, 0, 0], [1, {number}]]}}'.encode(), fields)

    assert f"/{reader.key}/1/1" == fault.pointer
    assert "out of range" in fault.detail


@pytest.mark.parametrize("number", ["1.1e100", "-1e300", "1" + "0" * 101])
def test_a_number_beyond_the_largest_is_refused_at_its_place(
    reader: Reader, fields: tuple[Field, ...], number: str
) -> None:
    """It is nothing that people measure."""
    (fault,) = faults_of(reader, f'{{"{reader.key}": [[0, 0, 0, 0, {number}]]}}'.encode(), fields)

    assert f"/{reader.key}/0/4" == fault.pointer
    assert "expected a number within ±1e+100" in fault.detail


@pytest.mark.parametrize(
    "body",
    [
        "[" * DEEP + "]" * DEEP,
        '{"KEY": [' + "[" * DEEP + "]" * DEEP + "]}",
        '{"KEY": ' + "[" * DEEP,
        '{"KEY": [' + '{"a": ' * DEEP + "1" + "}" * DEEP + "]}",
        '{"KEY": [[1, 2, 0, 0, ' + "[" * DEEP + "]" * DEEP + "]]}",
    ],
    ids=["lists", "lists under the key", "lists left open", "objects", "a cell"],
)
def test_a_body_nested_without_end_is_refused(reader: Reader, fields: tuple[Field, ...], body: str) -> None:
    """It neither ends the process nor fills the stack."""
    assert 1 == len(faults_of(reader, body.replace("KEY", reader.key).encode(), fields))


@pytest.mark.parametrize(
    "body",
    [b'{"KEY": ["\xff"]}', b'{"KEY": ["\xed\xa0\x80"]}', b'{"\xc3": []}'],
    ids=["no UTF-8", "a surrogate in bytes", "half a character"],
)
def test_a_text_that_isnt_utf_8_is_refused(reader: Reader, fields: tuple[Field, ...], body: bytes) -> None:
    """JSON on the wire is UTF-8 (RFC 8259, section 8.1); which byte of which text is no help to anybody."""
    expected = [Fault("", "the body is not UTF-8")]

    assert expected == faults_of(reader, body.replace(b"KEY", reader.key.encode()), fields)


@pytest.mark.parametrize("body", ['{"KEY": []}'.encode("utf-16"), b"\x00"], ids=["UTF-16", "zero"])
def test_a_body_that_begins_with_no_json_is_malformed(reader: Reader, fields: tuple[Field, ...], body: bytes) -> None:
    """Its first byte already can't begin JSON."""
    (fault,) = faults_of(reader, body, fields)

    assert "" == fault.pointer
    assert "malformed" in fault.detail


def test_rows_of_different_length_are_each_refused(reader: Reader, fields: tuple[Field, ...]) -> None:
    """The right one isn't among the faults."""
    faults = faults_of(reader, f'{{"{reader.key}": [[1], [1, 2, 0, 0, 3], [], [1, 2]]}}'.encode(), fields)

    assert [f"/{reader.key}/{row}" for row in (0, 2, 3)] == [fault.pointer for fault in faults]


def test_an_empty_list_is_refused(reader: Reader, fields: tuple[Field, ...]) -> None:
    """There is nobody to answer about."""
    expected = [Fault(f"/{reader.key}", "expected at least one applicant, got an empty list")]

    assert expected == faults_of(reader, f'{{"{reader.key}": []}}'.encode(), fields)


@pytest.mark.parametrize("row", ['{"Amount": 1}', "1", "null", '"text"'])
def test_predict_takes_rows_only(fields: tuple[Field, ...], row: str) -> None:
    """Its contract knows no names: every row that isn't a list is named at once."""
    faults = faults_of(READERS[0], f'{{"data": [{row}, [1, 2, 0, 0, 3], {row}]}}'.encode(), fields)

    expected = "expected a list of 5 numbers, one a field"
    assert [Fault("/data/0", expected), Fault("/data/2", expected)] == faults


def test_predict_names_wrong_rows_and_wrong_cells_together(fields: tuple[Field, ...]) -> None:
    """One answer is enough to mend the whole body."""
    body = b'{"data": [null, [1], [1, "x", 9, 0, 3]], "extra": 1}'

    pointers = [fault.pointer for fault in faults_of(READERS[0], body, fields)]

    assert ["", "/data/0", "/data/1", "/data/2/1", "/data/2/2"] == pointers


@given(body=st.binary(max_size=200) | st.text("[]{}\"'\\:,.eE+-0123456789naltrufs d", max_size=60).map(str.encode))
def test_arbitrary_bytes_are_read_or_refused_and_nothing_else(body: bytes, fields: tuple[Field, ...]) -> None:
    """No body raises anything but InvalidApplicants."""
    for reader in READERS:
        with suppress(InvalidApplicants):
            assert [] == fits(reader.read(body, fields), fields)


@given(data=st.data())
def test_a_body_with_one_changed_byte_is_read_or_refused_and_nothing_else(
    data: st.DataObject, fields: tuple[Field, ...]
) -> None:
    """Also next to a right body nothing raises anything but InvalidApplicants."""
    for reader in READERS:
        body = bytearray(json.dumps({reader.key: [[45.5, None, "rent", True, 0.75], [1, 2, 0, 0, 3]]}).encode())
        body[data.draw(st.integers(0, len(body) - 1), "place")] = data.draw(st.integers(0, 255), "byte")

        with suppress(InvalidApplicants):
            assert [] == fits(reader.read(bytes(body), fields), fields)
