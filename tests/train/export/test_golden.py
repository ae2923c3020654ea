"""Golden rows publish nobody: drawn from documented bounds alone."""

from __future__ import annotations

import numpy as np

from model.contract import Field
from train.export.golden import draw_applicants

NUMBER = Field("n", "n", "", "number", (), 10.0, 20.0, True, "r")
OPEN = Field("o", "o", "", "number", (), None, None, False, "r")
CATEGORY = Field("c", "c", "", "category", ("a", "b", "c"), None, None, True, "r")


def test_rows_stay_within_bounds_and_levels_and_repeat_for_a_seed() -> None:
    """Numbers inside the bounds, whole indices of levels, gaps only where they may be; the same for a seed."""
    rows = draw_applicants([NUMBER, OPEN, CATEGORY], 500, 1)

    assert np.nanmin(rows[:, 0]) >= 10
    assert np.nanmax(rows[:, 0]) <= 20
    assert not np.isnan(rows[:, 1]).any()
    assert {0.0, 1.0, 2.0} == set(rows[~np.isnan(rows[:, 2]), 2])
    np.testing.assert_array_equal(rows, draw_applicants([NUMBER, OPEN, CATEGORY], 500, 1))


def test_the_first_row_is_missing_all_it_can() -> None:
    """The path of missing values is proven in every file."""
    first = draw_applicants([NUMBER, OPEN, CATEGORY], 3, 2)[0]

    np.testing.assert_array_equal([True, False, True], np.isnan(first))
