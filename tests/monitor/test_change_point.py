from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.reading import write_time
from monitor.change_point import ChangePoint, find_change
from tests.monitor.histories import START, draw_outcomes, draw_probabilities

HOUR = 3_600_000_000


def simulate(seed: int, n: int = 2_000, at: int = 1_200, factor: float = 1.0, rate: float = 0.15) -> ChangePoint | None:
    """The change found where everybody's chance of default is multiplied by a factor from a row on."""
    random = np.random.default_rng(seed)
    p = draw_probabilities(random, n, rate)
    chance = np.minimum(np.where(np.arange(n) < at, p, factor * p), 0.99)
    return find_change(START + np.arange(n) * HOUR, p, draw_outcomes(random, chance))


def test_moment_of_a_change_lies_in_its_interval() -> None:
    """Of 30 streams in which the default rate doubles, about 95% of the intervals contain the moment."""
    truth = write_time(START + 1_200 * HOUR)
    found = [simulate(seed, factor=2.0) for seed in range(30)]
    changes = [one for one in found if one is not None]
    assert len(changes) == 30
    assert sum(one.low <= truth <= one.high for one in changes) >= 26
    assert all(one.low <= one.time <= one.high for one in changes)
    assert np.median([one.after / one.before for one in changes]) == pytest.approx(2.0, rel=0.2)
    assert max(one.chance for one in changes) <= 0.001


def test_streams_without_a_change_seldom_show_one() -> None:
    """In about 5% of 60 streams, whatever their length; a level that is wrong from the first day on isn't a change."""
    found = [simulate(seed, n=800, at=0, factor=1.4) for seed in range(60)]
    assert sum(one is not None for one in found) <= 8


def test_a_change_is_found_in_many_outcomes() -> None:
    """In portions of equal size; the latest 500 of 40,000 suffice."""
    found = simulate(1, n=40_000, at=39_500, factor=2.0)
    assert found is not None
    assert found.chance <= 0.001
    assert found.outcomes_before + found.outcomes_after == 40_000
    assert found.outcomes_after == pytest.approx(500, abs=200)
    assert found.low <= write_time(START + 39_500 * HOUR) <= found.high


def test_the_same_outcomes_give_the_same_change() -> None:
    """The simulation has a fixed seed."""
    assert simulate(3, factor=2.0) == simulate(3, factor=2.0)


def test_decisions_of_one_moment_stay_together() -> None:
    """Nothing changes between decisions of the same time."""
    random = np.random.default_rng(5)
    p = np.full(400, 0.2)
    y = draw_outcomes(random, np.where(np.arange(400) < 210, 0.1, 0.6))
    time = START + np.arange(400) // 100 * HOUR
    found = find_change(time, p, y)
    assert found is not None
    assert found.outcomes_before % 100 == 0
    assert find_change(np.full(400, START), p, y) is None


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.3, 0.5, 1.0]), st.integers(0, 1), st.integers(0, 3)), max_size=30))
def test_nothing_is_too_little_to_be_scanned(rows: list[tuple[float, int, int]]) -> None:
    """No outcome, one class, equal times, probabilities of 0 and 1."""
    p, y = np.array([row[0] for row in rows], float), np.array([row[1] for row in rows], np.int64)
    time = START + np.cumsum(np.array([row[2] for row in rows], np.int64))
    found = find_change(time, p, y)
    assert found is None or 0 < found.chance <= 0.05
