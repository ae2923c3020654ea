"""The split into fit and hold-out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from train.holdout import HOLDOUT_SHARE, split_rows


@given(rows=st.integers(50, 2000), rate=st.floats(0.1, 0.9), seed=st.integers(0, 1000))
def test_the_split_is_a_stratified_and_seeded_partition(rows: int, rate: float, seed: int) -> None:
    """Each row is in one part, default rates differ by less than one row, the same seed gives the same partition."""
    y = (np.arange(rows) < round(rows * rate)).astype(np.int64)

    partition = split_rows(y, seed)

    assert sorted([*partition.training_rows, *partition.holdout_rows]) == list(range(rows))
    assert len(partition.holdout_rows) == pytest.approx(rows * HOLDOUT_SHARE, abs=1)
    assert abs(y[partition.training_rows].mean() - y[partition.holdout_rows].mean()) <= 1 / len(partition.holdout_rows)
    np.testing.assert_array_equal(split_rows(y, seed).holdout_rows, partition.holdout_rows)
