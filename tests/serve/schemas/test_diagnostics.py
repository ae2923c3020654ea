"""Invalid JSON bodies: every fault is reported with its place."""

from __future__ import annotations

import json
import re

import pytest

from serve.schemas.limits import MAX_EVENT_LOOP_CELLS, Offload
from serve.schemas.problems import MAX_FAULTS, InvalidApplicants
from serve.schemas.requests import RequestSchemas
from serve.schemas.responses import Fault
from tests.serve.schemas.readers import SCORE, Fields, Reader, faults_of

DEEP = 100_000
"""Levels of nesting, beyond any limit of recursion."""


def test_every_depth_of_nesting_is_refused(reader: Reader, fields: Fields) -> None:
    """json and msgspec have different limits of nesting."""
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
    ],
)
def test_a_body_that_isnt_what_was_asked_for_is_refused_as_a_whole(
    reader: Reader, fields: Fields, body: str, detail: str
) -> None:
    """No JSON: the fault has an empty pointer."""
    (fault,) = faults_of(reader, body.replace("KEY", reader.key).encode(), fields)

    assert fault.pointer == ""
    assert detail.replace("KEY", reader.key) in fault.detail


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ("[[1, 2, 0, 0, 3]]", "Expected `object`, got `array`"),
        ("null", "Expected `object`, got `null`"),
        ('"applicants"', "Expected `object`, got `str`"),
        ("{}", "missing required field `applicants`"),
        ('{"applicants": [[1, 2, 0, 0, 3]], "extra": 1}', "unknown field `extra`"),
    ],
)
def test_a_body_of_score_is_an_object_with_known_members(fields: Fields, body: str, detail: str) -> None:
    (fault,) = faults_of(SCORE, body.encode(), fields)

    assert fault.pointer == ""
    assert detail in fault.detail


def test_a_key_with_another_name_is_unknown_and_missing(fields: Fields) -> None:
    """A misspelt member gives two faults."""
    details = [fault.detail for fault in faults_of(SCORE, b'{"rows": [[1, 2, 0, 0, 3]]}', fields)]

    assert details == ["Object contains unknown field `rows`", "Object missing required field `applicants`"]


def test_faults_of_all_members_are_found_at_once(fields: Fields) -> None:
    """Of options, unknown members and applicants, in any order."""
    body = b'{"extra": 1, "reasons": -1, "applicants": [[1, 2, 0, 0, 3], 7, [1, 2, 9, 0, 3]], "what_would_change": 1}'

    pointers = [fault.pointer for fault in faults_of(SCORE, body, fields)]

    assert pointers == ["", "/reasons", "/what_would_change", "/applicants/1", "/applicants/2/2"]


def test_a_number_out_of_range_hides_no_other_member(fields: Fields) -> None:
    """The faults of the other members are reported too."""
    body = b'{"applicants": [[1e400], 7], "reasons": -1}'

    assert [fault.pointer for fault in faults_of(SCORE, body, fields)] == ["/applicants/0/0", "/reasons"]


def test_thousands_of_unknown_members_are_not_all_listed(reader: Reader, fields: Fields) -> None:
    """At most MAX_FAULTS."""
    members = ", ".join(f'"{number}": 0' for number in range(10_000))

    assert len(faults_of(reader, f'{{"{reader.key}": [], {members}}}'.encode(), fields)) == MAX_FAULTS


@pytest.mark.parametrize("value", ["null", "1", '"text"', "{}", "true"])
def test_anything_but_applicants_under_the_key_is_refused_there(reader: Reader, fields: Fields, value: str) -> None:
    """The pointer is that of the member."""
    (fault,) = faults_of(reader, f'{{"{reader.key}": {value}}}'.encode(), fields)

    assert fault.pointer == f"/{reader.key}"
    assert re.search("Expected `array`, got|expected a list of applicants", fault.detail)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 5000], ids=["1e400", "-1e400", "5000 digits"])
def test_a_number_beyond_float64_is_refused_at_its_place(reader: Reader, fields: Fields, number: str) -> None:
    (fault,) = faults_of(reader, f'{{"{reader.key}": [[0, 0, 0, 0, 0], [1, {number}]]}}'.encode(), fields)

    assert fault.pointer == f"/{reader.key}/1/1"
    assert "out of range" in fault.detail


@pytest.mark.parametrize("number", ["1.1e100", "-1e300", "1" + "0" * 101])
def test_a_number_beyond_the_largest_is_refused_at_its_place(reader: Reader, fields: Fields, number: str) -> None:
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
    """Without a RecursionError or a crash."""
    assert len(faults_of(reader, body.replace("KEY", reader.key).encode(), fields)) == 1


@pytest.mark.parametrize(
    "body",
    [b'{"KEY": ["\xff"]}', b'{"KEY": ["\xed\xa0\x80"]}', b'{"\xc3": []}'],
    ids=["no UTF-8", "a surrogate in bytes", "half a character"],
)
def test_a_text_that_isnt_utf_8_is_refused(reader: Reader, fields: Fields, body: bytes) -> None:
    """RFC 8259, section 8.1."""
    faults = faults_of(reader, body.replace(b"KEY", reader.key.encode()), fields)

    assert faults == [Fault("", "the body is not UTF-8")]


@pytest.mark.parametrize("body", ['{"KEY": []}'.encode("utf-16"), b"\x00"], ids=["UTF-16", "zero"])
def test_a_body_that_begins_with_no_json_is_malformed(reader: Reader, fields: Fields, body: bytes) -> None:
    (fault,) = faults_of(reader, body, fields)

    assert fault.pointer == ""
    assert "malformed" in fault.detail


def test_rows_of_different_length_are_each_refused(reader: Reader, fields: Fields) -> None:
    """Except the row of the right length."""
    faults = faults_of(reader, f'{{"{reader.key}": [[1], [1, 2, 0, 0, 3], [], [1, 2]]}}'.encode(), fields)

    assert [fault.pointer for fault in faults] == [f"/{reader.key}/{row}" for row in (0, 2, 3)]


def test_an_empty_list_is_refused(reader: Reader, fields: Fields) -> None:
    faults = faults_of(reader, f'{{"{reader.key}": []}}'.encode(), fields)

    assert faults == [Fault(f"/{reader.key}", "expected at least one applicant, got an empty list")]


@pytest.mark.parametrize("rows", [MAX_EVENT_LOOP_CELLS // 5, MAX_EVENT_LOOP_CELLS // 5 + 1], ids=["few", "many"])
def test_the_faults_of_many_cells_are_not_looked_for_on_the_event_loop(fields: Fields, rows: int) -> None:
    """More than MAX_EVENT_LOOP_CELLS values raise Offload there."""
    schemas = RequestSchemas(fields, rows)
    row = [1, 2, 0, 0, "x"]
    score, predict = (json.dumps({key: [row] * rows}).encode() for key in ("applicants", "data"))
    is_named_there = rows * len(fields) <= MAX_EVENT_LOOP_CELLS

    for read, body in ((schemas.read_score, score), (schemas.read_predict, predict)):
        with pytest.raises(InvalidApplicants if is_named_there else Offload):
            read(body, on_event_loop=True)
        with pytest.raises(InvalidApplicants, match="/0/4: expected a number"):
            read(body, on_event_loop=False)
