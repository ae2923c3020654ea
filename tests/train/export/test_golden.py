"""Golden rows are synthetic: they are drawn from the documented bounds alone."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec import structs

from model.contract import Field
from train.export.golden import draw_applicants, round_cells

NUMBER = Field("n", "n", "", "number", (), 10.0, 20.0, True, "r")
OPEN = Field("o", "o", "", "number", (), None, None, False, "r")
CATEGORY = Field("c", "c", "", "category", ("a", "b", "c"), None, None, True, "r")


def test_rows_stay_within_bounds_and_levels_and_repeat_for_a_seed() -> None:
    """Numbers within their bounds, levels as indices, missing values only in nullable fields."""
    rows = draw_applicants([NUMBER, OPEN, CATEGORY], 500, 1)

    assert np.nanmin(rows[:, 0]) >= 10
    assert np.nanmax(rows[:, 0]) <= 20
    assert not np.isnan(rows[:, 1]).any()
    assert set(rows[~np.isnan(rows[:, 2]), 2]) == {0.0, 1.0, 2.0}
    np.testing.assert_array_equal(draw_applicants([NUMBER, OPEN, CATEGORY], 500, 1), rows)


def test_all_nullable_cells_of_the_first_row_are_missing() -> None:
    """Every file is thereby verified on missing values."""
    first = draw_applicants([NUMBER, OPEN, CATEGORY], 3, 2)[0]

    np.testing.assert_array_equal(np.isnan(first), [True, False, True])


@pytest.mark.parametrize("limits", [(-0.9995, None), (None, 0.0005), (3000.0, None), (None, -3000.0), (12.0, 18.0)])
@pytest.mark.parametrize("field", [NUMBER, OPEN])
def test_rows_stay_within_limits(field: Field, limits: tuple[float | None, float | None]) -> None:
    """Whatever the documented bounds are, and when rounded too."""
    limited = structs.replace(field, lowest=limits[0], highest=limits[1])
    lowest, highest = limited.limits

    rows = draw_applicants([limited], 500, 1)

    for drawn in (rows, round_cells(rows, [limited])):
        assert lowest <= np.nanmin(drawn) <= np.nanmax(drawn) <= highest
