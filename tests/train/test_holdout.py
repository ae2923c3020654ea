"""The split into fit and hold-out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.holdout import HOLDOUT_SHARE, split


@given(rows=st.integers(50, 2000), rate=st.floats(0.1, 0.9), seed=st.integers(0, 1000))
def test_the_split_is_a_stratified_and_seeded_partition(rows: int, rate: float, seed: int) -> None:
    """Each row is in one part, default rates differ by less than one row, the same seed gives the same parts."""
    y = (np.arange(rows) < round(rows * rate)).astype(np.int64)

    parts = split(y, seed)

    assert sorted([*parts.fit, *parts.holdout]) == list(range(rows))
    assert len(parts.holdout) == pytest.approx(rows * HOLDOUT_SHARE, abs=1)
    assert abs(y[parts.fit].mean() - y[parts.holdout].mean()) <= 1 / len(parts.holdout)
    np.testing.assert_array_equal(split(y, seed).holdout, parts.holdout)
