"""Periods: they partition the applications, are neither too small nor too many, and show when a model fails."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.bins import MIN_COUNT
from train.report.out_of_sample import OutOfSample
from train.report.over_time import MAX_PERIODS, choose_unit, measure_periods, name_period


def make_sample(time: np.ndarray, held: np.ndarray, change: float = 1.0) -> OutOfSample:
    """Calibrated probabilities; of the rows held out the odds of default are multiplied by `change`."""
    random = np.random.default_rng(0)
    probability = random.beta(2, 6, len(time))
    true = np.where(np.isin(np.arange(len(time)), held), probability * change, probability)
    y = (random.random(len(time)) < true).astype(np.int64)
    return OutOfSample(np.ones((len(time), 1)), y, probability, held, {}, {}, None, time)


def days(first: str, last: str, rows: int) -> np.ndarray:
    """Evenly spaced days."""
    return np.linspace(np.datetime64(first).astype(int), np.datetime64(last).astype(int), rows).astype(np.int64)


def test_without_times_there_are_no_periods() -> None:
    """The result is empty."""
    sample = OutOfSample(np.ones((9, 1)), np.zeros(9, np.int64), np.full(9, 0.5), np.arange(3), {})

    assert measure_periods(sample) == ()


@pytest.mark.parametrize(
    ("rows", "last", "title", "number"),
    [
        (4000, "2006-12-31", "2006-12", 12),
        (2000, "2006-12-31", "2006-12", 12),
        (500, "2006-12-31", "2006 Q4", 4),
        (300, "2006-12-31", "2006", 1),
        (40_000, "2008-12-31", "2008 Q4", 12),
        (40_000, "2035-12-31", "2034–2035", 15),
    ],
)
def test_periods_are_the_shortest_with_enough_applications(rows: int, last: str, title: str, number: int) -> None:
    """Months, quarters or years; several years where there would be more than 24."""
    periods = measure_periods(make_sample(days("2006-01-01", last, rows), np.arange(0)))

    assert (periods[-1].title, len(periods)) == (title, number)


def test_a_column_of_years_has_periods_of_years() -> None:
    """Though each January has enough applications to be a month."""
    years = np.array(["2004", "2005", "2006"], "datetime64[Y]").astype("datetime64[D]").astype(np.int64)

    periods = measure_periods(make_sample(np.repeat(years, 500), np.arange(1000, 1500)))

    assert [(one.title, one.is_held_out) for one in periods] == [("2004", False), ("2005", False), ("2006", True)]


def test_a_period_that_the_holdout_begins_in_is_divided() -> None:
    """Applications before and after the middle of March."""
    time = days("2006-01-01", "2006-04-30", 2000)
    held = np.flatnonzero(time >= np.datetime64("2006-03-15").astype(int))

    periods = measure_periods(make_sample(time, held))

    assert [(one.title, one.is_held_out) for one in periods] == [
        ("2006-01", False),
        ("2006-02", False),
        ("2006-03", False),
        ("2006-03", True),
        ("2006-04", True),
    ]
    assert periods[3].first_day == periods[2].first_day == int(np.datetime64("2006-03-01").astype(int))


def test_a_break_is_seen_in_the_periods_after_it() -> None:
    """Half the default rate from the hold-out on: the ratio is 1 before, and 2 after."""
    periods = measure_periods(make_sample(days("2004-01-01", "2006-12-31", 12_000), np.arange(8000, 12_000), 0.5))

    before = [one.ratio for one in periods if not one.is_held_out]
    after = [one.ratio for one in periods if one.is_held_out]
    assert sum(ratio.excludes(1.0) for ratio in before) <= 2
    assert min(ratio.low for ratio in after) > 1.3
    assert np.mean([ratio.value for ratio in after]) == pytest.approx(2.0, abs=0.3)


def test_a_period_without_defaults_has_no_ratio() -> None:
    """It is unknown, not infinite."""
    sample = OutOfSample(
        np.ones((100, 1)), np.zeros(100, np.int64), np.full(100, 0.1), np.arange(9), {}, time=np.zeros(100, np.int64)
    )

    (period,) = (one for one in measure_periods(sample) if not one.is_held_out)

    assert math.isnan(period.ratio.value)
    assert not period.ratio.excludes(1.0)
    assert math.isnan(period.auc.value)


@given(st.lists(st.tuples(st.integers(-20_000, 30_000), st.booleans()), min_size=1, max_size=600))
def test_periods_partition_the_applications(rows: list[tuple[int, bool]]) -> None:
    """But for those with fewer than 20; in order, and no more than 24 unless they are decades."""
    time, held = np.array([row[0] for row in rows]), np.flatnonzero([row[1] for row in rows])

    periods = measure_periods(make_sample(time, held))

    assert sum(one.count for one in periods) <= len(rows)
    assert [one for one in periods if one.count < MIN_COUNT] == []
    starts = [(one.first_day, one.is_held_out) for one in periods]
    assert starts == sorted(set(starts))
    assert len({one.first_day for one in periods}) <= MAX_PERIODS


@given(st.integers(1, 240), st.integers(20, 400))
def test_few_applications_still_have_a_unit(months: int, rows: int) -> None:
    """A unit is chosen for any number of months, with or without defaults."""
    places = np.arange(rows) % months

    assert choose_unit(places, np.zeros(rows, np.int64)) >= 12


@pytest.mark.parametrize(
    ("start", "unit", "name"),
    [(0, 1, "1970-01"), (435, 3, "2006 Q2"), (432, 12, "2006"), (432, 60, "2006–2010"), (-1, 1, "1969-12")],
)
def test_names_of_periods(start: int, unit: int, name: str) -> None:
    """Months since 1970."""
    assert name_period(start, unit) == name
