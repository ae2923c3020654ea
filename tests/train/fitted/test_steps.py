"""Steps give the same in ONNX Runtime as in numpy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.train.fitted.graphs import run_steps
from train.fitted.functions import Clip, Function, Power, Restrict
from train.fitted.intervals import Bins, Quantiles
from train.fitted.mixing import Products, Project
from train.fitted.rounding import Blank, Single, Whole
from train.fitted.steps import Arithmetic, BlankCodes, Fill, Indicate, IsMember, OneHot, Recode, Select, Step

RANDOM = np.random.default_rng(0)
ROWS = np.concatenate(
    [
        RANDOM.normal(size=(200, 3)) * 10.0 ** RANDOM.integers(-9, 5, (200, 3)),
        RANDOM.integers(-2, 3, (200, 3)).astype(np.float64),
        [[0.0, -0.0, np.nan], [0.5, 1.5, 2.5], [-0.5, 1e100, -1e100], [1e-300, 5e-324, -5e-324]],
    ]
)
COUNTS = np.sort(RANDOM.integers(-20, 20, (30, 3)), axis=0).astype(np.float64) / 10

EXACT: dict[str, Step] = {
    **{name: Function(name) for name in Function.EMIT if name not in Function.ROUNDED},
    "arithmetic": Arithmetic("divide", np.array([3.0, 0.1, 7.0])),
    "clip": Clip(np.array([-1.0, -np.inf, 0.0]), np.array([1.0, 3.0, np.inf])),
    "restrict": Restrict(np.array([-1.0, -np.inf, 0.0]), np.array([1.0, 3.0, np.inf])),
    "fill": Fill(np.array([1.0, np.nan, 3.0]), missing=0.0),
    "indicate": Indicate(),
    "one hot": OneHot((0, 2, 2), np.array([1.0, np.nan, -1.0])),
    "members": IsMember((0, 1, 0), ((1.0, 2.0), (0.0,), ())),
    "quantiles": Quantiles(COUNTS, np.linspace(0, 1, 30)),
    "blank": Blank(-0.5, 2.0),
    "blank codes": BlankCodes(np.array([[1.0, 0.0, -1e100], [2.0, np.nan, np.nan]])),
    "whole towards zero": Whole("zero"),
    "whole towards below": Whole("below"),
    "single": Single(),
    "products": Products(((0,), (0, 1), (1, 1, 2), ())),
}


@pytest.mark.parametrize("name", sorted(EXACT))
def test_steps_are_exact(name: str) -> None:
    """Also for missing, huge and tiny numbers, and zeros of either sign."""
    np.testing.assert_array_equal(run_steps((EXACT[name],), ROWS), EXACT[name].apply(ROWS))


ROUNDED: dict[str, Step] = {
    **{name: Function(name) for name in Function.ROUNDED},
    "yeo-johnson": Power(np.array([0.3, 0.0, 2.0]), is_positive=False),
    "box-cox": Power(np.array([0.3, 0.0, 2.0]), is_positive=True),
}


@pytest.mark.parametrize("name", sorted(ROUNDED))
def test_rounded_functions_differ_in_the_last_digits_only(name: str) -> None:
    """Also where 1 + x loses the digits of x."""
    rows = np.where(np.abs(ROWS) > 1e4, 1.0, ROWS)

    actual, expected = run_steps((ROUNDED[name],), rows), ROUNDED[name].apply(rows)

    np.testing.assert_allclose(actual, expected, rtol=4e-15, atol=0)


def test_bins_count_the_edges_that_are_not_above_a_number() -> None:
    """A number on an edge belongs to the bin above it; columns may have different numbers of edges."""
    step = Bins((np.array([0.0, 1.0]), np.array([]), np.array([-1.0, 0.0, 2.0])))
    rows = np.array([[1.0, 5.0, -2.0], [0.5, 5.0, 0.0]])

    assert step.apply(rows).tolist() == [[2.0, 0.0, 0.0], [1.0, 0.0, 2.0]]
    np.testing.assert_array_equal(run_steps((step,), rows), step.apply(rows))


def test_recoding_can_give_a_missing_value() -> None:
    """Values that aren't known get the value for others."""
    step = Recode(np.array([0.0, 1.0, np.nan]), np.array([5.0, np.nan, 7.0]), -1.0)
    rows = np.array([[0.0], [1.0], [np.nan], [3.0]])

    np.testing.assert_array_equal(step.apply(rows), [[5.0], [np.nan], [7.0], [-1.0]])
    np.testing.assert_array_equal(run_steps((step,), rows), step.apply(rows))


def test_owners_are_the_fields_of_a_column() -> None:
    """Of a product those of its factors, of a projection those with a weight."""
    owners = (frozenset([0]), frozenset([1]), frozenset([2]))

    assert Products(((0, 1), (), (2, 2))).follow(owners) == (frozenset([0, 1]), frozenset(), frozenset([2]))
    assert Project(np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]]), np.zeros(2)).follow(owners) == (
        frozenset([0, 2]),
        frozenset([1]),
    )
    assert Select((2, 0)).follow(owners) == (frozenset([2]), frozenset([0]))
