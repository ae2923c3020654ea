"""Tables of an explainable boosting machine: the Shapley values of a cell against their definition."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from train.readers.ebm import split_table

ROUNDING = 1e-12


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4)])
def test_shapley_values_of_cells(shape: tuple[int, ...]) -> None:
    """The mean over all orders of what a field adds once it is known, with training rows for unknown fields."""
    random = np.random.default_rng(len(shape))
    scores, weights = random.normal(size=shape), random.integers(0, 4, shape).astype(np.float64)
    rows = np.repeat(np.argwhere(np.ones(shape)), weights.ravel().astype(int), axis=0)
    cells = np.argwhere(np.ones(shape))

    def known(cell: np.ndarray[tuple[int], np.dtype[np.int64]], fields: tuple[int, ...]) -> float:
        mixed = rows.copy()
        mixed[:, fields] = cell[list(fields)]
        return float(scores[tuple(mixed.T)].mean())

    orders = list(permutations(range(len(shape))))
    mean, shapley = split_table(scores, weights)
    assert mean == pytest.approx(scores[tuple(rows.T)].mean(), abs=ROUNDING)
    for field, table in enumerate(shapley):
        for cell in cells:
            added = [
                known(cell, order[: order.index(field) + 1]) - known(cell, order[: order.index(field)])
                for order in orders
            ]
            assert table[tuple(cell)] == pytest.approx(np.mean(added), abs=ROUNDING)
    np.testing.assert_allclose(mean + sum(shapley), scores, atol=ROUNDING, rtol=0)
