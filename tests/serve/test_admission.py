"""How many requests may wait follows from how long the turns of the loop take."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serve.admission import LEAST, MOST, Admission

LIMIT = 0.1


def admitted(admission: Admission) -> int:
    """How many of a crowd are let in; they all begin then."""
    count = sum(1 for _ in range(2 * MOST) if admission.admit())
    for _ in range(count):
        admission.begin()
    return count


def test_long_turns_let_in_fewer_and_short_ones_more() -> None:
    """Step by step, down to a few and up to a limit."""
    admission = Admission(LIMIT)
    counts = [admitted(admission)]
    for seconds in [10 * LIMIT] * 10 + [LIMIT / 10] * 100:
        admission.end_turn(seconds)
        counts.append(admitted(admission))

    assert counts[:11] == sorted(counts[:11], reverse=True)
    assert counts[10:] == sorted(counts[10:])
    assert (LEAST, MOST) == (counts[10], counts[-1])


def test_turns_of_just_the_limit_change_nothing() -> None:
    """The limit has been found."""
    admission = Admission(LIMIT)
    before = admitted(admission)

    admission.end_turn(LIMIT)

    assert before == admitted(admission)


def test_who_begins_makes_room() -> None:
    """One goes, one comes."""
    admission = Admission(LIMIT)
    while admission.admit():
        pass

    admission.begin()

    assert (True, False) == (admission.admit(), admission.admit())


@given(st.lists(st.floats(0, 1000), max_size=50))
def test_some_are_always_let_in(turns: list[float]) -> None:
    """Whatever the turns were: never none, never without limit."""
    admission = Admission(LIMIT)
    for seconds in turns:
        admission.end_turn(seconds)

    assert LEAST <= admitted(admission) <= MOST
