from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.maturity import DAY, Known, Maturity, choose_outcomes

N, RATE, DAILY = 20_000, 0.2, 100

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Stream:
    """Decisions from day 0 on, 100 a day, each with an outcome known at an age in days."""

    y: Integers
    age: Integers

    def choose(self, days: int, window: int | None = None) -> Known:
        """The outcomes that count after so many days."""
        decided = np.arange(N) // DAILY
        made = decided < days
        day = (decided + self.age)[made]
        is_known = day < days
        return choose_outcomes(
            decided[made] * DAY, np.where(is_known, day, -1), np.where(is_known, self.y[made], -1), days * DAY, window
        )


def draw_outcomes(seed: int) -> Integers:
    return (np.random.default_rng(seed).random(N) < RATE).astype(np.int64)


def draw_early(seed: int, known: int) -> Stream:
    """Defaults become known within 90 days, all else after so many."""
    y = draw_outcomes(seed)
    return Stream(y, np.where(y == 1, np.random.default_rng(seed + 1).integers(5, 90, N), known))


def rate(known: Known) -> float:
    return float(known.defaulted[known.defaulted >= 0].mean())


def test_all_outcomes_count_that_become_known_at_the_same_age() -> None:
    """Nothing is left out."""
    found = Stream(draw_outcomes(1), np.full(N, 90)).choose(150)
    assert found.maturity == Maturity(0, None, 0)
    assert rate(found) == pytest.approx(RATE, abs=0.02)


@pytest.mark.parametrize("days", [95, 120, 180])
def test_defaults_that_are_known_early_do_not_count_alone(days: int) -> None:
    """Decisions count from the age at which it is known who didn't default: the default rate is the true one."""
    stream = draw_early(2, 90)
    assert rate(stream.choose(days, 0)) > 1.1 * RATE
    found = stream.choose(days)
    assert (found.maturity.days, found.maturity.window) == (90, None)
    assert found.maturity.left_out > 0
    assert rate(found) == pytest.approx(RATE, abs=0.04)


@pytest.mark.parametrize("window", [30, 60, 90, 120, 170])
@pytest.mark.parametrize("days", [190, 199])
def test_window_shorter_than_goods_take_to_be_known(window: int, days: int) -> None:
    """Between the two ages only defaults have outcomes: none of these counts, and the rate is the true one."""
    stream = draw_early(3, 180)
    within = float(((stream.y == 1) & (stream.age <= window)).mean())
    found = stream.choose(days, window)
    assert (found.maturity.days, found.maturity.window) == (180, window)
    assert rate(found) == pytest.approx(within, abs=0.04)


def test_window_with_goods_that_are_reported_again_and_again() -> None:
    """Their latest outcomes are old for old decisions; the younger ones have outcomes as well, and count."""
    y, decided = draw_outcomes(4), np.arange(N) // DAILY
    stream = Stream(y, np.where(y == 1, 40, 199 - decided))
    found = stream.choose(200, 60)
    assert found.maturity.days == 60
    assert (found.defaulted >= 0).sum() > 0.6 * N
    assert rate(found) == pytest.approx(RATE, abs=0.02)


def test_defaults_alone_say_nothing() -> None:
    """As long as it isn't known of anybody that there was no default, with a window or without."""
    y = draw_outcomes(5)
    stream = Stream(y, np.where(y == 1, 30, 360))
    for window in (None, 60):
        found = stream.choose(100, window)
        assert (found.defaulted == -1).all()
        assert found.maturity.left_out > 0


def test_a_default_counts_within_the_window() -> None:
    """A later one counts as none; who was last seen before its end doesn't count."""
    y, age = np.array([1, 1, 0, 0, 0, -1]), np.array([30, 120, 100, 60, 400, -1])
    found = choose_outcomes(np.zeros(6, np.int64), age, y, 500 * DAY, 90)
    assert found.defaulted.tolist() == [1, 0, 0, -1, 0, -1]
    assert found.maturity.left_out == 1
    assert choose_outcomes(np.zeros(6, np.int64), age, y, 500 * DAY, 0).defaulted.tolist() == y.tolist()


def test_an_outcome_of_the_future_is_unknown() -> None:
    """A look as of an earlier day doesn't know it."""
    found = choose_outcomes(np.zeros(3, np.int64), np.full(3, 90), np.array([0, 1, 0]), 50 * DAY, 0)
    assert (found.defaulted == -1).all()


@given(
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400), st.integers(-1, 1)), max_size=40),
    st.none() | st.integers(0, 400),
    st.integers(0, 500),
)
def test_what_counts_is_known_old_enough_and_within_the_window(
    rows: list[tuple[int, int, int]], window: int | None, at: int
) -> None:
    """Whatever the record; what is left out is counted, and a default is one that the record has."""
    decided, age, y = (np.array([row[column] for row in rows], np.int64) for column in range(3))
    day = np.where(y >= 0, decided + age, -1)
    found = choose_outcomes(decided * DAY, day, y, at * DAY, window)
    counts = found.defaulted >= 0
    known = (y >= 0) & (day <= at + 1)
    assert found.maturity.left_out == (known & ~counts).sum()
    assert not (counts & ~known).any()
    assert found.maturity.days >= (window or 0)
    assert (at + 1 - decided[counts] >= found.maturity.days).all()
    is_default = found.defaulted == 1
    assert (y[is_default] == 1).all()
    assert (age[is_default] <= (window or 400)).all()
