"""The hold-out: disjoint, stratified, the same for a seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.holdout import HOLDOUT_SHARE, split


@given(rows=st.integers(50, 2000), rate=st.floats(0.1, 0.9), seed=st.integers(0, 1000))
def test_every_row_is_in_one_part_and_both_have_the_same_rate(rows: int, rate: float, seed: int) -> None:
    """No row is lost or doubled; default rates differ by less than one row; the same seed gives the same parts."""
    y = (np.arange(rows) < round(rows * rate)).astype(np.int64)

    parts = split(y, seed)

    assert list(range(rows)) == sorted([*parts.fit, *parts.holdout])
    assert pytest.approx(rows * HOLDOUT_SHARE, abs=1) == len(parts.holdout)
    assert abs(y[parts.fit].mean() - y[parts.holdout].mean()) <= 1 / len(parts.holdout)
    np.testing.assert_array_equal(parts.holdout, split(y, seed).holdout)
