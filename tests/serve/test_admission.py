"""How many requests may wait follows from what a request costs."""

from __future__ import annotations

from copy import copy

from hypothesis import given
from hypothesis import strategies as st

from serve.admission import FIRST, LEAST, MOST, Admission

SECONDS = 0.1


def let_in(admission: Admission) -> int:
    """How many of a crowd are let in; they all begin then."""
    count = sum(1 for _ in range(2 * MOST) if admission.admit())
    for _ in range(count):
        admission.begin()
    return count


def let_in_after(admission: Admission, cost: float, turns: int) -> int:
    """How many are let in after turns that were full and took so many seconds a request."""
    for _ in range(turns):
        admission.end_turn(let_in(admission) * cost)
    return let_in(copy(admission))


def test_a_turn_takes_half_of_the_time() -> None:
    """Whatever a request costs, after a few turns they are as many as fit; the other half is the turn before."""
    admission = Admission(SECONDS)
    for cost in (0.001, 0.0001, 0.002):
        count = let_in_after(admission, cost, 10)

        assert 0.9 * SECONDS / 2 <= count * cost <= 1.1 * SECONDS / 2


def test_one_turn_that_was_too_long_is_enough() -> None:
    """A crowd that asks for ten times as much as the one before is cut down at once, not step by step."""
    admission = Admission(SECONDS)
    let_in_after(admission, 0.0001, 10)

    assert let_in_after(admission, 0.001, 1) < 1.1 * SECONDS / 2 / 0.001


def test_short_turns_of_few_requests_do_not_open_the_door() -> None:
    """However many there are between two crowds: what a request costs has not changed."""
    admission = Admission(SECONDS)
    before = let_in_after(admission, 0.001, 10)
    for _ in range(1000):
        assert admission.admit()
        admission.begin()
        admission.end_turn(0.001)

    assert let_in(admission) < 1.1 * before


def test_turns_without_a_request_change_nothing() -> None:
    """They say nothing of what one costs."""
    admission = Admission(SECONDS)

    admission.end_turn(1.0)

    assert FIRST == let_in(admission)


def test_who_begins_makes_room() -> None:
    """One goes, one comes."""
    admission = Admission(SECONDS)
    while admission.admit():
        pass

    admission.begin()

    assert (True, False) == (admission.admit(), admission.admit())


@given(st.lists(st.floats(0, 1000), max_size=50))
def test_some_are_always_let_in(turns: list[float]) -> None:
    """Whatever the turns were: never none, never without limit."""
    admission = Admission(SECONDS)
    for seconds in turns:
        let_in(admission)
        admission.end_turn(seconds)

    assert LEAST <= let_in(admission) <= MOST
