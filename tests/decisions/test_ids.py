"""Ids of decisions."""

from __future__ import annotations

from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.ids import IdSource, is_id, write_id


@given(st.integers(1, 20_000), st.binary(min_size=10, max_size=10))
def test_ids_of_a_request_are_consecutive_uuids_of_version_7(count: int, random: bytes) -> None:
    """Whatever the random part, counting on never changes version, variant or time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("decisions.ids.os.urandom", lambda n: random[:n])
        patch.setattr("decisions.ids.time_ns", lambda: 1_780_000_000_123_999_999)
        reserved = IdSource().reserve(count)

    numbers = [UUID(text).int for text in reserved]
    assert numbers == list(range(numbers[0], numbers[0] + count))
    for number in (numbers[0], numbers[-1]):
        assert (UUID(int=number).version, UUID(int=number).variant) == (7, RFC_4122)
        assert number >> 80 == 1_780_000_000_123
    assert reserved[0] == str(UUID(reserved[0]))


def test_ids_never_decrease_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their time stays until the clock has caught up."""
    clock = iter([5_000_000_000, 1_000_000_000, 5_001_000_000])
    monkeypatch.setattr("decisions.ids.time_ns", lambda: next(clock))
    source = IdSource()

    times = [UUID(source.reserve(1)[0]).int >> 80 for _ in range(3)]

    assert times == [5_000, 5_000, 5_001]


def test_ids_of_two_processes_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the same millisecond."""
    monkeypatch.setattr("decisions.ids.time_ns", lambda: 5_000_000_000)

    assert len({id for _ in range(1_000) for id in IdSource().reserve(1)}) == 1_000


@given(st.integers(0, 2**128 - 1))
def test_ids_are_written_as_uuids(number: int) -> None:
    """Lower case, with hyphens; any other spelling is none."""
    text = write_id(number)

    assert text == str(UUID(int=number))
    assert is_id(text)
    assert not is_id(text.upper() + " ")
    assert not is_id(text.replace("-", ""))


@pytest.mark.parametrize("text", ["", "x", "0" * 36, "\0", "é" * 36])
def test_other_texts_are_no_ids(text: str) -> None:
    assert not is_id(text)
