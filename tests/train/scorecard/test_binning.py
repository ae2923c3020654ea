"""Bins partition what a field can be, have enough rows, and edges of few digits."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.train.scorecard.made_up import RULES, draw
from train.fitted.steps import Matrix
from train.scorecard.binning import find_bins, segment, shortest
from train.scorecard.bins import FieldBins
from train.scorecard.fields import FieldRule
from train.scorecard.stumps import MIN_ROWS, Cells, fit_stumps

NUMBERS = st.floats(-1e100, 1e100)


def bin_columns(
    X: Matrix, y: npt.NDArray[Any], rules: tuple[FieldRule, ...], max_bins: int = 8, step_cost: float = 0.0
) -> list[FieldBins]:
    """The bins of all columns."""
    stumps = fit_stumps(rules, X, y.astype(np.int64), np.ones(len(y)), 60, 0)
    return find_bins(rules, stumps, [stumps.cells(column) for column in range(len(rules))], max_bins, step_cost)


@given(edges=st.lists(NUMBERS, unique=True, max_size=8).map(sorted), x=NUMBERS)
def test_every_number_is_in_one_bin(edges: list[float], x: float) -> None:
    """Bin i holds edges[i − 1] ≤ x < edges[i]; a missing value has the bin after the last."""
    bins = FieldBins(0, tuple(edges))
    ends = [-math.inf, *edges, math.inf]

    place = bins.place(np.array([[x], [math.nan]]))

    assert ends[place[0]] <= x < ends[place[0] + 1]
    assert place[1] == bins.count == len(edges) + 1


def test_every_level_is_in_one_bin() -> None:
    """In the one of its group; missing values have the last."""
    bins = FieldBins(0, groups=((2,), (0, 3), (1,)))

    places = bins.place(np.array([[0.0], [1.0], [2.0], [3.0], [math.nan]]))

    assert places.tolist() == [1, 2, 0, 1, 3]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), max_bins=st.integers(2, 6))
def test_bins_have_enough_rows_and_are_at_most_as_many_as_asked(seed: int, max_bins: int) -> None:
    """Missing values have a bin beside them."""
    X, y = draw(500, seed)

    found = bin_columns(X, y, RULES, max_bins)

    for bins in found:
        rows = np.bincount(bins.place(X), minlength=bins.count + 1)
        assert bins.count <= max_bins
        # An edge may be moved past a few rows to have fewer digits.
        assert bins.count == 1 or rows[:-1].min() >= MIN_ROWS - 0.0025 * len(X)
        assert list(bins.edges) == sorted(set(bins.edges))
        assert rows.sum() == len(X)


def test_a_jump_in_the_risk_is_found_at_a_number_of_few_digits() -> None:
    """Though the values have many."""
    random = np.random.default_rng(0)
    x = random.uniform(0, 100, 2_000)
    y = random.random(2_000) < np.where(x < 40, 0.5, 0.1)

    (bins,) = bin_columns(x[:, None], y, (FieldRule("x"),), 2)

    (edge,) = bins.edges
    assert edge == pytest.approx(40, abs=1)
    assert edge == round(edge, 1)


def test_levels_have_a_bin_each_rare_ones_together_and_similar_ones_are_merged() -> None:
    """Levels that no row has are among the rare ones."""
    random = np.random.default_rng(0)
    level = random.choice(7, 3_000, p=[0.25, 0.25, 0.24, 0.25, 0.005, 0.005, 0.0])
    y = random.random(3_000) < np.array([0.1, 0.1, 0.5, 0.5, 0.3, 0.3, 0])[level]
    X, rules = level.astype(np.float64)[:, None], (FieldRule("x", n_levels=7),)

    (each,), (merged,) = bin_columns(X, y, rules), bin_columns(X, y, rules, 3)

    assert each.groups == ((0,), (1,), (2,), (3,), (4, 5, 6))
    assert {(0, 1), (2, 3)} <= set(merged.groups)


def test_bins_of_a_person_are_kept() -> None:
    """Edges and groups, also where no row is."""
    rules = (FieldRule("x", edges=(-500.0, 20.0, 1e6)), *RULES[1:2], FieldRule("h", 4, groups=((0, 3), (1,), (2,))))
    X, y = draw(300, rules=rules)

    found = bin_columns(X, y, rules)

    assert found[0] == FieldBins(0, (-500.0, 20.0, 1e6))
    assert found[2] == FieldBins(2, (), ((0, 3), (1,), (2,)))


@pytest.mark.parametrize("value", [1.0, math.nan])
def test_a_field_without_two_values_has_one_bin(value: float) -> None:
    """And one for missing values."""
    X, y = draw(200)

    found = bin_columns(np.column_stack([np.full(200, value), X[:, 0]]), y, RULES[:2])

    assert found[0] == FieldBins(0)
    assert found[1].count > 1


@settings(max_examples=60, deadline=None)
@given(
    values=arrays.arrays(np.float64, st.integers(1, 7), elements=st.integers(-5, 5).map(float)),
    most=st.integers(1, 4),
    seed=st.integers(0, 100),
)
def test_segments_lose_least(values: Matrix, most: int, seed: int) -> None:
    """Compared with every way to cut."""
    weight = np.random.default_rng(seed).uniform(0.1, 1, len(values))
    cells = Cells(np.arange(len(values) - 1.0), values, weight, np.ones(len(values), np.int64), 0.0)

    def loss(lasts: tuple[int, ...]) -> float:
        parts = np.split(np.arange(len(values)), np.array(lasts[:-1], dtype=np.int64) + 1)
        means = [np.average(values[part], weights=weight[part]) for part in parts]
        return sum(
            float((weight[part] * (values[part] - mean) ** 2).sum()) for part, mean in zip(parts, means, strict=True)
        )

    ways = [
        (*chosen, len(values) - 1)
        for count in range(min(most, len(values)))
        for chosen in combinations(range(len(values) - 1), count)
    ]

    found = tuple(segment(cells, most, 1, 0.0))

    assert found in ways
    assert loss(found) == pytest.approx(min(map(loss, ways)), abs=1e-9)


@given(low=NUMBERS, high=NUMBERS)
def test_an_edge_lies_between_its_neighbours(low: float, high: float) -> None:
    """Above the lower one, at most at the upper one."""
    assume(low < high)

    assert low < shortest(low, high) <= high


@pytest.mark.parametrize(
    ("low", "high", "edge"),
    [(1200, 4800, 3000), (0, 1, 1), (-3, 2, 0), (12345.67, 12345.98, 12345.8), (-4990.5, -4100, -4500), (99, 101, 100)],
)
def test_an_edge_has_few_digits(low: float, high: float, edge: float) -> None:
    """The fewest that lie between, nearest to the middle."""
    assert shortest(low, high) == edge
