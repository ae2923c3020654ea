"""Bodies that don't fit their type: whatever bytes arrive, everything that is wrong is named with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from serve.schemas.faults import CELLS_ON_LOOP
from serve.schemas.problems import MOST_FAULTS, InvalidApplicants, Offload
from serve.schemas.requests import RequestSchemas
from serve.schemas.responses import Fault
from tests.serve.schemas.readers import PREDICT, SCORE, Fields, Reader, faults_of, read_predict

DEEP = 100_000
"""Levels of nesting, far beyond any stack."""


def test_predict_takes_numbers_alone(fields: Fields, vector: list[Any]) -> None:
    """A text or a boolean is a wrong type there, also where it would be a level: each is named."""
    body = json.dumps({"data": [[*vector[:2], "rent", True, vector[4]]]}).encode()

    with pytest.raises(InvalidApplicants, match="expected a number") as caught:
        read_predict(body, fields)
    assert [fault.pointer for fault in caught.value.faults] == ["/data/0/2", "/data/0/3"]


def test_no_depth_of_nesting_is_too_deep_for_one_reader_alone(reader: Reader, fields: Fields) -> None:
    """Two readers of JSON with different depths look at a body: every depth is refused by one or the other."""
    for depth in range(900, 1010):
        for begin, end in ("[", "]"), ('{"a":', "}"):
            inner = begin * depth + "1" + end * depth
            for body in (f'{{"{reader.key}": [{inner}]}}', f'{{"{reader.key}": [[{inner}]]}}'):
                assert faults_of(reader, body.encode(), fields)


@pytest.mark.parametrize(
    ("option", "pointer"),
    [
        ('"reasons": -1', "/reasons"),
        ('"reasons": 1.5', "/reasons"),
        ('"reasons": "4"', "/reasons"),
        ('"what_would_change": 1', "/what_would_change"),
    ],
)
def test_a_wrong_option_of_score_is_refused_at_its_name(fields: Fields, option: str, pointer: str) -> None:
    """An option has a type too."""
    (fault,) = faults_of(SCORE, f'{{"applicants": [[1, 2, 0, 0, 3]], {option}}}'.encode(), fields)

    assert fault.pointer == pointer


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
    reader: Reader, fields: Fields, body: str, detail: str
) -> None:
    """Not JSON, or not an object with the one key: the pointer is the empty one, the whole body."""
    (fault,) = faults_of(reader, body.replace("KEY", reader.key).encode(), fields)

    assert fault.pointer == ""
    assert detail.replace("KEY", reader.key) in fault.detail


def test_a_key_with_another_name_is_unknown_and_missing(reader: Reader, fields: Fields) -> None:
    """Both are said, so that a typo is seen at once."""
    details = [fault.detail for fault in faults_of(reader, b'{"rows": [[1, 2, 0, 0, 3]]}', fields)]

    assert details == ["Object contains unknown field `rows`", f"Object missing required field `{reader.key}`"]


def test_faults_of_all_members_are_found_at_once(fields: Fields) -> None:
    """Options, unknown members and applicants, whichever comes first in the body."""
    body = b'{"extra": 1, "reasons": -1, "applicants": [[1, 2, 0, 0, 3], 7, [1, 2, 9, 0, 3]], "what_would_change": 1}'

    pointers = [fault.pointer for fault in faults_of(SCORE, body, fields)]

    assert pointers == ["", "/reasons", "/what_would_change", "/applicants/1", "/applicants/2/2"]


def test_a_number_out_of_range_hides_no_other_member(fields: Fields) -> None:
    """Nothing can be said of the applicants beside it."""
    body = b'{"applicants": [[1e400], 7], "reasons": -1}'

    assert [fault.pointer for fault in faults_of(SCORE, body, fields)] == ["/applicants/0/0", "/reasons"]


def test_thousands_of_unknown_members_are_not_all_listed(reader: Reader, fields: Fields) -> None:
    """The answer stays small."""
    members = ", ".join(f'"{number}": 0' for number in range(10_000))

    assert len(faults_of(reader, f"{{{members}}}".encode(), fields)) == MOST_FAULTS


@pytest.mark.parametrize("value", ["null", "1", '"text"', "{}", "true"])
def test_anything_but_a_list_under_the_key_is_refused_there(reader: Reader, fields: Fields, value: str) -> None:
    """The pointer is the key."""
    (fault,) = faults_of(reader, f'{{"{reader.key}": {value}}}'.encode(), fields)

    assert fault.pointer == f"/{reader.key}"
    assert "Expected `array`, got" in fault.detail


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 5000], ids=["1e400", "-1e400", "5000 digits"])
def test_a_number_beyond_float64_is_refused_at_its_place(reader: Reader, fields: Fields, number: str) -> None:
    """It is no number that a computer can calculate with."""
    (fault,) = faults_of(reader, f'{{"{reader.key}": [[0, 0, 0, 0, 0], [1, {number}]]}}'.encode(), fields)

    assert fault.pointer == f"/{reader.key}/1/1"
    assert "out of range" in fault.detail


@pytest.mark.parametrize("number", ["1.1e100", "-1e300", "1" + "0" * 101])
def test_a_number_beyond_the_largest_is_refused_at_its_place(reader: Reader, fields: Fields, number: str) -> None:
    """It is nothing that people measure."""
    (fault,) = faults_of(reader, f'{{"{reader.key}": [[0, 0, 0, 0, {number}]]}}'.encode(), fields)

    assert fault.pointer == f"/{reader.key}/0/4"
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
def test_a_body_nested_without_end_is_refused(reader: Reader, fields: Fields, body: str) -> None:
    """It neither ends the process nor fills the stack."""
    assert len(faults_of(reader, body.replace("KEY", reader.key).encode(), fields)) == 1


@pytest.mark.parametrize(
    "body",
    [b'{"KEY": ["\xff"]}', b'{"KEY": ["\xed\xa0\x80"]}', b'{"\xc3": []}'],
    ids=["no UTF-8", "a surrogate in bytes", "half a character"],
)
def test_a_text_that_isnt_utf_8_is_refused(reader: Reader, fields: Fields, body: bytes) -> None:
    """JSON on the wire is UTF-8 (RFC 8259, section 8.1); which byte of which text is no help to anybody."""
    faults = faults_of(reader, body.replace(b"KEY", reader.key.encode()), fields)

    assert faults == [Fault("", "the body is not UTF-8")]


@pytest.mark.parametrize("body", ['{"KEY": []}'.encode("utf-16"), b"\x00"], ids=["UTF-16", "zero"])
def test_a_body_that_begins_with_no_json_is_malformed(reader: Reader, fields: Fields, body: bytes) -> None:
    """Its first byte already can't begin JSON."""
    (fault,) = faults_of(reader, body, fields)

    assert fault.pointer == ""
    assert "malformed" in fault.detail


def test_rows_of_different_length_are_each_refused(reader: Reader, fields: Fields) -> None:
    """The right one isn't among the faults."""
    faults = faults_of(reader, f'{{"{reader.key}": [[1], [1, 2, 0, 0, 3], [], [1, 2]]}}'.encode(), fields)

    assert [fault.pointer for fault in faults] == [f"/{reader.key}/{row}" for row in (0, 2, 3)]


def test_an_empty_list_is_refused(reader: Reader, fields: Fields) -> None:
    """There is nobody to answer about."""
    faults = faults_of(reader, f'{{"{reader.key}": []}}'.encode(), fields)

    assert faults == [Fault(f"/{reader.key}", "expected at least one applicant, got an empty list")]


@pytest.mark.parametrize("row", ['{"Amount": 1}', "1", "null", '"text"'])
def test_predict_takes_rows_only(fields: Fields, row: str) -> None:
    """Its contract knows no names: every row that isn't a list is named at once."""
    faults = faults_of(PREDICT, f'{{"data": [{row}, [1, 2, 0, 0, 3], {row}]}}'.encode(), fields)

    expected = "expected a list of 5 numbers, one a field"
    assert faults == [Fault("/data/0", expected), Fault("/data/2", expected)]


def test_predict_names_wrong_rows_and_wrong_cells_together(fields: Fields) -> None:
    """One answer is enough to mend the whole body."""
    body = b'{"data": [null, [1], [1, "x", 9, 0, 3]], "extra": 1}'

    pointers = [fault.pointer for fault in faults_of(PREDICT, body, fields)]

    assert pointers == ["", "/data/0", "/data/1", "/data/2/1", "/data/2/2"]


@pytest.mark.parametrize("rows", [CELLS_ON_LOOP // 5, CELLS_ON_LOOP // 5 + 1], ids=["few", "many"])
def test_the_faults_of_many_cells_are_not_looked_for_on_the_event_loop(fields: Fields, rows: int) -> None:
    """They take some microseconds each: beyond a bound it is a thread that names them."""
    schemas = RequestSchemas(fields, rows)
    row = [1, 2, 0, 0, "x"]
    score, predict = (json.dumps({key: [row] * rows}).encode() for key in ("applicants", "data"))
    is_named_there = rows * len(fields) <= CELLS_ON_LOOP

    for read, body in ((schemas.read_score, score), (schemas.read_predict, predict)):
        with pytest.raises(InvalidApplicants if is_named_there else Offload):
            read(body, on_loop=True)
        with pytest.raises(InvalidApplicants, match="/0/4: expected a number"):
            read(body, on_loop=False)
