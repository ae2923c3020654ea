"""The comparison with other monitors: the same streams for all, cut at the change, and pinned libraries."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks.monitor_comparison import (
    CHANGE_WEEK,
    FOLDER,
    NO_PORTION,
    PEERS,
    PORTION,
    SCENARIOS,
    make_case,
    read_version,
)
from benchmarks.simulator import end_of


@pytest.mark.parametrize("title", SCENARIOS)
def test_every_portion_of_outcomes_has_the_same_size(title: str) -> None:
    """And those of earlier decisions come first."""
    case = make_case(SCENARIOS[title], 1)
    numbers = case.portions[(case.portions >= 0) & (case.portions < NO_PORTION)]

    assert np.bincount(numbers).tolist() == [PORTION] * case.count
    assert (np.diff(numbers) >= 0).all()


def test_a_portion_is_of_decisions_before_the_change_or_after_it() -> None:
    """Never of both; the first that is judged begins with the change."""
    case = make_case(SCENARIOS["default rate × 1.5"], 1)
    time, change = case.stream.history.time, end_of(CHANGE_WEEK - 1)

    assert time[case.portions < 0].max() < change
    assert time[case.portions == 0].min() >= change


@pytest.mark.parametrize("peer", PEERS)
def test_every_library_is_pinned(peer: str) -> None:
    """Otherwise a comparison could not be repeated."""
    lines = (FOLDER / peer / "requirements.txt").read_text().splitlines()

    assert all(re.match(r"(\s*#|[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+)", line) for line in lines)
    assert re.fullmatch(r"\d+\.\d+\.\d+", read_version(peer))
