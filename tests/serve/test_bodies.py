"""Reading raw bodies: whatever bytes arrive, either a matrix comes out or a 400 with its place."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.applicants import fits
from serve.bodies import read_predict, read_score
from serve.contract import Field
from serve.messages import Fault
from serve.model import Matrix
from serve.problems import InvalidApplicants

DEEP = 100_000
"""Levels of nesting, far beyond any stack."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One of the two readers, by the key that its body has."""

    key: str
    read: Callable[[bytes, Sequence[Field]], Matrix]


READERS = [
    Reader("data", read_predict),
    Reader("applicants", lambda body, fields: read_score(body, fields).applicants.matrix),
]


@pytest.fixture(params=READERS, ids=[reader.key for reader in READERS])
def reader(request: pytest.FixtureRequest) -> Reader:
    """Each reader in turn."""
    chosen: Reader = request.param
    return chosen


def faults_of(reader: Reader, body: bytes, fields: Sequence[Field]) -> list[Fault]:
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

    asked = read_score(json.dumps({"applicants": [in_words]}).encode(), fields)

    assert [vector] == asked.applicants.matrix.tolist()


def test_predict_takes_numbers_alone(fields: tuple[Field, ...], vector: list[Any]) -> None:
    """A text or a boolean is a wrong type there, also where it would be a level: each is named."""
    body = json.dumps({"data": [[*vector[:2], "rent", True, vector[4]]]}).encode()

    with pytest.raises(InvalidApplicants, match="expected a number") as caught:
        read_predict(body, fields)
    assert ["/data/0/2", "/data/0/3"] == [fault.pointer for fault in caught.value.faults]


def test_ids_come_with_their_applicants(named: dict[str, Any], vector: list[Any], fields: tuple[Field, ...]) -> None:
    """In the order of the applicants, None where not given."""
    body = json.dumps({"applicants": [{**named, "id": "A"}, vector, {**named, "id": 7}]}).encode()

    assert ("A", None, 7) == read_score(body, fields).applicants.ids


@pytest.mark.parametrize("number", ["1e100", "5e-324", "0.1", "-0.0", "123456789012345678", "1" + "0" * 100])
def test_every_digit_of_a_number_arrives(reader: Reader, fields: tuple[Field, ...], number: str) -> None:
    """The cell is the float64 nearest to what was written."""
    body = f'{{"{reader.key}": [[{number}, null, null, 0, 0]]}}'.encode()

    assert [float(number)] == reader.read(body, fields)[:, 0].tolist()


def test_the_last_of_two_equal_keys_counts(reader: Reader, fields: tuple[Field, ...]) -> None:
    """As in nearly every reader of JSON."""
    body = f'{{"{reader.key}": [[1]], "{reader.key}": [[1, 2, 0, 0, 3]]}}'.encode()

    assert [[1.0, 2.0, 0.0, 0.0, 3.0]] == reader.read(body, fields).tolist()


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
        ('{"KEYS": [[1, 2, 0, 0, 3]]}', "unknown field `KEYS`"),
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


@given(body=st.binary(max_size=200) | st.text("[]{}\"'\\:,.eE+-0123456789naltrufs d", max_size=60).map(str.encode))
def test_arbitrary_bytes_are_read_or_refused_and_nothing_else(body: bytes, fields: tuple[Field, ...]) -> None:
    """No body raises anything but InvalidApplicants."""
    for reader in READERS:
        with suppress(InvalidApplicants):
            assert fits(reader.read(body, fields), fields)


@given(data=st.data())
def test_a_body_with_one_changed_byte_is_read_or_refused_and_nothing_else(
    data: st.DataObject, fields: tuple[Field, ...]
) -> None:
    """Also next to a right body nothing raises anything but InvalidApplicants."""
    for reader in READERS:
        body = bytearray(json.dumps({reader.key: [[45.5, None, "rent", True, 0.75], [1, 2, 0, 0, 3]]}).encode())
        body[data.draw(st.integers(0, len(body) - 1), "place")] = data.draw(st.integers(0, 255), "byte")

        with suppress(InvalidApplicants):
            assert fits(reader.read(bytes(body), fields), fields)
